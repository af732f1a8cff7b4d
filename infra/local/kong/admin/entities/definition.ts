import type { Json, JsonObject } from '../json.ts';
import type { Errors, RecordSchema } from '../schema/types.ts';

/** What the generic DAO and the endpoints must know of one of Kong's entities. */
export interface Definition extends RecordSchema {
  /** Kong's schema name: in errors, events and `/schemas/…`. */
  readonly name: string;
  readonly table: string;
  /** The collection's path, `undefined` where there is none at the top level (targets). */
  readonly path: string | undefined;
  /** Path segment below the parents, where it differs from `path`. */
  readonly nestedPath?: string;
  /** The field that may stand in the path instead of the id. */
  readonly endpointKey?: string;
  readonly workspaceable: boolean;
  /** The fields in the cache key, in order. */
  readonly cacheKey: readonly string[];
  /** True when the cache key is stored in the column `cache_key` and thereby unique. */
  readonly cacheKeyColumn?: boolean;
  /** True for Kong's core entities, whose invalidations have their own channel. */
  readonly core: boolean;
  /** True when rows may carry a time to live, in seconds. */
  readonly ttl?: boolean;
  /** The schema that holds for this data (plugins by name, routes by protocol), or why there is none. */
  readonly resolve?: (data: JsonObject, context: SchemaContext) => Resolved;
  /** Rewrites data before validation (normal forms), or says what is wrong. */
  readonly prepare?: (data: JsonObject) => { readonly data: JsonObject } | { readonly errors: Errors };
}

/** Settings of the node that change what a schema takes. */
export interface SchemaContext {
  readonly routerFlavor: string;
}

export type Resolved = { readonly schema: RecordSchema } | { readonly errors: Errors };

export function define(
  definition: Omit<Definition, 'workspaceable' | 'core' | 'entity_checks'> & Partial<Definition>,
): Definition {
  return { workspaceable: true, core: true, entity_checks: [], ...definition };
}

/** The collection below a parent. */
export function nestedPath(definition: Definition): string {
  return definition.nestedPath ?? definition.path ?? definition.name;
}

/** `{field: referenced schema}` of the foreign fields. */
export function references(definition: Definition): readonly (readonly [field: string, schema: string])[] {
  return Object.entries(definition.fields).flatMap(([field, { type, reference }]) =>
    type === 'foreign' && reference !== undefined ? [[field, reference] as const] : [],
  );
}

/** Kong's cache key, `<schema>:<value>:…:<workspace>` with five values (DB-backed Kong 3.9). */
export function cacheKey(definition: Definition, entity: JsonObject, workspace: string): string {
  const values = definition.cacheKey.map((field) => keyPart(entity[field]));
  while (values.length < 5) values.push('');
  const global = definition.cacheKey.some((field) => definition.fields[field]?.unique_across_ws === true);
  return [definition.name, ...values, definition.workspaceable && !global ? workspace : ''].join(':');
}

function keyPart(value: Json | undefined): string {
  if (typeof value === 'string' || typeof value === 'number') return `${value}`;
  return typeof value === 'object' && value !== null && 'id' in value ? keyPart(value.id) : '';
}

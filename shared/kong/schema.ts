import type { Json } from './entities.ts';
import { isRecord } from '../json.ts';
import { isBody, text } from './json.ts';

/** One field of a Kong schema, as far as defaults and comparison need it. */
export interface FieldSchema {
  /** Kong's type: string, integer, number, boolean, array, set, map, record, foreign, any … */
  readonly type: string;
  readonly default: Json | undefined;
  readonly required: boolean;
  /** Kong makes a value up when none is sent. */
  readonly auto: boolean;
  /** A record's fields. */
  readonly record: Schema | undefined;
  /** What an array, a set or a map holds. */
  readonly elements: FieldSchema | undefined;
}

/** A record: an entity, a plugin's config, or a part of it. */
export interface Schema {
  readonly fields: ReadonlyMap<string, FieldSchema>;
  /** Deprecated field → the paths that replace it; none when Kong computes the replacement (DB §4.5). */
  readonly shorthands: ReadonlyMap<string, readonly (readonly string[])[]>;
}

/** Lua shows an empty list as `{}`; a list of fields is an array of objects with one key. */
function named(list: unknown): readonly (readonly [string, Readonly<Record<string, unknown>>])[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((item: unknown) =>
    isRecord(item)
      ? Object.entries(item).flatMap(([name, field]) => (isRecord(field) ? [[name, field] as const] : []))
      : [],
  );
}

function replacements(field: Readonly<Record<string, unknown>>): readonly (readonly string[])[] {
  const list = isRecord(field.deprecation) ? field.deprecation.replaced_with : undefined;
  if (!Array.isArray(list)) return [];
  return list.flatMap((item: unknown) => {
    const path = isRecord(item) && Array.isArray(item.path) ? item.path : [];
    return path.length > 0 && path.every((part: unknown) => typeof part === 'string') ? [path] : [];
  });
}

function isJson(value: unknown): value is Json {
  return (
    isBody(value) || Array.isArray(value) || value === null || ['string', 'number', 'boolean'].includes(typeof value)
  );
}

function fieldSchema(field: Readonly<Record<string, unknown>>): FieldSchema {
  const inner = isRecord(field.elements) ? field.elements : isRecord(field.values) ? field.values : undefined;
  return {
    type: text(field.type) ?? 'any',
    default: isJson(field.default) && field.default !== null ? field.default : undefined,
    required: field.required === true,
    auto: field.auto === true,
    record: field.type === 'record' ? parseSchema(field) : undefined,
    elements: inner === undefined ? undefined : fieldSchema(inner),
  };
}

/** Parses `GET /schemas/<entity>`, `GET /schemas/plugins/<name>` or a record in one of them. */
export function parseSchema(data: unknown): Schema {
  const body = isRecord(data) ? data : {};
  return {
    fields: new Map(named(body.fields).map(([name, field]) => [name, fieldSchema(field)])),
    shorthands: new Map(named(body.shorthand_fields).map(([name, field]) => [name, replacements(field)])),
  };
}

/** A plugin's schema: the entity's fields, with `config` and `protocols` of the plugin of that name. */
export function pluginSchema(entity: Schema, plugin: Schema): Schema {
  return { fields: new Map([...entity.fields, ...plugin.fields]), shorthands: plugin.shorthands };
}

import type { Queryable } from '../index/database.ts';
import { select } from './database.ts';
import type { Values } from './database.ts';
import { ENTITIES } from './entities.ts';
import type { EntityType } from './entities.ts';

/** What every reader needs: the pool, and what counts as ours. */
export interface Scope {
  readonly pool: Queryable;
  readonly filterTags: readonly string[];
  /** Name in Kong's table `workspaces`. */
  readonly workspace: string;
  /** The types that this Kong has tables for, and that can carry tags. */
  types(): Promise<ReadonlySet<EntityType>>;
}

/** SQL for "carries our tags and belongs to our workspace" of a table's alias. CA certificates have no workspace. */
export function managedExpression(scope: Scope, type: EntityType, alias: string, values: Values): string {
  const tagged = `COALESCE(${alias}.tags @> ${values.add(scope.filterTags, 'text[]')}, false)`;
  if (type === 'ca_certificates') return tagged;
  const workspace = `(SELECT id FROM workspaces WHERE name = ${values.add(scope.workspace, 'text')})`;
  return `(${tagged} AND COALESCE(${alias}.ws_id = ${workspace}, false))`;
}

/** SQL for "another workspace may have made it": CA certificates belong to none, and there is more than one. */
export function sharedExpression(type: EntityType): string {
  return type === 'ca_certificates' ? '(SELECT count(*) > 1 FROM workspaces)' : 'false';
}

function isEntityType(type: string): type is EntityType {
  return Object.hasOwn(ENTITIES, type);
}

/** Every entity type, also those that only some Kongs have. */
const ALL_TYPES = Object.keys(ENTITIES).filter(isEntityType);

/** Whether every Kong has a table for this type. */
export function isCommon(type: EntityType): boolean {
  return ENTITIES[type].optional !== true;
}

/**
 * Asks the database which optional types it has, once, and again only after a failure. A table that exists counts even
 * when it may not be read: then the reading fails, instead of looking empty.
 */
export function typesProbe(pool: Queryable): () => Promise<ReadonlySet<EntityType>> {
  const optional = ALL_TYPES.filter((type) => !isCommon(type));
  const ask = async (): Promise<ReadonlySet<EntityType>> => {
    const rows = await select<{ name: string }>(
      pool,
      'the tables',
      `SELECT t.name FROM unnest($1::text[]) AS t(name)
       JOIN pg_attribute a ON a.attrelid = to_regclass(t.name)::oid AND NOT a.attisdropped
       WHERE a.attname IN ('id', 'tags', 'ws_id') GROUP BY t.name HAVING count(*) = 3`,
      [optional.map((type) => ENTITIES[type].table)],
    );
    const tables = new Set(rows.map((row) => row.name));
    return new Set(ALL_TYPES.filter((type) => isCommon(type) || tables.has(ENTITIES[type].table)));
  };
  let answer: Promise<ReadonlySet<EntityType>> | undefined;
  return () => {
    answer ??= ask().catch((error: unknown) => {
      answer = undefined;
      throw error;
    });
    return answer;
  };
}

/** Those of the entities that this Kong has a table for; asks the database only when that is not certain. */
export async function supported<Of extends { readonly type: EntityType }>(
  scope: Scope,
  entities: readonly Of[],
): Promise<readonly Of[]> {
  if (entities.every(({ type }) => isCommon(type))) return entities;
  const types = await scope.types();
  return entities.filter(({ type }) => types.has(type));
}

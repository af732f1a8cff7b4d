import type { Queryable } from '../index/database.ts';
import type { Values } from './database.ts';
import { ENTITIES } from './entities.ts';
import type { EntityType } from './entities.ts';

/** What every reader needs: the pool, and what counts as ours. */
export interface Scope {
  readonly pool: Queryable;
  readonly filterTags: readonly string[];
  /** Name in Kong's table `workspaces`. */
  readonly workspace: string;
  /** Whether this Kong has filter chains (3.4 and later). */
  hasFilterChains(): Promise<boolean>;
}

/** SQL for "carries our tags and belongs to our workspace" of a table's alias. CA certificates have no workspace. */
export function managedExpression(scope: Scope, type: EntityType, alias: string, values: Values): string {
  const tagged = `COALESCE(${alias}.tags @> ${values.add(scope.filterTags, 'text[]')}, false)`;
  if (type === 'ca_certificates') return tagged;
  const workspace = `(SELECT id FROM workspaces WHERE name = ${values.add(scope.workspace, 'text')})`;
  return `(${tagged} AND COALESCE(${alias}.ws_id = ${workspace}, false))`;
}

function isEntityType(type: string): type is EntityType {
  return Object.hasOwn(ENTITIES, type);
}

/** Every entity type whose table is in every Kong's database. */
export const ENTITY_TYPES = Object.keys(ENTITIES)
  .filter(isEntityType)
  .filter((type) => ENTITIES[type].optional !== true);

import { cacheKey } from '../entities/definition.ts';
import type { Definition } from '../entities/definition.ts';
import { foreignId } from '../json.ts';
import type { Json, JsonObject } from '../json.ts';
import type { Field } from '../schema/types.ts';

/** Entities as the Admin API shows them ↔ rows of Kong's tables. */

const stored = (definition: Definition): readonly (readonly [string, Field])[] =>
  Object.entries(definition.fields).filter(([, field]) => field.transient !== true);

function column(name: string, field: Field): string {
  return field.type === 'foreign' ? `${name}_id` : name;
}

/** The quoted columns that a write sets. */
export function writtenColumns(definition: Definition): string[] {
  return [
    ...stored(definition).map(([name, field]) => column(name, field)),
    ...(definition.cacheKeyColumn === true ? ['cache_key'] : []),
    ...(definition.workspaceable ? ['ws_id'] : []),
    ...(definition.ttl === true ? ['ttl'] : []),
  ].map((name) => `"${name}"`);
}

/** The row of an entity as JSON that PostgreSQL can populate a record from. `ttl` is in seconds from `now` (ms). */
export function rowOf(definition: Definition, entity: JsonObject, workspace: string, now: number): JsonObject {
  const row: Record<string, Json> = {};
  for (const [name, field] of stored(definition)) row[column(name, field)] = columnValue(field, entity[name] ?? null);
  if (definition.cacheKeyColumn === true) row['cache_key'] = cacheKey(definition, entity, workspace);
  if (definition.workspaceable) row['ws_id'] = workspace;
  if (definition.ttl === true) row['ttl'] = expiry(entity['ttl'], now);
  return row;
}

function columnValue(field: Field, value: Json): Json {
  if (field.type === 'foreign') return foreignId(value) || null;
  if (field.timestamp === true && typeof value === 'number') return new Date(value * 1000).toISOString();
  return value;
}

function expiry(ttl: Json | undefined, now: number): Json {
  return typeof ttl === 'number' && ttl > 0 ? new Date(now + ttl * 1000).toISOString() : null;
}

/** SQL that makes one JSON object, the entity, of a row. */
export function entityExpression(definition: Definition): string {
  const members = stored(definition).map(([name, field]) => `'${name}', ${memberExpression(name, field)}`);
  if (definition.ttl === true) {
    members.push(`'ttl', CASE WHEN ttl IS NOT NULL THEN greatest(0, floor(extract(epoch FROM ttl - now()))) END`);
  }
  return `json_build_object(${members.join(', ')})`;
}

function memberExpression(name: string, field: Field): string {
  if (field.type === 'foreign') {
    return `CASE WHEN "${name}_id" IS NOT NULL THEN json_build_object('id', "${name}_id") END`;
  }
  if (field.timestamp !== true) return `"${name}"`;
  return field.type === 'integer'
    ? `floor(extract(epoch FROM "${name}"))::bigint`
    : `round(extract(epoch FROM "${name}")::numeric, 3)`;
}

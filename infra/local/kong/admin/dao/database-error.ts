import pg from 'pg';
import type { Definition } from '../entities/definition.ts';
import { references } from '../entities/definition.ts';
import { foreignId, text } from '../json.ts';
import type { JsonObject } from '../json.ts';
import { foreignKeyMissing, primaryKeyViolation, stillReferenced, uniqueViolation } from './kong-error.ts';

const UNIQUE_VIOLATION = '23505';
const FOREIGN_KEY_VIOLATION = '23503';

/** Kong's error for a constraint that a write broke; any other error is given back as it is. */
export function databaseError(definition: Definition, entity: JsonObject, error: unknown): unknown {
  if (!(error instanceof pg.DatabaseError) || error.detail === undefined) return error;
  const columns = /^Key \(([^)]*)\)=/.exec(error.detail)?.[1]?.replaceAll('"', '').split(', ') ?? [];
  if (error.code === UNIQUE_VIOLATION) return duplicate(definition, entity, columns);
  return error.code === FOREIGN_KEY_VIOLATION ? foreignKey(definition, entity, columns, error) : error;
}

function duplicate(definition: Definition, entity: JsonObject, columns: readonly string[]): Error {
  if (columns.includes('id')) return primaryKeyViolation(text(entity['id']));
  const fields = columns.includes('cache_key')
    ? definition.cacheKey
    : columns
        .filter((column) => column !== 'ws_id')
        .map((column) => column.replace(/_id$/, (suffix) => (column in definition.fields ? suffix : '')));
  return uniqueViolation(Object.fromEntries(fields.map((field) => [field, entity[field] ?? null])));
}

function foreignKey(
  definition: Definition,
  entity: JsonObject,
  columns: readonly string[],
  error: pg.DatabaseError,
): unknown {
  const by = /is still referenced from table "([^"]+)"/.exec(error.detail ?? '')?.[1];
  if (by !== undefined) return stillReferenced(definition.name, by);
  const [field, schema] = references(definition).find(([name]) => columns.includes(`${name}_id`)) ?? [];
  if (field === undefined || schema === undefined) return error;
  return foreignKeyMissing(field, foreignId(entity[field]), schema);
}

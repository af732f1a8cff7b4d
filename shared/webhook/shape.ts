import { AppError } from '../errors.ts';
import { type JsonRecord, isRecord } from '../json.ts';

/** Longest name that Kubernetes gives any object. */
const LONGEST_NAME = 253;
const LONGEST_TEXT = 512;
const NAME = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;

/** The body is not what it says it is. `path` names the field, never its value. */
export function unknownShape(path: string, expected: string): AppError {
  return new AppError('WEBHOOK_UNKNOWN_SHAPE', `${path} is not ${expected}`);
}

/** The object at `path`. Throws WEBHOOK_UNKNOWN_SHAPE. */
export function record(value: unknown, path: string): JsonRecord {
  if (isRecord(value)) return value;
  throw unknownShape(path, 'an object');
}

/** The object in a field, undefined when it is absent or null. */
export function optionalRecord(parent: JsonRecord, field: string, path: string): JsonRecord | undefined {
  const value = parent[field];
  return value === undefined || value === null ? undefined : record(value, `${path}.${field}`);
}

/** The list in a field. Throws WEBHOOK_UNKNOWN_SHAPE. */
export function list(parent: JsonRecord, field: string, path: string): readonly unknown[] {
  const value = parent[field];
  if (Array.isArray(value)) return value;
  throw unknownShape(`${path}.${field}`, 'a list');
}

/** The text in a field, `''` when it is absent or null. Throws WEBHOOK_UNKNOWN_SHAPE. */
export function text(parent: JsonRecord | undefined, field: string, path: string): string {
  const value = parent?.[field];
  if (value === undefined || value === null) return '';
  if (typeof value === 'string' && value.length <= LONGEST_TEXT) return value;
  throw unknownShape(`${path}.${field}`, `a text of at most ${LONGEST_TEXT} characters`);
}

/** The name in a field, `''` when it is absent. Throws WEBHOOK_UNKNOWN_SHAPE when no object can be called so. */
export function name(parent: JsonRecord | undefined, field: string, path: string): string {
  const value = text(parent, field, path);
  if (value === '' || (value.length <= LONGEST_NAME && NAME.test(value))) return value;
  throw unknownShape(`${path}.${field}`, 'a Kubernetes name');
}

import { createHash } from 'node:crypto';
import type { Json } from './kong/entities.ts';

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

/** JSON with the fields of every object in code unit order, so that equal values give equal text. */
export function canonicalJson(value: Json): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (isList(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const fields = Object.keys(value).toSorted();
  return `{${fields.map((field) => `${JSON.stringify(field)}:${canonicalJson(value[field] ?? null)}`).join(',')}}`;
}

/** SHA-256 of the canonical JSON, as lower-case hex. */
export function hashOf(value: Json): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}

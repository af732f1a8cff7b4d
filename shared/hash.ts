import { createHash } from 'node:crypto';
import type { Json } from './kong/entities.ts';

/** JSON with the fields of every object in code unit order, so that equal values give equal text. */
export function canonicalJson(value: Json): string {
  return JSON.stringify(value, (_key, item: Json) => (isObject(item) ? sortFields(item) : item));
}

function isObject(value: Json): value is { readonly [field: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sortFields(value: { readonly [field: string]: Json }): { readonly [field: string]: Json } {
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

/** SHA-256 of the canonical JSON, as lower-case hex. */
export function hashOf(value: Json): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}

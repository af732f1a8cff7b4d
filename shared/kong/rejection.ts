import type { EntityType } from './entities.ts';
import { isRecord } from '../json.ts';
import { number, text } from './json.ts';

/** Kong's refusal of a request (4xx). Holds nothing of what was sent but names of fields. */
export interface Rejection {
  readonly status: number;
  /** Kong's error code (DB §8.1): 2 schema, 3 primary key, 4 foreign key, 5 unique, 13 unresolved, 19 referenced. */
  readonly code: number | undefined;
  /** Kong's error name, for instance `schema violation`. */
  readonly name: string;
  /** Dotted names of the fields that Kong complains about. */
  readonly fields: readonly string[];
  /** One line for people. Kong's own words only where they cannot repeat a secret. */
  readonly message: string;
}

/** Kong 3.9 error codes that the writer tells apart. */
export const PRIMARY_KEY_VIOLATION = 3;
export const FOREIGN_KEY_VIOLATION = 4;
export const UNIQUE_VIOLATION = 5;

/** Types whose fields are never secret, so that Kong's message, which repeats values, may be shown. */
const PLAIN: ReadonlySet<EntityType> = new Set([
  'routes',
  'services',
  'upstreams',
  'targets',
  'snis',
  'consumers',
  'ca_certificates',
]);

const LONGEST_MESSAGE = 240;

function fieldNames(fields: unknown, prefix: string): readonly string[] {
  if (!isRecord(fields)) return prefix === '' ? [] : [prefix];
  return Object.entries(fields).flatMap(([name, value]) => {
    const path = prefix === '' ? name : `${prefix}.${name}`;
    return isRecord(value) ? fieldNames(value, path) : [path];
  });
}

/** Reads Kong's error body. `data` is the parsed body, or whatever text came instead of JSON. */
export function rejection(type: EntityType, status: number, data: unknown): Rejection {
  const body = isRecord(data) ? data : {};
  const name = text(body.name) ?? `HTTP ${status}`;
  const fields = fieldNames(body.fields, '').toSorted();
  const own = text(body.message);
  const shown = own !== undefined && PLAIN.has(type) ? own.slice(0, LONGEST_MESSAGE) : undefined;
  const named = fields.length === 0 ? name : `${name} (${fields.join(', ')})`;
  return { status, code: number(body.code), name, fields, message: shown ?? named };
}

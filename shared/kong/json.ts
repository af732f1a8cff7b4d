import { isRecord } from '../json.ts';
import type { Body, Json } from './entities.ts';

/** Whether parsed JSON is an object: what `JSON.parse` gave holds nothing but JSON. */
export function isBody(value: unknown): value is Body {
  return isRecord(value);
}

/** A field of a JSON object as a string, or undefined. */
export function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** A field of a JSON object as a number, or undefined. */
export function number(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

/** The `id` of a foreign reference such as `{ "id": "…" }`. */
export function referenceId(value: Json | undefined): string | undefined {
  return isBody(value) ? text(value.id) : undefined;
}

import type { Json } from '../../../../shared/kong/entities.ts';

export type { Json } from '../../../../shared/kong/entities.ts';

export type JsonObject = { readonly [field: string]: Json };

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** The text as it came from outside. Throws SyntaxError. */
export function parseJson(source: string): Json {
  const value: Json = JSON.parse(source);
  return value;
}

/** The value at a path of fields, undefined when a part of it is missing or null. */
export function at(data: Json | undefined, path: readonly string[]): Json | undefined {
  let value = data;
  for (const field of path) value = isObject(value) ? value[field] : undefined;
  return value;
}

/** A copy with the value set at the path; objects on the way are made where they are missing. */
export function withValue(data: JsonObject, path: readonly string[], value: Json): JsonObject {
  const [field, ...rest] = path;
  if (field === undefined) return data;
  const inner = data[field];
  return { ...data, [field]: rest.length === 0 ? value : withValue(isObject(inner) ? inner : {}, rest, value) };
}

/** `changes` over `base`, objects field by field, anything else replaced. */
export function deepMerge(base: JsonObject, changes: JsonObject): JsonObject {
  const merged: Record<string, Json> = { ...base };
  for (const [field, value] of Object.entries(changes)) {
    const before = merged[field];
    merged[field] = isObject(before) && isObject(value) ? deepMerge(before, value) : value;
  }
  return merged;
}

/** A text field of an entity; `''` when it is null or missing. */
export function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** The id of a foreign field; `''` when it is not set. */
export function foreignId(value: Json | undefined): string {
  return isObject(value) ? text(value['id']) : '';
}

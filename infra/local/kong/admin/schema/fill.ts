import { at, deepMerge, isList, isObject, withValue } from '../json.ts';
import type { Json, JsonObject } from '../json.ts';
import type { Errors, Field, RecordSchema, Shorthands } from './types.ts';
import { validateField } from './validate.ts';

/** What filling needs from outside: times in seconds (or with milliseconds), ids and random texts. */
export interface Autos {
  readonly now: number;
  readonly uuid: () => string;
  readonly secret: () => string;
}

/** Data with every field of the schema: what was sent, else the default, else a made value, else null (Kong 3.9 insert and upsert). */
export function fill(schema: RecordSchema, data: JsonObject, autos: Autos): JsonObject {
  const filled: Record<string, Json> = { ...data };
  for (const [name, field] of Object.entries(schema.fields)) {
    filled[name] = fillField(name, field, data[name], autos);
  }
  return filled;
}

function fillField(name: string, field: Field, value: Json | undefined, autos: Autos): Json {
  if (name === 'updated_at' && field.auto === true) return timestamp(field, autos);
  if (name === 'created_at' && field.auto === true && (value === undefined || value === null)) {
    return timestamp(field, autos);
  }
  const given = value ?? (value === undefined ? missing(field, autos) : null);
  if (given === null) return null;
  if (isList(given)) return fillElements(field, given, autos);
  if (field.type === 'record' && field.fields !== undefined && isObject(given)) {
    return fill({ fields: field.fields, entity_checks: [] }, given, autos);
  }
  if (field.type === 'map' && field.values?.fields !== undefined && isObject(given)) {
    return Object.fromEntries(
      Object.entries(given).map(([key, item]) => [
        key,
        fillField(key, { ...field.values, type: 'record' }, item, autos),
      ]),
    );
  }
  return given;
}

function fillElements(field: Field, values: readonly Json[], autos: Autos): readonly Json[] {
  const { elements } = field;
  const filled = elements?.fields === undefined ? values : values.map((value) => fillField('', elements, value, autos));
  return field.type === 'set' ? unique(filled) : filled;
}

function missing(field: Field, autos: Autos): Json {
  if (field.auto === true && field.uuid === true) return autos.uuid();
  if (field.auto === true && field.type === 'string') return autos.secret();
  if (field.default !== undefined) return field.default;
  return field.type === 'record' && field.required === true ? {} : null;
}

function timestamp(field: Field, autos: Autos): number {
  return field.type === 'integer' ? Math.floor(autos.now) : autos.now;
}

function unique(values: readonly Json[]): readonly Json[] {
  const seen = new Set<string>();
  return values.filter((value) => {
    const key = JSON.stringify(value);
    return !seen.has(key) && seen.add(key);
  });
}

/** Data with its aliases replaced by what they stand for, or the errors that this finds. */
export function expandShorthands(
  shorthands: Shorthands | undefined,
  data: JsonObject,
): { readonly data: JsonObject; readonly errors?: Errors } {
  let expanded: JsonObject = data;
  const errors: Record<string, string> = {};
  for (const [name, shorthand] of Object.entries(shorthands ?? {})) {
    const value = data[name];
    if (value === undefined) continue;
    const error = validateField(shorthand.field, value) ?? mismatch(name, shorthand.replaced_with, data);
    if (error !== undefined) errors[name] = typeof error === 'string' ? error : 'invalid value';
    const { [name]: _alias, ...rest } = expanded;
    expanded = deepMerge(withoutNulls(shorthand.expand(value), rest), rest);
  }
  return Object.keys(errors).length === 0 ? { data: expanded } : { data: expanded, errors };
}

/** An explicit null of the new field counts as not set, so the alias decides there. */
function withoutNulls(expansion: JsonObject, rest: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(expansion).filter(([name]) => rest[name] === undefined || isObject(rest[name])),
  );
}

function mismatch(name: string, path: readonly string[] | undefined, data: JsonObject): string | undefined {
  if (path === undefined) return undefined;
  const other = at(data, path);
  if (other === undefined || other === null || other === data[name]) return undefined;
  return `both deprecated and new field are used but their values mismatch: ${name} = ${JSON.stringify(data[name])} vs ${path.join('.')} = ${JSON.stringify(other)}`;
}

/** Data as Kong shows it: with the aliases that it keeps showing. */
export function showShorthands(shorthands: Shorthands | undefined, data: JsonObject): JsonObject {
  let shown = data;
  for (const [name, { replaced_with: path }] of Object.entries(shorthands ?? {})) {
    if (path !== undefined) shown = withValue(shown, [name], at(data, path) ?? null);
  }
  return shown;
}

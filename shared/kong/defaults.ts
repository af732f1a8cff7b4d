import type { Body, Json } from './entities.ts';
import { isBody } from './json.ts';
import type { FieldSchema, Schema } from './schema.ts';

/** Deprecated plugin fields whose replacement the schema does not name, because Kong computes it (DB §4.5). */
const RENAMED: Readonly<Record<string, readonly string[]>> = {
  endpoint: ['traces_endpoint'],
  cookie_lifetime: ['rolling_timeout'],
  cookie_idletime: ['idling_timeout'],
  cookie_discard: ['stale_ttl'],
  cookie_samesite: ['cookie_same_site'],
  cookie_httponly: ['cookie_http_only'],
  cookie_persistent: ['remember'],
};

/** `path` in a record set to a value, unless something is there already. */
function withPath(record: Body, path: readonly string[], value: Json): Body {
  const [field, ...rest] = path;
  if (field === undefined) return record;
  const there = record[field];
  if (rest.length === 0) return there === undefined || there === null ? { ...record, [field]: value } : record;
  return { ...record, [field]: withPath(isBody(there) ? there : {}, rest, value) };
}

function replacementPaths(schema: Schema, field: string): readonly (readonly string[])[] {
  const named = schema.shorthands.get(field) ?? [];
  const renamed = RENAMED[field];
  return named.length > 0 || renamed === undefined ? named : [renamed];
}

/** Deprecated fields moved to those that replace them; a deprecated field that is also a real one stays. */
function withoutShorthands(schema: Schema, record: Body): Body {
  const deprecated = Object.keys(record).filter((field) => schema.shorthands.has(field) && !schema.fields.has(field));
  const kept: Body = Object.fromEntries(Object.entries(record).filter(([field]) => !deprecated.includes(field)));
  return deprecated.reduce((result, field) => {
    const value = record[field];
    if (value === undefined || value === null) return result;
    return replacementPaths(schema, field).reduce((body, path) => withPath(body, path, value), result);
  }, kept);
}

function filledItems(field: FieldSchema, value: Json): Json {
  const { elements } = field;
  if (elements === undefined) return value;
  if (Array.isArray(value)) return value.map((item: Json) => filled(elements, item) ?? null);
  if (!isBody(value) || field.type !== 'map') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, filled(elements, item) ?? null]));
}

function filled(field: FieldSchema, value: Json | undefined): Json | undefined {
  // A null is kept where the field may be empty; a required one is shown with its default (DB §4.4).
  const given = value === undefined || (value === null && field.required) ? field.default : value;
  if (field.record !== undefined) {
    const wanted = given === undefined && field.required ? {} : given;
    return isBody(wanted) ? withDefaults(field.record, wanted) : wanted;
  }
  return given === undefined || given === null ? given : filledItems(field, given);
}

/**
 * A record as Kong would store it (Kong 3.9 rules, DB §4.4–4.5): defaults of missing fields at every level, deprecated
 * fields under their new names. Fields that Kong makes up itself stay missing. Pure.
 */
export function withDefaults(schema: Schema, record: Body): Body {
  const body = withoutShorthands(schema, record);
  const defaults = [...schema.fields].flatMap(([name, field]): [string, Json][] => {
    const value = filled(field, body[name]);
    return value === undefined ? [] : [[name, value]];
  });
  return { ...body, ...Object.fromEntries(defaults) };
}

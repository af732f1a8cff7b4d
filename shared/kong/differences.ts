import { canonicalJson } from '../hash.ts';
import { withDefaults } from './defaults.ts';
import type { Body, Entity, Json } from './entities.ts';
import { isBody, referenceId } from './json.ts';
import { ignoredFields, normaliseActual, normaliseWanted } from './normalise.ts';
import type { FieldSchema, Schema } from './schema.ts';

/** Lua cannot tell an empty list from an empty map. */
function isEmpty(value: Json): boolean {
  return Array.isArray(value) ? value.length === 0 : isBody(value) && Object.keys(value).length === 0;
}

/** A record of a set: Kong shows every field of it, empty ones as null. */
function filled(item: Json): Json {
  if (!isBody(item)) return item;
  return Object.fromEntries(Object.entries(item).filter(([, value]) => value !== null));
}

function setText(items: readonly Json[]): string {
  return JSON.stringify([...new Set(items.map((item) => canonicalJson(filled(item))))].toSorted());
}

function inRecord(schema: Schema, wanted: Body, actual: Body): readonly string[] {
  const names = new Set([...schema.fields.keys(), ...Object.keys(wanted)]);
  return [...names].flatMap((name) => {
    const field = schema.fields.get(name);
    // Kong made this one up, and nobody asked for another.
    if (field?.auto === true && wanted[name] === undefined) return [];
    return inField(field, wanted[name], actual[name]).map((path) => (path === '' ? name : `${name}.${path}`));
  });
}

function inItems(field: FieldSchema, wanted: readonly Json[], actual: readonly Json[]): boolean {
  if (field.type === 'set') return setText(wanted) === setText(actual);
  return (
    wanted.length === actual.length && wanted.every((item, n) => inField(field.elements, item, actual[n]).length === 0)
  );
}

function inMap(field: FieldSchema, wanted: Body, actual: Body): boolean {
  const names = new Set([...Object.keys(wanted), ...Object.keys(actual)]);
  return [...names].every((name) => inField(field.elements, wanted[name], actual[name]).length === 0);
}

/** Without a schema only what is asked for counts: the rest is Kong's default. */
function asAsked(wanted: Json, actual: Json): boolean {
  if (!isBody(wanted) || !isBody(actual)) return canonicalJson(wanted) === canonicalJson(actual);
  return Object.entries(wanted).every(([name, value]) => inField(undefined, value, actual[name]).length === 0);
}

function same(field: FieldSchema | undefined, wanted: Json, actual: Json): boolean {
  if (isEmpty(wanted) && isEmpty(actual)) return true;
  if (field === undefined || field.type === 'record') return asAsked(wanted, actual);
  if (field.type === 'foreign') return referenceId(wanted) === referenceId(actual);
  if (Array.isArray(wanted) && Array.isArray(actual)) return inItems(field, wanted, actual);
  if (field.type === 'map' && isBody(wanted) && isBody(actual)) return inMap(field, wanted, actual);
  return canonicalJson(wanted) === canonicalJson(actual);
}

/** Paths below a field at which both differ; `['']` for the field itself. */
function inField(
  field: FieldSchema | undefined,
  wanted: Json | undefined,
  actual: Json | undefined,
): readonly string[] {
  const left = wanted ?? null;
  const right = actual ?? null;
  if (left === null && right === null) return [];
  const schema = field?.record;
  // A record whose fields only Kong knows (a vault's configuration): what is not asked for is its default.
  if (left === null && schema?.fields.size === 0) return [];
  if (left === null || right === null) return [''];
  if (schema !== undefined && schema.fields.size > 0 && isBody(left) && isBody(right)) {
    return inRecord(schema, left, right);
  }
  return same(field, left, right) ? [] : [''];
}

/**
 * Dotted names of the fields in which Kong's entity differs from what is wanted; none when a write would change
 * nothing. `actual` is what the Admin API shows; without a schema only the fields that are asked for count. Pure.
 */
export function differences(entity: Entity, actual: Body, schema: Schema | undefined): readonly string[] {
  const used = schema ?? { fields: new Map(), shorthands: new Map() };
  const wanted = withDefaults(used, normaliseWanted(entity, actual));
  const found = inRecord(used, wanted, normaliseActual(entity.type, actual));
  const ignored = new Set(['id', 'created_at', 'updated_at', ...ignoredFields(entity.type)]);
  return found.filter((path) => !ignored.has(path.split('.')[0] ?? '')).toSorted();
}

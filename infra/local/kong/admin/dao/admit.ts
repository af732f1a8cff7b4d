import { randomBytes, randomUUID } from 'node:crypto';
import { hashSecrets } from '../entities/consumers.ts';
import { references } from '../entities/definition.ts';
import type { Definition } from '../entities/definition.ts';
import type { Registry } from '../entities/index.ts';
import { deepMerge, isObject } from '../json.ts';
import type { Json, JsonObject } from '../json.ts';
import { mergeErrors } from '../schema/errors.ts';
import { expandShorthands, fill, showShorthands } from '../schema/fill.ts';
import type { Errors, RecordSchema } from '../schema/types.ts';
import { validateRecord } from '../schema/validate.ts';
import { foreignKeyUnresolved, schemaViolation } from './kong-error.ts';
import type { Store } from './store.ts';

/** The way of data from a request to a row: normal forms, aliases, references, defaults, validation. */
export interface Admission {
  readonly registry: Registry;
  readonly store: Store;
}

/** A complete, valid entity from what was sent (POST, PUT). Throws KongError 2 or 13. */
export async function admitNew(admission: Admission, definition: Definition, sent: JsonObject): Promise<JsonObject> {
  const resolved = await resolveReferences(admission, definition, normalise(admission, definition, sent));
  return complete(admission, definition, sent, resolved);
}

/** A complete, valid entity from one that is there and changes to it (PATCH). Throws KongError 2 or 13. */
export async function admitChange(
  admission: Admission,
  definition: Definition,
  current: JsonObject,
  sent: JsonObject,
): Promise<JsonObject> {
  const changes = normalise(admission, definition, sent, current);
  const resolved = await resolveReferences(admission, definition, changes);
  return complete(admission, definition, sent, mergeChanges(definition, current, resolved));
}

/** Checks data as a POST would, but against no row. Throws KongError 2. */
export function checkOnly(admission: Admission, definition: Definition, sent: JsonObject): void {
  complete(admission, definition, sent, normalise(admission, definition, sent));
}

/** An entity as the Admin API shows it. */
export function show(definition: Definition, registry: Registry, entity: JsonObject): JsonObject {
  const schema = schemaFor(definition, registry, entity);
  const shown = withRequiredDefaults(schema, entity);
  const { config } = shown;
  const shorthands = schema.fields['config']?.shorthand_fields;
  return isObject(config) && shorthands !== undefined
    ? { ...shown, config: showShorthands(shorthands, config) }
    : shown;
}

/** A null in a required field (a row older than the field) is shown as the default. */
function withRequiredDefaults(schema: RecordSchema, entity: JsonObject): JsonObject {
  const defaults = Object.entries(schema.fields).flatMap(([name, field]) =>
    field.required === true && field.default !== undefined && entity[name] === null
      ? [[name, field.default] as const]
      : [],
  );
  return defaults.length === 0 ? entity : { ...entity, ...Object.fromEntries(defaults) };
}

function schemaFor(definition: Definition, registry: Registry, data: JsonObject): RecordSchema {
  const resolved = definition.resolve?.(data, registry.context);
  return resolved !== undefined && 'schema' in resolved ? resolved.schema : definition;
}

function normalise(
  admission: Admission,
  definition: Definition,
  sent: JsonObject,
  current: JsonObject = {},
): JsonObject {
  const prepared = definition.prepare?.(sent) ?? { data: sent };
  if ('errors' in prepared) throw schemaViolation(prepared.errors);
  const top = expandShorthands(definition.shorthand_fields, prepared.data);
  const shorthands = schemaFor(definition, admission.registry, { ...current, ...top.data }).fields['config']
    ?.shorthand_fields;
  const { config } = top.data;
  const inner = isObject(config) ? expandShorthands(shorthands, config) : undefined;
  const errors = mergeErrors(top.errors ?? {}, inner?.errors === undefined ? {} : { config: inner.errors });
  if (Object.keys(errors).length > 0) throw schemaViolation(errors);
  return inner === undefined ? top.data : { ...top.data, config: inner.data };
}

function mergeChanges(definition: Definition, current: JsonObject, changes: JsonObject): JsonObject {
  const records = Object.entries(changes).filter(([name]) => definition.fields[name]?.type === 'record');
  return {
    ...current,
    ...changes,
    ...deepMerge(
      pick(
        current,
        records.map(([name]) => name),
      ),
      Object.fromEntries(records),
    ),
  };
}

function pick(data: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(names.flatMap((name) => (data[name] === undefined ? [] : [[name, data[name]]])));
}

/** References by a unique field other than the id become references by id. */
async function resolveReferences(admission: Admission, definition: Definition, data: JsonObject): Promise<JsonObject> {
  let resolved = data;
  for (const [field, schema] of references(definition)) {
    const value = data[field];
    const target = admission.registry.get(schema);
    if (!isObject(value) || value['id'] !== undefined || target === undefined) continue;
    const key = Object.keys(value).find((name) => target.fields[name]?.unique === true);
    const by = key === undefined ? undefined : value[key];
    if (key === undefined || typeof by !== 'string') continue;
    const found = await admission.store.first(target, { column: key, value: by });
    if (found === undefined) throw foreignKeyUnresolved(field, { [key]: by }, schema);
    resolved = { ...resolved, [field]: { id: found['id'] ?? null } };
  }
  return resolved;
}

const AUTOS = {
  uuid: () => randomUUID(),
  // 24 random bytes give the 32 characters of Kong's made keys and secrets.
  secret: () => randomBytes(24).toString('base64').replaceAll(/[+/]/g, 'x'),
};

function complete({ registry }: Admission, definition: Definition, sent: JsonObject, data: JsonObject): JsonObject {
  // The time to live is no field of the schema: Kong takes and shows it beside the others.
  const { ttl = null, ...others } = data;
  const fields = definition.ttl === true ? others : data;
  const resolved = definition.resolve?.(fields, registry.context) ?? { schema: definition };
  if ('errors' in resolved) throw schemaViolation(resolved.errors);
  const entity = fill(resolved.schema, fields, { ...AUTOS, now: Date.now() / 1000 });
  const errors = mergeErrors(validateRecord(resolved.schema, entity) ?? {}, ttlErrors(definition, ttl));
  if (Object.keys(errors).length > 0) throw schemaViolation(errors);
  const hashed = hashSecrets(definition, sent, entity);
  return definition.ttl === true ? { ...hashed, ttl } : hashed;
}

function ttlErrors(definition: Definition, ttl: Json): Errors {
  if (definition.ttl !== true || ttl === null) return {};
  const valid = typeof ttl === 'number' && Number.isInteger(ttl) && ttl >= 0 && ttl <= 100_000_000;
  return valid ? {} : { ttl: 'must be an integer between 0 and 100000000' };
}

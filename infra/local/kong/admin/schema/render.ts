import type { Json, JsonObject } from '../json.ts';
import type { EntityCheck, Field, Fields, RecordSchema, Shorthands } from './types.ts';

/** A schema in the form of Kong's `GET /schemas/…`: fields as a list of objects with one member each. Kong leaves out the aliases of entities. */
export function renderSchema(schema: RecordSchema): JsonObject {
  return {
    entity_checks: renderChecks(schema.entity_checks),
    fields: renderFields(schema.fields),
  };
}

function renderFields(fields: Fields): Json[] {
  return Object.entries(fields).map(([name, field]) => ({ [name]: renderField(field) }));
}

function renderField(field: Field): JsonObject {
  const { custom: _custom, fields, elements, keys, values, entity_checks, shorthand_fields, ...rest } = field;
  return {
    ...plain(rest),
    ...(fields === undefined ? {} : { fields: renderFields(fields) }),
    ...(elements === undefined ? {} : { elements: renderField(elements) }),
    ...(keys === undefined ? {} : { keys: renderField(keys) }),
    ...(values === undefined ? {} : { values: renderField(values) }),
    ...(entity_checks === undefined ? {} : { entity_checks: renderChecks(entity_checks) }),
    ...renderShorthands(shorthand_fields),
  };
}

function renderShorthands(shorthands: Shorthands | undefined): JsonObject {
  if (shorthands === undefined) return {};
  return {
    shorthand_fields: Object.entries(shorthands).map(([name, { field, replaced_with: path }]) => ({
      [name]: {
        ...renderField(field),
        ...(path === undefined ? {} : { deprecation: { replaced_with: [{ path: [...path] }] } }),
      },
    })),
  };
}

function renderChecks(checks: readonly EntityCheck[]): JsonObject[] {
  return checks.filter((check) => !('hidden' in check)).map(renderCheck);
}

function renderCheck(check: EntityCheck): JsonObject {
  if (!('custom' in check)) return plain(check);
  const { custom: _custom, ...rest } = check;
  return plain(rest);
}

/** Descriptions without functions are JSON as they stand. */
function plain(value: object): JsonObject {
  const copy: JsonObject = JSON.parse(JSON.stringify(value));
  return copy;
}

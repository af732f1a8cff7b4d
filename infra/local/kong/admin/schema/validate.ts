import { isList, isObject } from '../json.ts';
import type { Json, JsonObject } from '../json.ts';
import { checkEntity } from './checks.ts';
import type { ErrorNode, Errors, Field, RecordSchema } from './types.ts';
import { isUuid, restrictionError, typeError } from './validators.ts';

/** All that is wrong with filled data, by field; undefined when nothing is. */
export function validateRecord(schema: RecordSchema, data: JsonObject): Errors | undefined {
  const errors: Record<string, ErrorNode> = {};
  for (const [name, value] of Object.entries(data)) {
    const field = schema.fields[name];
    const error = field === undefined ? 'unknown field' : validateField(field, value);
    if (error !== undefined) errors[name] = error;
  }
  const all = schema.entity_checks.reduce<Errors>((found, check) => checkEntity(schema, check, data, found), errors);
  return Object.keys(all).length === 0 ? undefined : all;
}

/** What is wrong with one value. */
export function validateField(field: Field, value: Json): ErrorNode | undefined {
  if (value === null) {
    if (field.required === true) return 'required field missing';
    return field.eq === undefined || field.eq === null ? undefined : restrictionError(field, value);
  }
  if (isReference(field, value)) return undefined;
  // Checked before the type, as Kong does for fields that must be left out.
  if (field.eq === null) return field.err ?? 'value must be null';
  return (
    typeError(field.type, value) ?? inside(field, value) ?? restrictionError(field, value) ?? customError(field, value)
  );
}

/** What a vault will give is not known here. */
function isReference(field: Field, value: Json): boolean {
  return field.referenceable === true && typeof value === 'string' && /^\{vault:\/\/.+\}$/.test(value);
}

function customError(field: Field, value: Json): string | undefined {
  return typeof value === 'string' ? field.custom?.(value) : undefined;
}

function inside(field: Field, value: Json): ErrorNode | undefined {
  if (isList(value)) return field.elements === undefined ? undefined : validateElements(field.elements, value);
  if (!isObject(value)) return undefined;
  if (field.type === 'foreign') return validateForeign(value);
  if (field.type === 'map') return validateMap(field, value);
  if (field.type !== 'record' || field.fields === undefined) return undefined;
  return validateRecord({ fields: field.fields, entity_checks: field.entity_checks ?? [] }, value);
}

function validateElements(field: Field, values: readonly Json[]): ErrorNode | undefined {
  const errors = values.map((value) => validateField(field, value) ?? null);
  const last = errors.findLastIndex((error) => error !== null);
  return last < 0 ? undefined : errors.slice(0, last + 1);
}

function validateForeign(value: JsonObject): ErrorNode | undefined {
  const id = value['id'];
  if (id === undefined || id === null) return { id: 'required field missing' };
  return typeof id === 'string' && isUuid(id) ? undefined : { id: 'expected a valid UUID' };
}

function validateMap(field: Field, value: JsonObject): ErrorNode | undefined {
  const errors: Record<string, ErrorNode> = {};
  for (const [key, item] of Object.entries(value)) {
    const error =
      (field.keys === undefined ? undefined : validateField(field.keys, key)) ??
      (field.values === undefined ? undefined : validateField(field.values, item));
    if (error !== undefined) errors[key] = error;
  }
  if (Object.keys(errors).length > 0) return errors;
  if (field.len_min !== undefined && Object.keys(value).length < field.len_min) {
    return `length must be at least ${field.len_min}`;
  }
  return undefined;
}

import { isDeepStrictEqual } from 'node:util';
import { at } from '../json.ts';
import type { Json, JsonObject } from '../json.ts';
import type { Conditional, EntityCheck, ErrorNode, Errors, Field, Match, RecordSchema } from './types.ts';
import { isErrors, mergeErrors, withEntityError } from './errors.ts';
import { validateField } from './validate.ts';

/** The errors with those of one more check. A check whose fields are wrong already is left out, as Kong does. */
export function checkEntity(schema: RecordSchema, check: EntityCheck, data: JsonObject, errors: Errors): Errors {
  if (sources(check).some((path) => errorAt(errors, path) !== undefined)) return errors;
  if ('conditional' in check) return conditional(schema, check.conditional, data, errors);
  if ('custom_entity_check' in check) return mergeErrors(errors, check.custom(data) ?? {});
  const message = groupError(check, data);
  return message === undefined ? errors : withEntityError(errors, message);
}

type GroupCheck = Exclude<EntityCheck, { conditional: Conditional } | { custom_entity_check: unknown }>;

function sources(check: EntityCheck): readonly string[] {
  if ('conditional' in check) return [check.conditional.if_field, check.conditional.then_field];
  if ('custom_entity_check' in check) return check.custom_entity_check.field_sources;
  return names(check);
}

function names(check: GroupCheck): readonly string[] {
  if ('at_least_one_of' in check) return check.at_least_one_of;
  if ('only_one_of' in check) return check.only_one_of;
  if ('mutually_required' in check) return check.mutually_required;
  if ('mutually_exclusive' in check) return check.mutually_exclusive;
  return check.distinct;
}

function groupError(check: GroupCheck, data: JsonObject): string | undefined {
  const paths = names(check);
  const values = paths.map((path) => at(data, path.split('.')));
  const filled = values.filter((value) => isFilled(value)).length;
  const list = `'${paths.join("', '")}'`;
  if ('at_least_one_of' in check) {
    return filled > 0 ? undefined : `at least one of these fields must be non-empty: ${list}`;
  }
  if ('only_one_of' in check) return filled < 2 ? undefined : `only one of these fields must be non-empty: ${list}`;
  if ('mutually_required' in check) {
    return filled === 0 || filled === paths.length ? undefined : `all or none of these fields must be set: ${list}`;
  }
  if ('mutually_exclusive' in check) {
    return filled < 2 ? undefined : `only one or none of these fields must be set: ${list}`;
  }
  const set = values.filter((value) => isFilled(value));
  const same = set.some((value, i) => set.slice(i + 1).some((other) => isDeepStrictEqual(value, other)));
  return same ? `values of these fields must be distinct: ${list}` : undefined;
}

function isFilled(value: Json | undefined): boolean {
  if (value === undefined || value === null || value === '') return false;
  return typeof value !== 'object' || Object.keys(value).length > 0;
}

function conditional(schema: RecordSchema, check: Conditional, data: JsonObject, errors: Errors): Errors {
  const condition = at(data, check.if_field.split('.')) ?? null;
  if (condition === null || matchError(schema, check.if_field, check.if_match, condition) !== undefined) return errors;
  const value = at(data, check.then_field.split('.')) ?? null;
  const error = matchError(schema, check.then_field, check.then_match, value);
  if (error === undefined) return errors;
  const message = check.then_err ?? `failed conditional validation given value of field '${check.if_field}'`;
  return withEntityError(mergeErrors(errors, nested(check.then_field.split('.'), error)), message);
}

/** Only the check's own rules count here; those of the field were tried before. */
function matchError(schema: RecordSchema, path: string, rules: Match, value: Json): ErrorNode | undefined {
  const { elements, ...own } = rules;
  const type = fieldAt(schema, path.split('.'))?.type ?? 'json';
  const items: Partial<Field> = elements === undefined ? {} : { elements: { type: 'json', ...elements } };
  return validateField({ type, ...(type === 'string' ? { len_min: 0 } : {}), ...own, ...items }, value);
}

function fieldAt(schema: RecordSchema, path: readonly string[]): Field | undefined {
  const [name = '', ...rest] = path;
  const field = schema.fields[name];
  if (rest.length === 0 || field?.fields === undefined) return rest.length === 0 ? field : undefined;
  return fieldAt({ fields: field.fields, entity_checks: [] }, rest);
}

function errorAt(errors: Errors, path: string): ErrorNode | undefined {
  let node: ErrorNode | undefined = errors;
  for (const name of path.split('.')) {
    if (node === undefined || typeof node === 'string') return node;
    if (!isErrors(node)) return node;
    node = node[name];
  }
  return node;
}

function nested(path: readonly string[], error: ErrorNode): Errors {
  const [name = '', ...rest] = path;
  return { [name]: rest.length === 0 ? error : nested(rest, error) };
}

import { isList, isObject, text } from '../json.ts';
import type { Json, JsonObject } from '../json.ts';
import { isErrors } from '../schema/errors.ts';
import type { ErrorNode, Errors } from '../schema/types.ts';

/** An answer of Kong's Admin API that ends a request: `{ code, name, fields, message }` (Kong 3.9). */
export class KongError extends Error {
  readonly status: number;
  readonly body: JsonObject;

  constructor(status: number, body: JsonObject) {
    super(text(body['message']));
    this.name = 'KongError';
    this.status = status;
    this.body = body;
  }
}

export function schemaViolation(errors: Errors): KongError {
  const messages = flattenAt('', errors);
  const count = messages.length === 1 ? 'schema violation' : `${messages.length} schema violations`;
  const message = `${count} (${messages.join('; ')})`;
  return new KongError(400, { code: 2, name: 'schema violation', fields: toJson(errors), message });
}

export function primaryKeyViolation(id: string): KongError {
  const message = `primary key violation on key '${luaTable({ id })}'`;
  return new KongError(400, { code: 3, name: 'primary key violation', fields: { id }, message });
}

export function uniqueViolation(fields: JsonObject): KongError {
  const message = `UNIQUE violation detected on '${luaTable(fields)}'`;
  return new KongError(409, { code: 5, name: 'unique constraint violation', fields, message });
}

export function foreignKeyMissing(field: string, id: string, schema: string): KongError {
  const message = `the foreign key '${luaTable({ id })}' does not reference an existing '${schema}' entity.`;
  return new KongError(400, { code: 4, name: 'foreign key violation', fields: { [field]: { id } }, message });
}

export function stillReferenced(schema: string, by: string): KongError {
  const message = `an existing '${by}' entity references this '${schema}' entity`;
  return new KongError(400, { code: 4, name: 'foreign key violation', fields: { '@referenced_by': by }, message });
}

export function foreignKeyUnresolved(field: string, by: JsonObject, schema: string): KongError {
  const [key = 'id'] = Object.keys(by);
  const reason = `the foreign key cannot be resolved with '${luaTable(by)}' for an existing '${schema}' entity`;
  const message = `foreign key unresolved (${field}.${key}: ${reason})`;
  return new KongError(400, {
    code: 13,
    name: 'foreign keys unresolved',
    fields: { [field]: { [key]: reason } },
    message,
  });
}

export function entityNotFound(by: JsonObject): KongError {
  const message = `could not find the entity with primary key '${luaTable(by)}'`;
  return new KongError(404, { code: 6, name: 'not found', fields: by, message });
}

export function referencedByOthers(message: string): KongError {
  return new KongError(400, { code: 19, name: 'referenced by others', message });
}

export function invalidSize(message: string): KongError {
  return new KongError(400, { code: 9, name: 'invalid size', message });
}

export function invalidOffset(offset: string, reason: string): KongError {
  const message = `'${offset}' is not a valid offset: ${reason}`;
  return new KongError(400, { code: 7, name: 'invalid offset', message });
}

export function invalidOption(option: string, reason: string): KongError {
  const message = `invalid option (${option}: ${reason})`;
  return new KongError(400, { code: 11, name: 'invalid options', message, options: { [option]: reason } });
}

export function plainError(status: number, message: string): KongError {
  return new KongError(status, { message });
}

export function notFound(): KongError {
  return plainError(404, 'Not found');
}

/** One message a field, with its path; those about the whole entity stand alone. Sorted as Kong sorts. */
function flattenAt(prefix: string, errors: Errors): string[] {
  return Object.keys(errors)
    .toSorted()
    .flatMap((field) => messagesAt(`${prefix}${field}`, errors[field] ?? ''));
}

function messagesAt(path: string, node: ErrorNode): string[] {
  if (typeof node === 'string') return [`${path}: ${node}`];
  if (isErrors(node)) return flattenAt(`${path}.`, node);
  return node.flatMap((item, i) => {
    if (item === null) return [];
    return path.endsWith('@entity') && typeof item === 'string' ? [item] : messagesAt(`${path}.${i + 1}`, item);
  });
}

function toJson(errors: Errors): JsonObject {
  return Object.fromEntries(Object.entries(errors).map(([field, node]) => [field, nodeToJson(node)]));
}

function nodeToJson(node: ErrorNode | null): Json {
  if (node === null || typeof node === 'string') return node;
  return isErrors(node) ? toJson(node) : node.map(nodeToJson);
}

/** How Kong prints keys in messages: `{id="…",name=null}`. */
function luaTable(value: Json): string {
  if (isObject(value)) {
    const members = Object.keys(value).toSorted();
    return `{${members.map((name) => `${name}=${luaTable(value[name] ?? null)}`).join(',')}}`;
  }
  return isList(value) ? `{${value.map(luaTable).join(',')}}` : JSON.stringify(value);
}

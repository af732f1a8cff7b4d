import type { IncomingMessage } from 'node:http';
import { plainError } from '../dao/kong-error.ts';
import { isList, isObject, parseJson, withValue } from '../json.ts';
import type { Json, JsonObject } from '../json.ts';
import type { Fields } from '../schema/types.ts';

/** Kong's limit for Admin API bodies, bytes. */
const MAX_BYTES = 10 * 1024 * 1024;

/** The text of a request's body. Throws KongError 413 for more than Kong takes. */
export async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const part: Buffer = chunk;
    bytes += part.length;
    if (bytes <= MAX_BYTES) chunks.push(part);
  }
  if (bytes > MAX_BYTES) throw plainError(413, 'Request body too large');
  return Buffer.concat(chunks).toString();
}

/** Thrown for a body whose content type Kong does not read; the answer is an HTML page. */
export class UnsupportedMediaType extends Error {}

/** A body as fields: JSON, or a form whose values stay texts. Nothing sent is no fields. */
export async function parseBody(text: string, contentType: string): Promise<JsonObject> {
  if (text === '') return {};
  if (/^application\/([\w.-]+\+)?json\b/i.test(contentType)) return jsonFields(text);
  if (/^application\/x-www-form-urlencoded\b/i.test(contentType)) return formFields(new URLSearchParams(text));
  if (/^multipart\/form-data\b/i.test(contentType)) return multipartFields(text, contentType);
  throw new UnsupportedMediaType();
}

function jsonFields(text: string): JsonObject {
  const value = parsed(text);
  if (isList(value)) throw plainError(500, 'An unexpected error occurred');
  if (!isObject(value)) throw plainError(400, 'Cannot parse JSON body');
  return value;
}

function parsed(text: string): Json {
  try {
    return parseJson(text);
  } catch {
    throw plainError(400, 'Cannot parse JSON body');
  }
}

async function multipartFields(text: string, contentType: string): Promise<JsonObject> {
  const form = await new Response(text, { headers: { 'content-type': contentType } }).formData();
  const entries = [...form.entries()].flatMap(([name, value]) =>
    typeof value === 'string' ? [[name, value] as const] : [],
  );
  const fields = new URLSearchParams();
  for (const [name, value] of entries) fields.append(name, value);
  return formFields(fields);
}

/** `a.b=1` is a field of a record, `a[]=1` and `a[1]=1` are elements of a list. */
function formFields(form: URLSearchParams): JsonObject {
  let fields: JsonObject = {};
  for (const name of new Set(form.keys())) {
    const values = form.getAll(name);
    const path = name.replace(/\[\d*\]$/, '').split('.');
    const list = /\[\d*\]$/.test(name) || values.length > 1;
    const before = list ? listAt(fields, path) : [];
    fields = withValue(fields, path, list ? [...before, ...values] : (values[0] ?? ''));
  }
  return fields;
}

function listAt(fields: JsonObject, path: readonly string[]): readonly Json[] {
  let value: Json | undefined = fields;
  for (const part of path) value = isObject(value) ? value[part] : undefined;
  return isList(value) ? value : [];
}

/** Form texts as the types that the schema asks for; what is no such text stays, and is then refused. */
export function coerce(fields: Fields, data: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [name, coerceValue(fields, name, value)]));
}

function coerceValue(fields: Fields, name: string, value: Json): Json {
  const field = fields[name];
  if (field === undefined) return value;
  if (field.type === 'record' && field.fields !== undefined && isObject(value)) return coerce(field.fields, value);
  const { elements } = field;
  if (elements !== undefined) {
    const list = isList(value) ? value : [value];
    return list.map((item) => coerceValue({ item: elements }, 'item', item));
  }
  return typeof value === 'string' ? coerceText(field.type, value) : value;
}

function coerceText(type: string, value: string): Json {
  if (type === 'boolean' && (value === 'true' || value === 'false')) return value === 'true';
  if ((type === 'integer' || type === 'number') && value.trim() !== '' && !Number.isNaN(Number(value)))
    return Number(value);
  return value;
}

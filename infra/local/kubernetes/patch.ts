import { equal, isArray, isObject, textAt, without, type Json, type JsonObject } from './json.ts';
import { badRequest, StatusError } from './status.ts';

/** RFC 7396: objects merge, null removes, everything else replaces. */
export function mergePatch(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch;
  let result: JsonObject = isObject(target) ? target : {};
  for (const [field, value] of Object.entries(patch)) {
    result = value === null ? without(result, field) : { ...result, [field]: mergePatch(result[field], value) };
  }
  return result;
}

function failed(message: string): StatusError {
  return new StatusError(422, 'Invalid', `the server rejected our request due to an error in our request: ${message}`);
}

/** RFC 6901: the reference tokens of a pointer. */
function pointer(path: string): readonly string[] {
  if (path === '') return [];
  if (!path.startsWith('/')) throw failed(`the pointer ${JSON.stringify(path)} does not begin with /`);
  return path
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function index(list: readonly Json[], token: string, end: number): number {
  const position = token === '-' ? list.length : Number(token);
  if (!/^(-|0|[1-9]\d*)$/.test(token) || position > end) throw failed(`there is no list item ${JSON.stringify(token)}`);
  return position;
}

function read(document: Json, path: readonly string[]): Json {
  const [token, ...rest] = path;
  if (token === undefined) return document;
  const next = isArray(document)
    ? document[index(document, token, document.length - 1)]
    : isObject(document) && Object.hasOwn(document, token)
      ? document[token]
      : undefined;
  if (next === undefined) throw failed(`there is nothing at ${JSON.stringify(token)}`);
  return read(next, rest);
}

type Edit = { readonly kind: 'add' | 'replace'; readonly value: Json } | { readonly kind: 'remove' };

function editList(list: readonly Json[], token: string, edit: Edit): Json {
  const position = index(list, token, edit.kind === 'add' ? list.length : list.length - 1);
  return list.toSpliced(position, edit.kind === 'add' ? 0 : 1, ...(edit.kind === 'remove' ? [] : [edit.value]));
}

function write(document: Json, path: readonly string[], edit: Edit): Json {
  const [token, ...rest] = path;
  if (token === undefined) {
    if (edit.kind === 'remove') throw failed('the whole document cannot be removed');
    return edit.value;
  }
  if (rest.length > 0) {
    const child = write(read(document, [token]), rest, edit);
    if (isArray(document)) return document.with(Number(token), child);
    return isObject(document) ? { ...document, [token]: child } : document;
  }
  if (isArray(document)) return editList(document, token, edit);
  if (!isObject(document)) throw failed(`there is no object or list for ${JSON.stringify(token)}`);
  if (edit.kind !== 'add') read(document, path);
  return edit.kind === 'remove' ? without(document, token) : { ...document, [token]: edit.value };
}

function applyOperation(document: Json, operation: Json): Json {
  if (!isObject(operation)) throw badRequest('a JSON patch is a list of operations');
  const path = pointer(textAt(operation, 'path'));
  const value = operation['value'] ?? null;
  switch (operation['op']) {
    case 'add':
    case 'replace':
      return write(document, path, { kind: operation['op'], value });
    case 'remove':
      return write(document, path, { kind: 'remove' });
    case 'test':
      if (!equal(read(document, path), value)) throw failed(`testing value ${textAt(operation, 'path')} failed`);
      return document;
    case 'copy':
    case 'move': {
      const from = pointer(textAt(operation, 'from'));
      const moved = read(document, from);
      const base = operation['op'] === 'move' ? write(document, from, { kind: 'remove' }) : document;
      return write(base, path, { kind: 'add', value: moved });
    }
    default:
      throw badRequest(`unknown JSON patch operation ${JSON.stringify(operation['op'] ?? null)}`);
  }
}

/** RFC 6902. Throws a 422 Status when an operation does not fit the document, 400 when it is none. */
export function jsonPatch(document: Json, patch: Json): Json {
  if (!isArray(patch)) throw badRequest('a JSON patch is a list of operations');
  return patch.reduce(applyOperation, document);
}

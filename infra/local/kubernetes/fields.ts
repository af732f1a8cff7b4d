import { equal, isArray, isObject, type Json, type JsonObject } from './json.ts';
import { child, itemKey, listType } from './lists.ts';

/**
 * A set of fields as `metadata.managedFields[].fieldsV1` writes it: `f:<field>`, `k:<keys of a list item>`,
 * `v:<value of a set>` and `.` for the item itself; an empty object is a leaf.
 */
export type Fields = JsonObject;

export const LEAF: Fields = {};
const isLeaf = (fields: Fields): boolean => Object.keys(fields).length === 0;

/** A value's children by their names in a field set; undefined for a leaf. */
export function childrenOf(value: Json | undefined, kind: string, path: string): ReadonlyMap<string, Json> | undefined {
  if (isObject(value)) {
    const entries = Object.entries(value);
    return entries.length === 0 ? undefined : new Map(entries.map(([field, item]) => [`f:${field}`, item]));
  }
  if (!isArray(value) || value.length === 0) return undefined;
  const type = listType(kind, path);
  if (type === 'atomic') return undefined;
  if (type === 'set') return new Map(value.map((item) => [`v:${JSON.stringify(item)}`, item]));
  return new Map(value.map((item) => [`k:${JSON.stringify(itemKey(item, type) ?? {})}`, item]));
}

/** The path (for list types) of a child that `childrenOf` named. */
export function childPath(path: string, name: string): string {
  return name.startsWith('f:') ? child(path, name.slice(2)) : `${path}[]`;
}

/** Every field of a value. */
export function fieldsOf(value: Json, kind: string, path = ''): Fields {
  const children = childrenOf(value, kind, path);
  if (children === undefined) return LEAF;
  const fields = [...children].map(([name, item]): [string, Json] => [
    name,
    name.startsWith('v:') ? LEAF : fieldsOf(item, kind, childPath(path, name)),
  ]);
  return Object.fromEntries(isArray(value) && !fields[0]?.[0].startsWith('v:') ? fields.map(withSelf) : fields);
}

function withSelf([name, fields]: [string, Json]): [string, Json] {
  return [name, { '.': LEAF, ...(isObject(fields) ? fields : {}) }];
}

/** The fields of `current` that `previous` does not have or has with another value. */
export function changedFields(previous: Json | undefined, current: Json, kind: string, path = ''): Fields | undefined {
  if (equal(previous, current)) return undefined;
  const now = childrenOf(current, kind, path);
  const before = childrenOf(previous, kind, path);
  if (now === undefined || before === undefined) return fieldsOf(current, kind, path);
  const fields = [...now].flatMap(([name, item]): [string, Json][] => {
    const changed = changedFields(before.get(name), item, kind, childPath(path, name));
    if (changed === undefined) return [];
    return [before.has(name) || !name.startsWith('k:') ? [name, changed] : withSelf([name, changed])];
  });
  return fields.length === 0 ? undefined : Object.fromEntries(fields);
}

export function union(a: Fields, b: Fields): Fields {
  const result: Record<string, Json> = { ...a };
  for (const [name, fields] of Object.entries(b)) {
    const old = result[name];
    result[name] = isObject(old) && isObject(fields) ? union(old, fields) : fields;
  }
  return result;
}

/** What is in `a` and not in `b`; undefined when that is nothing. A leaf of `b` covers all below it. */
export function difference(a: Fields, b: Fields): Fields | undefined {
  if (isLeaf(a)) return undefined;
  const rest = Object.entries(a).flatMap(([name, fields]): [string, Json][] => {
    const other = b[name];
    if (!isObject(other) || !isObject(fields)) return [[name, fields]];
    if (isLeaf(other)) return [];
    const left = difference(fields, other);
    return left === undefined ? [] : [[name, left]];
  });
  return rest.length === 0 ? undefined : Object.fromEntries(rest);
}

/** What `fields` names and the value still has; undefined when that is nothing. */
export function present(fields: Fields, value: Json | undefined, kind: string, path = ''): Fields | undefined {
  if (value === undefined) return undefined;
  if (isLeaf(fields)) return fields;
  const children = childrenOf(value, kind, path);
  const kept = Object.entries(fields).flatMap(([name, below]): [string, Json][] => {
    if (name === '.') return [[name, below]];
    const left = isObject(below) ? present(below, children?.get(name), kind, childPath(path, name)) : undefined;
    return left === undefined ? [] : [[name, left]];
  });
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

/** Leaf fields that are in both sets and for which `differs` holds, as dotted paths for messages. */
export function overlap(
  a: Fields,
  b: Fields,
  differs: (path: readonly string[]) => boolean,
  path: readonly string[] = [],
): readonly string[] {
  return Object.entries(a).flatMap(([name, below]) => {
    const other = b[name];
    if (name === '.' || !isObject(below) || !isObject(other)) return [];
    const here = [...path, name];
    if (isLeaf(below) || isLeaf(other)) return differs(here) ? [display(here)] : [];
    return overlap(below, other, differs, here);
  });
}

function display(path: readonly string[]): string {
  return path
    .map((name) => (name.startsWith('f:') ? `.${name.slice(2)}` : `[${name.slice(2).replaceAll(/[{}]/g, '')}]`))
    .join('');
}

/** The value at a path of field set names. */
export function valueAt(value: Json | undefined, names: readonly string[], kind: string): Json | undefined {
  let current = value;
  let path = '';
  for (const name of names) {
    current = childrenOf(current, kind, path)?.get(name);
    path = childPath(path, name);
  }
  return current;
}

/** The value without these fields; objects and list items that lose everything go too. */
export function removeFields(value: Json, fields: Fields, kind: string, path = ''): Json | undefined {
  const children = childrenOf(value, kind, path);
  // A list item that nobody names any more goes whole, with what defaults added to it.
  if (isLeaf(fields) || '.' in fields || children === undefined) return undefined;
  const kept = [...children].flatMap(([name, item]): [string, Json][] => {
    const below = fields[name];
    const left = isObject(below) ? removeFields(item, below, kind, childPath(path, name)) : item;
    return left === undefined ? [] : [[name, left]];
  });
  if (kept.length === 0) return undefined;
  if (isArray(value)) return kept.map(([, item]) => item);
  return Object.fromEntries(kept.map(([name, item]) => [name.slice(2), item]));
}

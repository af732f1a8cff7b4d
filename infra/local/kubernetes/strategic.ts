import { equal, isArray, isObject, without, type Json, type JsonObject } from './json.ts';
import { child, itemKeyText, listType, mergeItems, type ListType } from './lists.ts';

const DELETE_FROM = '$deleteFromPrimitiveList/';
const ORDER = '$setElementOrder/';

/** Strategic merges tell items apart by one field, the first of the list's keys. */
function mergeKeys(type: ListType): readonly string[] | 'set' | 'atomic' {
  return typeof type === 'string' ? type : type.slice(0, 1);
}

/** An added object without directives and nulls. */
function plain(value: Json): Json {
  if (isArray(value)) return value.filter((item) => !(isObject(item) && '$patch' in item)).map(plain);
  if (!isObject(value)) return value;
  const fields = Object.entries(value).filter(([field, item]) => !field.startsWith('$') && item !== null);
  return Object.fromEntries(fields.map(([field, item]) => [field, plain(item)]));
}

function mergeKeyed(
  target: Json | undefined,
  patch: readonly Json[],
  keys: readonly string[],
  kind: string,
  path: string,
): Json {
  if (patch.some((item) => isObject(item) && item['$patch'] === 'replace')) return plain(patch);
  const dropped = patch.filter((item) => isObject(item) && item['$patch'] === 'delete');
  const gone = new Set(dropped.map((item) => itemKeyText(item, keys)));
  const kept = isArray(target) ? target.filter((item) => !gone.has(itemKeyText(item, keys))) : [];
  const added = patch.filter((item) => !dropped.includes(item));
  const merged = mergeItems(kept, added, keys, (old, item) => strategicMerge(old, item, kind, `${path}[]`));
  return merged.map((item) => (added.includes(item) ? plain(item) : item));
}

function mergeList(target: Json | undefined, patch: readonly Json[], kind: string, path: string): Json {
  const keys = mergeKeys(listType(kind, path));
  if (keys === 'atomic') return plain(patch);
  if (keys !== 'set') return mergeKeyed(target, patch, keys, kind, path);
  const old = isArray(target) ? target : [];
  return [...old, ...patch.filter((item) => !old.some((other) => equal(other, item)))];
}

function keyText(item: Json, keys: readonly string[] | 'set'): string {
  return keys === 'set' ? JSON.stringify(item) : itemKeyText(item, keys);
}

/**
 * The order of a merged list: the items that the patch names in its order, between the others in theirs. An item that
 * was there before keeps its side of its neighbours, a new one goes before what is left.
 */
function ordered(
  list: readonly Json[],
  before: readonly Json[],
  order: readonly Json[],
  keys: readonly string[] | 'set',
): readonly Json[] {
  const wanted = new Map(order.map((item, index) => [keyText(item, keys), index]));
  const place = new Map(before.map((item, index) => [keyText(item, keys), index]));
  const rank = (item: Json): number => wanted.get(keyText(item, keys)) ?? -1;
  const named = list.filter((item) => rank(item) >= 0).toSorted((a, b) => rank(a) - rank(b));
  const others = list.filter((item) => rank(item) < 0);
  const result: Json[] = [];
  for (const item of named) {
    const own = place.get(keyText(item, keys)) ?? -1;
    while (others[0] !== undefined && (place.get(keyText(others[0], keys)) ?? 0) < own)
      result.push(...others.splice(0, 1));
    result.push(item);
  }
  return [...result, ...others];
}

/** Orders the lists with keys that a patch touched, by its directive or by the patch itself. */
function reorder(target: JsonObject, result: JsonObject, patch: JsonObject, kind: string, path: string): JsonObject {
  let sorted = result;
  for (const [field, list] of Object.entries(result)) {
    const keys = mergeKeys(listType(kind, child(path, field)));
    const directive = patch[`${ORDER}${field}`];
    const order = directive ?? (keys === 'set' ? undefined : patch[field]);
    const before = target[field];
    if (keys === 'atomic' || !isArray(list) || !isArray(order)) continue;
    sorted = { ...sorted, [field]: ordered(list, isArray(before) ? before : [], order, keys) };
  }
  return sorted;
}

function mergeField(result: JsonObject, field: string, value: Json, kind: string, path: string): JsonObject {
  if (field.startsWith(DELETE_FROM)) {
    const name = field.slice(DELETE_FROM.length);
    const old = result[name];
    const gone = isArray(value) ? value : [];
    return isArray(old) ? { ...result, [name]: old.filter((item) => !gone.includes(item)) } : result;
  }
  if (field.startsWith('$')) return result;
  if (value === null) return without(result, field);
  return { ...result, [field]: strategicMerge(result[field], value, kind, child(path, field)) };
}

/**
 * Strategic merge patch: as a merge patch, but lists with keys merge item by item (`lists.ts`), and the directives
 * `$patch` (delete, replace), `$deleteFromPrimitiveList`, `$setElementOrder` and `$retainKeys` are obeyed.
 */
export function strategicMerge(target: Json | undefined, patch: Json, kind: string, path = ''): Json {
  if (isArray(patch)) return mergeList(target, patch, kind, path);
  if (!isObject(patch)) return patch;
  if (patch['$patch'] === 'delete') return {};
  if (patch['$patch'] === 'replace' || !isObject(target)) return plain(patch);
  const retained = patch['$retainKeys'];
  const dropped = isArray(retained) ? Object.keys(target).filter((field) => !retained.includes(field)) : [];
  let result = without(target, ...dropped);
  for (const [field, value] of Object.entries(patch)) result = mergeField(result, field, value, kind, path);
  return reorder(target, result, patch, kind, path);
}

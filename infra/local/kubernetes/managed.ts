import {
  at,
  equal,
  isArray,
  isObject,
  listAt,
  objectAt,
  textAt,
  withAt,
  without,
  type Json,
  type JsonObject,
} from './json.ts';
import {
  changedFields,
  difference,
  fieldsOf,
  overlap,
  present,
  removeFields,
  union,
  valueAt,
  type Fields,
} from './fields.ts';
import { child, listType, mergeItems } from './lists.ts';
import { applyConflict, type Cause } from './status.ts';

/** Who writes: the field manager, the version it writes in, the subresource and when (RFC 3339). */
export interface Writer {
  readonly manager: string;
  readonly apiVersion: string;
  readonly subresource: string;
  readonly time: string;
}

interface Owner {
  readonly entry: JsonObject;
  readonly fields: Fields;
}

function owners(object: JsonObject): readonly Owner[] {
  return listAt(object, 'metadata', 'managedFields')
    .filter(isObject)
    .map((entry) => ({ entry, fields: objectAt(entry, 'fieldsV1') }));
}

function entryOf(writer: Writer, operation: 'Apply' | 'Update'): JsonObject {
  return {
    manager: writer.manager,
    operation,
    apiVersion: writer.apiVersion,
    time: writer.time,
    fieldsType: 'FieldsV1',
    ...(writer.subresource === '' ? {} : { subresource: writer.subresource }),
  };
}

function isOwner(owner: Owner, writer: Writer, operation: string): boolean {
  const { entry } = owner;
  return (
    textAt(entry, 'manager') === writer.manager &&
    textAt(entry, 'operation') === operation &&
    textAt(entry, 'subresource') === writer.subresource
  );
}

const SERVER_SET = [
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'generation',
  'managedFields',
  'name',
  'namespace',
  'resourceVersion',
  'selfLink',
  'uid',
  'generateName',
];

/** The part of an object whose fields can have managers. */
function manageable(object: JsonObject): JsonObject {
  const rest = without(object, 'apiVersion', 'kind');
  const metadata = without(objectAt(object, 'metadata'), ...SERVER_SET);
  return Object.keys(metadata).length === 0 ? without(rest, 'metadata') : { ...rest, metadata };
}

function withOwners(object: JsonObject, list: readonly Owner[]): JsonObject {
  const entries = list.map(({ entry, fields }): Json => ({ ...entry, fieldsV1: fields }));
  return withAt(object, ['metadata', 'managedFields'], entries.length === 0 ? undefined : entries);
}

/** Sets `managedFields` after a create, update or patch: what changed belongs to the writer, what is gone to nobody. */
export function afterUpdate(previous: JsonObject | undefined, current: JsonObject, writer: Writer): JsonObject {
  const asked = at(current, 'metadata', 'managedFields');
  // An empty list, and a client that rewrites the list (kubectl's migration to server-side apply does), are obeyed.
  const rewritten =
    previous !== undefined && isArray(asked) && !equal(asked, at(previous, 'metadata', 'managedFields'));
  const kind = textAt(current, 'kind');
  const now = manageable(current);
  const before = previous === undefined ? undefined : manageable(previous);
  const changed = changedFields(before, now, kind);
  const base = rewritten || previous === undefined ? current : previous;
  if (changed === undefined) return withOwners(current, owners(base));
  const others = owners(base).flatMap((owner) => {
    if (isOwner(owner, writer, 'Update')) return [];
    const rest = difference(owner.fields, changed);
    const left = rest === undefined ? undefined : present(rest, now, kind);
    return left === undefined ? [] : [{ entry: owner.entry, fields: left }];
  });
  const own = owners(base).find((owner) => isOwner(owner, writer, 'Update'));
  const kept = own === undefined ? undefined : present(own.fields, now, kind);
  const fields = kept === undefined ? changed : union(kept, changed);
  return withOwners(current, [...others, { entry: entryOf(writer, 'Update'), fields }]);
}

function mergeApplied(live: Json | undefined, applied: Json, kind: string, path = ''): Json {
  if (isObject(applied)) {
    let result: JsonObject = isObject(live) ? live : {};
    for (const [field, value] of Object.entries(applied)) {
      result = { ...result, [field]: mergeApplied(result[field], value, kind, child(path, field)) };
    }
    return result;
  }
  const type = listType(kind, path);
  if (!isArray(applied) || type === 'atomic') return applied;
  const keys = type === 'set' ? [] : type;
  return mergeItems(live, applied, keys, (old, item) => mergeApplied(old, item, kind, `${path}[]`));
}

/** Values that others own and that the apply would change. */
function conflicts(live: JsonObject, applied: JsonObject, fields: Fields, others: readonly Owner[]): readonly Cause[] {
  const kind = textAt(live, 'kind');
  const differs = (path: readonly string[]): boolean => !equal(valueAt(live, path, kind), valueAt(applied, path, kind));
  return others.flatMap((owner) =>
    overlap(fields, owner.fields, differs).map((field) => ({
      reason: 'FieldManagerConflict',
      message: `conflict with ${JSON.stringify(textAt(owner.entry, 'manager'))}`,
      field,
    })),
  );
}

/**
 * Server-side apply: merges the applied object into the live one, removes what the same manager applied before and no
 * longer does, and sets `managedFields`. Throws a 409 Status when it would change what others own, unless forced.
 */
export function serverSideApply(
  live: JsonObject | undefined,
  applied: JsonObject,
  writer: Writer,
  force: boolean,
): JsonObject {
  const kind = textAt(applied, 'kind');
  const base = live ?? { apiVersion: writer.apiVersion, kind };
  const wanted = manageable(applied);
  const fields = fieldsOf(wanted, kind);
  const known = owners(base);
  const own = known.find((owner) => isOwner(owner, writer, 'Apply'));
  const others = known.filter((owner) => owner !== own);
  const found = force ? [] : conflicts(base, wanted, fields, others);
  if (found.length > 0) throw applyConflict(found);
  const elsewhere = others.reduce((all, owner) => union(all, owner.fields), fields);
  const gone = own === undefined ? undefined : difference(own.fields, elsewhere);
  const rest = gone === undefined ? base : removeFields(base, gone, kind);
  const merged = mergeApplied(rest, without(applied, 'apiVersion'), kind);
  const left = others.flatMap((owner) => shared(owner, base, wanted, kind));
  const result = { ...(isObject(merged) ? merged : {}), apiVersion: writer.apiVersion };
  return withOwners(result, [...left, { entry: entryOf(writer, 'Apply'), fields }]);
}

/** What another owner keeps after an apply: everything that the apply did not change. */
function shared(owner: Owner, live: JsonObject, applied: JsonObject, kind: string): readonly Owner[] {
  const before = manageable(live);
  const after = mergeApplied(before, applied, kind);
  const changed = changedFields(before, after, kind);
  const fields = changed === undefined ? owner.fields : difference(owner.fields, changed);
  return fields === undefined ? [] : [{ entry: owner.entry, fields }];
}

import { randomUUID } from 'node:crypto';
import { apiVersion, storage, type Call } from './call.ts';
import { metadataOnly, servedJson, toServed } from './convert.ts';
import { objectAt, textAt, type Json, type JsonObject } from './json.ts';
import type { Representation } from './request.ts';
import {
  matchesFields,
  matchesLabels,
  parseFieldSelector,
  parseLabelSelector,
  type FieldRequirement,
  type Requirement,
} from './selectors.ts';
import { badRequest, expired, notFound } from './status.ts';
import { INDEXED_LABEL, type Stored } from './store.ts';
import { table } from './table.ts';

/** What a list, watch or deletecollection is about. */
export interface Selection {
  readonly labels: readonly Requirement[];
  readonly fields: readonly FieldRequirement[];
}

/** The selectors of a request; a name in the path selects as `metadata.name` does. Throws a 400 Status. */
export function selection(call: Call): Selection {
  const fields = parseFieldSelector(call.query.get('fieldSelector') ?? '', call.resource.fields);
  const named = call.path.name === '' ? [] : [{ field: 'metadata.name', equals: true, value: call.path.name }];
  return { labels: parseLabelSelector(call.query.get('labelSelector') ?? ''), fields: [...fields, ...named] };
}

export function matches(call: Call, chosen: Selection, stored: Stored): boolean {
  if (call.path.namespace !== '' && stored.namespace !== call.path.namespace) return false;
  if (!matchesLabels(objectAt(stored.object, 'metadata', 'labels'), chosen.labels)) return false;
  return (
    chosen.fields.length === 0 ||
    matchesFields(toServed(call.resource, call.path.version, stored.object), chosen.fields)
  );
}

/** The one value that the selectors demand of a field or the indexed label; undefined without such a demand. */
function demanded(chosen: Selection): { readonly name?: string; readonly label?: string } {
  const name = chosen.fields.find(({ field, equals }) => field === 'metadata.name' && equals)?.value;
  const label = chosen.labels.find((item) => item.key === INDEXED_LABEL && item.operator === 'in');
  const value = label !== undefined && 'values' in label && label.values.length === 1 ? label.values[0] : undefined;
  return { ...(name === undefined ? {} : { name }), ...(value === undefined || value === '' ? {} : { label: value }) };
}

/** Every object that the request's selectors choose, sorted by namespace and name. */
export function select(call: Call, chosen: Selection): readonly Stored[] {
  const { store } = call.cluster;
  const namespace = call.resource.namespaced && call.path.namespace !== '' ? call.path.namespace : undefined;
  const { name, label } = demanded(chosen);
  const scoped = namespace !== undefined || !call.resource.namespaced;
  if (scoped && name !== undefined) {
    const found = store.get(storage(call), namespace ?? '', name);
    return found !== undefined && matches(call, chosen, found) ? [found] : [];
  }
  const candidates =
    namespace !== undefined && label !== undefined
      ? store.listByLabel(storage(call), namespace, label)
      : store.list(storage(call), namespace);
  if (chosen.labels.length === 0 && chosen.fields.length === 0) return candidates;
  return candidates.filter((stored) => matches(call, chosen, stored));
}

interface Snapshot {
  readonly resourceVersion: number;
  readonly items: readonly Stored[];
}

const SNAPSHOTS = 200;

/** Lists that clients are in the middle of: later pages show the same state as the first, as a real server's do. */
export class Snapshots {
  readonly #kept = new Map<string, Snapshot>();

  keep(snapshot: Snapshot): string {
    const id = randomUUID();
    this.#kept.set(id, snapshot);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > SNAPSHOTS && oldest !== undefined) this.#kept.delete(oldest);
    return id;
  }

  get(id: string): Snapshot | undefined {
    return this.#kept.get(id);
  }
}

interface Page extends Snapshot {
  readonly continueToken: string;
  readonly remaining: number;
}

function limitOf(call: Call): number {
  const limit = Number(call.query.get('limit') ?? 0);
  if (!Number.isInteger(limit) || limit < 0) throw badRequest('limit must be a whole number');
  return limit === 0 ? Infinity : Math.min(limit, call.cluster.pageLimit ?? Infinity);
}

/** The state that a list shows and where in it the page begins. Throws a 410 Status for a token no longer known. */
function resume(
  call: Call,
  snapshots: Snapshots,
  chosen: Selection,
): Snapshot & { readonly id: string; readonly start: number } {
  const token = call.query.get('continue') ?? '';
  if (token === '') {
    const { resourceVersion } = call.cluster.store;
    return { id: '', start: 0, resourceVersion, items: select(call, chosen) };
  }
  const [id = '', start] = Buffer.from(token, 'base64url').toString('utf8').split(' ');
  const known = snapshots.get(id);
  if (known === undefined) {
    throw expired(
      'The provided continue parameter is too old to display a consistent list result. You must start a new list without the continue parameter.',
    );
  }
  return { ...known, id, start: Number(start) };
}

function page(call: Call, snapshots: Snapshots): Page {
  const limit = limitOf(call);
  const { id, start, resourceVersion, items } = resume(call, snapshots, selection(call));
  const end = Math.min(items.length, start + limit);
  const part = start === 0 && end === items.length ? items : items.slice(start, end);
  const remaining = items.length - end;
  if (remaining === 0) return { resourceVersion, items: part, continueToken: '', remaining };
  const kept = id === '' ? snapshots.keep({ resourceVersion, items }) : id;
  return {
    resourceVersion,
    items: part,
    continueToken: Buffer.from(`${kept} ${end}`).toString('base64url'),
    remaining,
  };
}

/** A list as JSON text in the form that the client accepts. Throws 400 and 410 Statuses. */
export function list(call: Call, form: Representation, snapshots: Snapshots): string {
  const { resourceVersion, items, continueToken, remaining } = page(call, snapshots);
  const selecting = call.query.has('labelSelector') || call.query.has('fieldSelector');
  const metadata: JsonObject = {
    resourceVersion: String(resourceVersion),
    ...(continueToken === ''
      ? {}
      : { continue: continueToken, ...(selecting ? {} : { remainingItemCount: remaining }) }),
  };
  const { resource, path } = call;
  const objects = (): JsonObject[] => items.map((stored) => toServed(resource, path.version, stored.object));
  if (form === 'table') {
    return JSON.stringify(table(resource, objects(), metadata, include(call), call.cluster.now().getTime()));
  }
  if (form === 'metadata') {
    const head = { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata };
    return JSON.stringify({ ...head, items: objects().map((object): Json => metadataOnly(object)) });
  }
  const head = JSON.stringify({ kind: `${resource.kind}List`, apiVersion: apiVersion(call), metadata });
  return `${head.slice(0, -1)},"items":[${items.map((stored) => servedJson(resource, path.version, stored)).join(',')}]}`;
}

export function include(call: Call): string {
  return call.query.get('includeObject') ?? 'Metadata';
}

/** One object as JSON text in the form that the client accepts. */
export function shown(call: Call, form: Representation, stored: Stored): string {
  const { resource, path } = call;
  if (form === 'object') return servedJson(resource, path.version, stored);
  const object = toServed(resource, path.version, stored.object);
  if (form === 'metadata') return JSON.stringify(metadataOnly(object));
  const version = textAt(object, 'metadata', 'resourceVersion');
  return JSON.stringify(
    table(resource, [object], { resourceVersion: version }, include(call), call.cluster.now().getTime()),
  );
}

/** GET of one object. Throws a 404 Status. */
export function get(call: Call): Stored {
  const stored = call.cluster.store.get(storage(call), call.path.namespace, call.path.name);
  if (stored === undefined) throw notFound(call.resource, call.path.name);
  return stored;
}

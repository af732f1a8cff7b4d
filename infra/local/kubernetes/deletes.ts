import { apiVersion, isDryRun, storage, timestamp, type Call, type Cluster } from './call.ts';
import { toServed } from './convert.ts';
import { listAt, textAt, withAt, type Json, type JsonObject } from './json.ts';
import { storageOf } from './resources.ts';
import { conflict, deleted, notFound } from './status.ts';
import type { Stored } from './store.ts';

const NAMESPACES = '/namespaces';
const DEFINITIONS = 'apiextensions.k8s.io/customresourcedefinitions';

function isTerminating(object: JsonObject): boolean {
  return textAt(object, 'metadata', 'deletionTimestamp') !== '';
}

/** Stores a changed object, or removes it when it was only waiting for its last finalizer. */
export function settle(cluster: Cluster, key: string, object: JsonObject): Stored {
  const stored = cluster.store.get(key, textAt(object, 'metadata', 'namespace'), textAt(object, 'metadata', 'name'));
  const last = isTerminating(object) && listAt(object, 'metadata', 'finalizers').length === 0;
  if (!last || stored === undefined || key === NAMESPACES) return cluster.store.put(key, object);
  const removed = cluster.store.remove(key, stored);
  finish(cluster, removed.namespace);
  return removed;
}

/** Removes a terminating namespace once nothing is in it. */
function finish(cluster: Cluster, namespace: string): void {
  const stored = cluster.store.get(NAMESPACES, '', namespace);
  if (stored === undefined || !isTerminating(stored.object)) return;
  const waits = listAt(stored.object, 'metadata', 'finalizers').length > 0;
  const empty = cluster.store.storages().every((key) => cluster.store.list(key, namespace).length === 0);
  if (empty && !waits) cluster.store.remove(NAMESPACES, stored);
}

function terminate(cluster: Cluster, key: string, stored: Stored): Stored {
  if (isTerminating(stored.object)) return stored;
  const dated = withAt(stored.object, ['metadata', 'deletionTimestamp'], timestamp(cluster));
  const object = withAt(dated, ['metadata', 'deletionGracePeriodSeconds'], 0);
  return cluster.store.put(key, key === NAMESPACES ? withAt(object, ['status', 'phase'], 'Terminating') : object);
}

/** Empties a terminating namespace and removes it, unless finalizers hold something in it. */
function purge(cluster: Cluster, namespace: string): void {
  for (const key of cluster.store.storages()) {
    for (const item of cluster.store.list(key, namespace)) discard(cluster, key, item);
  }
  finish(cluster, namespace);
}

/** Goes on with the namespaces whose deletion an earlier run of the server began. */
export function resumePurges(cluster: Cluster): void {
  for (const stored of cluster.store.list(NAMESPACES)) {
    if (isTerminating(stored.object)) cluster.defer(() => purge(cluster, stored.name));
  }
}

/**
 * Deletes an object and, with a definition, its objects. A namespace is emptied a moment later, as its controller
 * does it: `kubectl delete -f` of a namespace and what is in it relies on that.
 */
function discard(cluster: Cluster, key: string, stored: Stored): Stored {
  if (key === NAMESPACES) {
    const marked = terminate(cluster, key, stored);
    cluster.defer(() => purge(cluster, stored.name));
    return marked;
  }
  if (key === DEFINITIONS) {
    const own = storageOf({
      group: textAt(stored.object, 'spec', 'group'),
      plural: textAt(stored.object, 'spec', 'names', 'plural'),
    });
    for (const item of cluster.store.list(own)) discard(cluster, own, item);
  }
  if (listAt(stored.object, 'metadata', 'finalizers').length > 0) return terminate(cluster, key, stored);
  const removed = cluster.store.remove(key, stored);
  if (removed.namespace !== '') finish(cluster, removed.namespace);
  return removed;
}

function checkPreconditions(call: Call, options: Json, stored: Stored): void {
  const uid = textAt(options, 'preconditions', 'uid');
  const version = textAt(options, 'preconditions', 'resourceVersion');
  const present = textAt(stored.object, 'metadata', 'uid');
  if (uid !== '' && uid !== present) {
    throw conflict(
      call.resource,
      stored.name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${present}`,
    );
  }
  if (version !== '' && version !== String(stored.resourceVersion)) {
    throw conflict(
      call.resource,
      stored.name,
      `Precondition failed: ResourceVersion in precondition: ${version}, ResourceVersion in object meta: ${stored.resourceVersion}`,
    );
  }
}

/** Deletes one object after admission. Gives the object as it was removed, or as it waits for finalizers. */
export async function removeOne(call: Call, stored: Stored, options: Json): Promise<{ stored: Stored; gone: boolean }> {
  const { cluster, resource, path } = call;
  const dryRun = isDryRun(call) || listAt(options, 'dryRun').includes('All');
  checkPreconditions(call, options, stored);
  const warnings = await cluster.admission.admit({
    resource,
    version: path.version,
    subresource: '',
    namespace: stored.namespace,
    name: stored.name,
    operation: 'DELETE',
    object: null,
    oldObject: toServed(resource, path.version, stored.object),
    user: call.user,
    dryRun,
  });
  call.warnings.push(...warnings);
  const present = cluster.store.get(storage(call), stored.namespace, stored.name);
  if (present === undefined || textAt(present.object, 'metadata', 'uid') !== textAt(stored.object, 'metadata', 'uid')) {
    throw notFound(resource, stored.name);
  }
  if (dryRun) return { stored: present, gone: true };
  const result = discard(cluster, storage(call), present);
  return { stored: result, gone: cluster.store.get(storage(call), stored.namespace, stored.name) === undefined };
}

/** DELETE of one object: a Status when it is gone, the object while finalizers hold it. */
export async function remove(call: Call, options: Json): Promise<JsonObject> {
  const { cluster, resource, path } = call;
  const stored = cluster.store.get(storage(call), path.namespace, path.name);
  if (stored === undefined) throw notFound(resource, path.name);
  const result = await removeOne(call, stored, options);
  if (!result.gone) return toServed(resource, path.version, result.stored.object);
  return deleted(resource, path.name, textAt(stored.object, 'metadata', 'uid'));
}

/** DELETE of a collection: every object that the selectors of the request chose. */
export async function removeAll(call: Call, chosen: readonly Stored[], options: Json): Promise<JsonObject> {
  const items: Json[] = [];
  for (const stored of chosen) {
    const result = await removeOne(call, stored, options);
    items.push(toServed(call.resource, call.path.version, result.stored.object));
  }
  return {
    kind: `${call.resource.kind}List`,
    apiVersion: apiVersion(call),
    metadata: { resourceVersion: String(call.cluster.store.resourceVersion) },
    items,
  };
}

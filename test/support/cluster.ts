import { AppError } from '../../shared/errors.ts';
import type { ChangeEvent } from '../../shared/events.ts';
import { refOf } from '../../shared/findings.ts';
import type { KubernetesClient } from '../../shared/kubernetes/client.ts';
import { keyOf, objectKey, type Key } from '../../shared/kubernetes/keys.ts';
import type { KubernetesObject } from '../../shared/kubernetes/resources.ts';

/** A cluster in memory, as far as slices read one. */
export interface MemoryCluster {
  readonly client: Pick<KubernetesClient, 'get' | 'list' | 'requests'>;
  /** Stores an object under a new resourceVersion and gives the event that a sender would publish. */
  put(object: KubernetesObject): ChangeEvent;
  remove(kind: string, namespace: string, name: string): ChangeEvent;
  objects(): readonly KubernetesObject[];
  get(key: Key): KubernetesObject | undefined;
  /** Called before every request; throws to make it fail. */
  onRequest: (key: string) => void | Promise<void>;
}

/** Under what a list may look for an object: its kind, and its kind with each of its labels. */
function shelvesOf({ kind, metadata }: KubernetesObject): readonly string[] {
  return [kind, ...Object.entries(metadata.labels ?? {}).map(([label, value]) => `${kind} ${label}=${value}`)];
}

/** An empty cluster. */
export function memoryCluster(name = 'default'): MemoryCluster {
  const stored = new Map<Key, KubernetesObject>();
  // A list must not cost more among 100,000 other objects: what is measured is the slice, not this.
  const shelves = new Map<string, Set<Key>>();
  const shelve = (key: Key, object: KubernetesObject): void => {
    for (const shelf of shelvesOf(object)) shelves.set(shelf, (shelves.get(shelf) ?? new Set()).add(key));
  };
  const unshelve = (key: Key, object: KubernetesObject): void => {
    for (const shelf of shelvesOf(object)) shelves.get(shelf)?.delete(key);
  };
  let version = 0;
  let requests = 0;
  const cluster: MemoryCluster = {
    onRequest: () => undefined,
    client: {
      get requests() {
        return requests;
      },
      get: async (kind, namespace, objectName) => {
        requests += 1;
        await cluster.onRequest(objectKey(kind, namespace, objectName));
        return stored.get(objectKey(kind, namespace, objectName));
      },
      list: async (kind, selection) => {
        requests += 1;
        await cluster.onRequest(`${kind}?${selection.namespace}/${selection.labelSelector ?? ''}`);
        const { namespace, labelSelector } = selection;
        const shelf = shelves.get(labelSelector === undefined ? kind : `${kind} ${labelSelector}`) ?? [];
        const objects = [...shelf]
          .flatMap((key) => stored.get(key) ?? [])
          .filter((object) => namespace === '' || object.metadata.namespace === namespace);
        return { objects, resourceVersion: String(version), absent: false };
      },
    },
    put: (object) => {
      const key = keyOf(object);
      const before = stored.get(key);
      version += 1;
      const metadata = {
        creationTimestamp: new Date(Date.UTC(2026, 0, 1) + version * 1000).toISOString().replace('.000', ''),
        uid: `00000000-0000-4000-8000-${String(version).padStart(12, '0')}`,
        ...(before === undefined
          ? {}
          : { uid: before.metadata.uid ?? '', creationTimestamp: before.metadata.creationTimestamp ?? '' }),
        ...object.metadata,
        resourceVersion: String(version),
      };
      const next = { ...object, metadata };
      if (before !== undefined) unshelve(key, before);
      stored.set(key, next);
      shelve(key, next);
      return {
        ref: refOf(name, next),
        operation: before === undefined ? 'create' : 'update',
        resourceVersion: String(version),
        observedAt: '2026-01-01T00:00:00Z',
      };
    },
    remove: (kind, namespace, objectName) => {
      const key = objectKey(kind, namespace, objectName);
      const before = stored.get(key);
      if (before === undefined) throw new AppError('INTERNAL', `no ${key}`);
      stored.delete(key);
      unshelve(key, before);
      version += 1;
      return { ref: refOf(name, before), operation: 'delete', observedAt: '2026-01-01T00:00:00Z' };
    },
    objects: () => [...stored.values()],
    get: (key) => stored.get(key),
  };
  return cluster;
}

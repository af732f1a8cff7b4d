import { isDeepStrictEqual } from 'node:util';
import type { ChangeEvent } from '../../shared/events.ts';
import { isRecord, type JsonRecord } from '../../shared/json.ts';
import type { KubernetesClient } from '../../shared/kubernetes/client.ts';
import { keyOf, objectKey } from '../../shared/kubernetes/keys.ts';
import type { KubernetesObject } from '../../shared/kubernetes/resources.ts';
import type { MemoryCluster } from '../support/cluster.ts';

/** A write to the status of an object. */
export interface Write {
  /** Of the object: one of the same name that comes later is another one. */
  readonly uid: string;
  /** After it, whole. */
  readonly status: JsonRecord;
}

interface MemoryStatuses {
  readonly client: MemoryCluster['client'] & Pick<KubernetesClient, 'patchStatus'>;
  /** Stores an object with the status that it had, under another generation if something else of it changed. */
  readonly put: (object: KubernetesObject) => ChangeEvent;
  /** Deletes an object, `Kind/namespace/name`, if it is there. */
  readonly remove: (key: string) => readonly ChangeEvent[];
  readonly writes: readonly Write[];
}

type Stored = KubernetesObject & { readonly status?: unknown };

function body({ metadata: _metadata, status: _status, ...fields }: Stored): object {
  return fields;
}

/** Statuses and generations for a cluster in memory, as an API server has them. */
export function memoryStatuses(cluster: MemoryCluster): MemoryStatuses {
  const writes: Write[] = [];
  const stored = (key: string): Stored | undefined => cluster.get(key);
  return {
    writes,
    client: {
      get requests() {
        return cluster.client.requests;
      },
      get: (kind, namespace, name) => cluster.client.get(kind, namespace, name),
      list: (kind, selection) => cluster.client.list(kind, selection),
      async patchStatus({ kind, namespace, name, resourceVersion, status }) {
        const object = stored(objectKey(kind, namespace, name));
        if (object === undefined) return { outcome: 'absent' };
        if (object.metadata.resourceVersion !== resourceVersion) return { outcome: 'conflict' };
        const next = { ...object, status: { ...(isRecord(object.status) ? object.status : {}), ...status } };
        cluster.put(next);
        writes.push({ uid: object.metadata.uid ?? '', status: next.status });
        return { outcome: 'written' };
      },
    },
    put(object) {
      const before = stored(keyOf(object));
      const generation = before?.metadata.generation ?? 0;
      const isSame = before !== undefined && isDeepStrictEqual(body(before), body(object));
      return cluster.put({
        ...object,
        ...(before?.status === undefined ? {} : { status: before.status }),
        metadata: { ...object.metadata, generation: isSame ? generation : generation + 1 },
      });
    },
    remove(key) {
      const [kind = '', namespace = '', name = ''] = key.split('/');
      return stored(key) === undefined ? [] : [cluster.remove(kind, namespace, name)];
    },
  };
}

import type { KubernetesClient } from './client.ts';
import { type Key, objectKey, providedKeys, queryKey } from './keys.ts';
import type { Lookup } from './lookup.ts';
import { asResource, byName, isGone } from './object.ts';
import type { Kind, KubernetesObject } from './resources.ts';
import { selectionOf } from './selection.ts';

/** A lookup that reads the cluster, for the length of one slice. */
export interface LiveLookup extends Lookup {
  /** Forgets what a key answered, so that the next question reads it again. */
  forget(key: Key): void;
}

/** The kept answer, or that of `read`, which is kept unless it is an error. */
function once<T>(cache: Map<Key, Promise<T>>, key: Key, read: () => Promise<T>): Promise<T> {
  const known = cache.get(key);
  if (known !== undefined) return known;
  const answer = read();
  cache.set(key, answer);
  answer.catch(() => {
    if (cache.get(key) === answer) cache.delete(key);
  });
  return answer;
}

/**
 * One request per key, whoever asks and however often: answers are kept, and who asks while a request is under way
 * waits for that one. Rejects with the client's errors and with MalformedObject.
 */
export function liveLookup(client: Pick<KubernetesClient, 'get' | 'list'>): LiveLookup {
  const objects = new Map<Key, Promise<KubernetesObject | undefined>>();
  const lists = new Map<Key, Promise<readonly KubernetesObject[]>>();
  /** Kinds that a list found absent: the other lists of them need no request. */
  const absent = new Set<Kind>();

  return {
    async get(kind, namespace, name) {
      const object = await once(objects, objectKey(kind, namespace, name), () => client.get(kind, namespace, name));
      return object === undefined || isGone(object) ? undefined : asResource(kind, object);
    },
    async list(kind, query) {
      const key = queryKey(kind, query);
      const members = await once(lists, key, async () => {
        if (absent.has(kind)) return [];
        const found = await client.list(kind, selectionOf(kind, query));
        if (found.absent) absent.add(kind);
        return found.objects.filter((object) => !isGone(object) && providedKeys(object).includes(key)).toSorted(byName);
      });
      return members.map((object) => asResource(kind, object));
    },
    forget(key) {
      objects.delete(key);
      lists.delete(key);
      absent.clear();
    },
  };
}

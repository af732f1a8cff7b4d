import type { KubernetesClient } from './client.ts';
import { type Key, type Queries, type QueryKind, objectKey, providedKeys, queryKey } from './keys.ts';
import type { Lookup } from './lookup.ts';
import { asResource, byName, isGone } from './object.ts';
import type { Kind, KubernetesObject } from './resources.ts';
import { inParallel } from '../parallel.ts';
import { selectionOf } from './selection.ts';

/** An object of a known kind. */
export interface Member {
  readonly namespace: string;
  readonly name: string;
}

/**
 * Who may be in a query's answer: everybody who is, and perhaps some who are not any more, as each is read before it
 * counts. Undefined when that is not known, so that the kind has to be listed.
 */
export type Members = (kind: QueryKind, query: Queries[QueryKind]) => Promise<readonly Member[] | undefined>;

/** From so many members on, pages of a list are cheaper than one request each. */
const MANY = 200;
const GETS_AT_ONCE = 8;

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
 * waits for that one. A query's members are read one by one where `members` knows them, and listed where not. Rejects with
 * the client's errors, those of `members` and with MalformedObject.
 */
export function liveLookup(
  client: Pick<KubernetesClient, 'get' | 'list'>,
  members: Members = async () => undefined,
): LiveLookup {
  const objects = new Map<Key, Promise<KubernetesObject | undefined>>();
  const lists = new Map<Key, Promise<readonly KubernetesObject[]>>();
  /** Kinds that a list found absent: the other lists of them need no request. */
  const absent = new Set<Kind>();

  const read = (kind: Kind, namespace: string, name: string): Promise<KubernetesObject | undefined> =>
    once(objects, objectKey(kind, namespace, name), () => client.get(kind, namespace, name));

  const candidates = async <K extends QueryKind>(kind: K, query: Queries[K]): Promise<readonly KubernetesObject[]> => {
    const known = await members(kind, query);
    if (known !== undefined && known.length <= MANY) {
      const found = await inParallel(GETS_AT_ONCE, known, ({ namespace, name }) => read(kind, namespace, name));
      return found.filter((object) => object !== undefined);
    }
    if (absent.has(kind)) return [];
    const found = await client.list(kind, selectionOf(kind, query));
    if (found.absent) absent.add(kind);
    return found.objects;
  };

  return {
    async get(kind, namespace, name) {
      const object = await read(kind, namespace, name);
      return object === undefined || isGone(object) ? undefined : asResource(kind, object);
    },
    async list(kind, query) {
      const key = queryKey(kind, query);
      const answer = await once(lists, key, async () => {
        const found = await candidates(kind, query);
        return found.filter((object) => !isGone(object) && providedKeys(object).includes(key)).toSorted(byName);
      });
      return answer.map((object) => asResource(kind, object));
    },
    forget(key) {
      objects.delete(key);
      lists.delete(key);
      absent.clear();
    },
  };
}

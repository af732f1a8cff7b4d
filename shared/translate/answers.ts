import { type Key, type Queries, type QueryKind, objectKey, queryKey } from '../kubernetes/keys.ts';
import type { Awaitable, Lookup } from '../kubernetes/lookup.ts';
import { asResource, MalformedObject } from '../kubernetes/object.ts';
import type { Kind, KubernetesObject, Resources } from '../kubernetes/resources.ts';

/** Thrown where a translation cannot go on before the cluster has answered. Only `each` and `answered` catch it. */
class Waiting extends Error {}

/** One for all, as it says nothing of its own and a stack costs more than a translation's step. */
const WAITING = new Waiting('a question about the cluster is not answered yet');

/** What translation asks, answered at once. Throws MalformedObject where the lookup would reject with it. */
export interface Answers {
  get<K extends Kind>(kind: K, namespace: string, name: string): Resources[K] | undefined;
  list<K extends QueryKind>(kind: K, query: Queries[K]): readonly Resources[K][];
}

/** What the lookup promised before: the objects, or why there are none. */
type Settled = { readonly objects: readonly KubernetesObject[] } | { readonly error: unknown };

/** Does `step` for every item, also when one has to wait, so that what they all ask for is read together. */
export function each<T, R>(items: Iterable<T>, step: (item: T, index: number) => R): R[] {
  const results: R[] = [];
  let index = 0;
  let waiting: Waiting | undefined;
  for (const item of items) {
    try {
      results.push(step(item, index));
    } catch (error) {
      if (!(error instanceof Waiting)) throw error;
      waiting = error;
    }
    index += 1;
  }
  if (waiting !== undefined) throw waiting;
  return results;
}

function settledBy(promise: Promise<readonly KubernetesObject[]>): Promise<Settled> {
  return promise.then(
    (objects) => ({ objects }),
    (error: unknown) => ({ error }),
  );
}

/** The answers of a lookup, and a way to wait for those that it promised. */
function answersOf(lookup: Lookup): { readonly answers: Answers; readonly settle: () => Promise<void> } {
  const known = new Map<Key, Settled>();
  const open = new Map<Key, Promise<Settled>>();
  /** The objects that were promised for a key before; undefined when nobody asked. */
  const recall = (key: Key): readonly KubernetesObject[] | undefined => {
    const settled = known.get(key);
    if (settled !== undefined && 'error' in settled) throw settled.error;
    return settled?.objects;
  };
  return {
    answers: {
      get(kind, namespace, name) {
        const before = known.size === 0 ? undefined : recall(objectKey(kind, namespace, name));
        if (before !== undefined) return before[0] === undefined ? undefined : asResource(kind, before[0]);
        const answer = lookup.get(kind, namespace, name);
        if (!(answer instanceof Promise)) return answer;
        const found = answer.then((object) => (object === undefined ? [] : [object]));
        open.set(objectKey(kind, namespace, name), settledBy(found));
        throw WAITING;
      },
      list(kind, query) {
        const before = known.size === 0 ? undefined : recall(queryKey(kind, query));
        if (before !== undefined) return before.map((object) => asResource(kind, object));
        const answer = lookup.list(kind, query);
        if (!(answer instanceof Promise)) return answer;
        open.set(queryKey(kind, query), settledBy(answer));
        throw WAITING;
      },
    },
    async settle() {
      for (const [key, promise] of open) {
        const settled = await promise;
        if ('error' in settled && !(settled.error instanceof MalformedObject)) throw settled.error;
        known.set(key, settled);
      }
      open.clear();
    },
  };
}

/**
 * What `attempt` gives once every answer that it needs is there: it is repeated after each wait, so it must be pure.
 * Throws, or rejects, with what the lookup rejects with.
 */
export function answered<T>(lookup: Lookup, attempt: (answers: Answers) => T): Awaitable<T> {
  const { answers, settle } = answersOf(lookup);
  const retry = async (): Promise<T> => {
    for (;;) {
      await settle();
      try {
        return attempt(answers);
      } catch (error) {
        if (!(error instanceof Waiting)) throw error;
      }
    }
  };
  try {
    return attempt(answers);
  } catch (error) {
    if (!(error instanceof Waiting)) throw error;
    return retry();
  }
}

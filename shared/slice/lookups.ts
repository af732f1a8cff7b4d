import { keyOf, objectKey, providedKeys, queryKey, type Key } from '../kubernetes/keys.ts';
import type { Lookup } from '../kubernetes/lookup.ts';
import type { KubernetesObject } from '../kubernetes/resources.ts';

/** A lookup that remembers which objects were in the answers to queries, and what they provide. */
export interface ObservedLookup extends Lookup {
  /** Object key → the query keys that the object provides. */
  provides(): ReadonlyMap<Key, readonly Key[]>;
}

/**
 * Whoever leaves an answer must reach its readers, also when the object was never an event's: so the index learns
 * from the answers themselves what each object provided.
 */
export function observed(lookup: Lookup): ObservedLookup {
  const seen = new Map<Key, readonly Key[]>();
  const see = <T extends KubernetesObject>(objects: readonly T[]): readonly T[] => {
    for (const object of objects) seen.set(keyOf(object), providedKeys(object));
    return objects;
  };
  return {
    get: (kind, namespace, name) => lookup.get(kind, namespace, name),
    list: (kind, query) => {
      const answer = lookup.list(kind, query);
      return answer instanceof Promise ? answer.then(see) : see(answer);
    },
    provides: () => seen,
  };
}

/** Reads a snapshot, but the cluster for `dirty` keys: those about which a slice has learnt more since. */
export function overlay(snapshot: Lookup, live: Lookup, dirty: ReadonlySet<Key>): Lookup {
  return {
    get: (kind, namespace, name) =>
      (dirty.has(objectKey(kind, namespace, name)) ? live : snapshot).get(kind, namespace, name),
    list: (kind, query) => (dirty.has(queryKey(kind, query)) ? live : snapshot).list(kind, query),
  };
}

import type { Key, Queries, QueryKind } from './keys.ts';
import type { Kind, Resources } from './resources.ts';

/** A value that is at hand, or the promise of one. */
export type Awaitable<T> = T | Promise<T>;

/**
 * Answers what translation asks about the cluster, at once where the answer is at hand. Implementations: live (API server, one request per key, cached),
 * snapshot (lists that were read before), traced (records every key of another lookup, misses included).
 * Objects that carry a deletionTimestamp count as gone.
 */
export interface Lookup {
  /**
   * The object, or undefined when it does not exist. Rejects (or throws) when that cannot be known (never a silent
   * miss), and with MalformedObject when its fields do not have the types of its kind.
   */
  get<K extends Kind>(kind: K, namespace: string, name: string): Awaitable<Resources[K] | undefined>;
  /** Every object in the query's answer, sorted by namespace/name. Rejects as `get` does. */
  list<K extends QueryKind>(kind: K, query: Queries[K]): Awaitable<readonly Resources[K][]>;
}

/** A lookup that remembers what it was asked for. */
export interface TracedLookup extends Lookup {
  /** Every key asked so far, misses included, sorted, without repetition. */
  keys(): readonly Key[];
}

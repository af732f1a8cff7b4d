import type { Key, Queries, QueryKind } from './keys.ts';
import type { Kind, Resources } from './resources.ts';

/**
 * Answers what translation asks about the cluster. Implementations: live (API server, one request per key, cached),
 * snapshot (lists that were read before), traced (records every key of another lookup, misses included).
 * Objects that carry a deletionTimestamp count as gone.
 */
export interface Lookup {
  /**
   * The object, or undefined when it does not exist. Rejects when that cannot be known (never a silent miss), and with
   * MalformedObject when its fields do not have the types of its kind.
   */
  get<K extends Kind>(kind: K, namespace: string, name: string): Promise<Resources[K] | undefined>;
  /** Every object in the query's answer, sorted by namespace/name. Rejects as `get` does. */
  list<K extends QueryKind>(kind: K, query: Queries[K]): Promise<readonly Resources[K][]>;
}

/** A lookup that remembers what it was asked for. */
export interface TracedLookup extends Lookup {
  /** Every key asked so far, misses included, sorted, without repetition. */
  keys(): readonly Key[];
}

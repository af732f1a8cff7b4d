/**
 * A node's in-memory cache (Kong's mlcache), as far as the Admin API's `/cache/{key}` needs it.
 * Keys are Kong's: `router:version`, `plugins_iterator:version`, `routes:<id>:::::<ws>` …
 */
export interface NodeCache {
  /** The cached value, undefined when nothing is cached under the key. Never fills the cache. */
  peek(key: string): unknown;
  /** Drops the key, so that whoever needs it next loads it anew. Unknown keys are fine. */
  delete(key: string): void;
}

/** A cache in which nothing is ever found, for an Admin API without a proxy behind it. */
export const EMPTY_CACHE: NodeCache = {
  peek() {
    return undefined;
  },
  delete() {},
};

import { type Key, objectKey, queryKey } from './keys.ts';
import type { Lookup, TracedLookup } from './lookup.ts';

/** A lookup that remembers every key it was asked for, also those whose answer was a miss or an error. */
export function traced(lookup: Lookup): TracedLookup {
  const asked = new Set<Key>();
  return {
    get(kind, namespace, name) {
      asked.add(objectKey(kind, namespace, name));
      return lookup.get(kind, namespace, name);
    },
    list(kind, query) {
      asked.add(queryKey(kind, query));
      return lookup.list(kind, query);
    },
    keys: () => [...asked].toSorted(),
  };
}

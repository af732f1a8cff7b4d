import { AppError } from '../errors.ts';
import { type Key, objectKey, queryKey } from '../kubernetes/keys.ts';
import type { Lookup } from '../kubernetes/lookup.ts';
import { asResource } from '../kubernetes/object.ts';
import type { KubernetesObject } from '../kubernetes/resources.ts';

/** An object as a write leaves it; without one, as if there were none. */
export interface Replacement {
  readonly key: Key;
  readonly object: KubernetesObject | undefined;
}

/**
 * The cluster as it would be after a write. Queries are not asked but for ReferenceGrants: who else names a plugin and
 * which pods a Service has says nothing about whether an object is right, and could cost lists of a whole kind.
 */
export function afterWrite(live: Lookup, { key, object }: Replacement): Lookup {
  return {
    get(kind, namespace, name) {
      if (objectKey(kind, namespace, name) !== key) return live.get(kind, namespace, name);
      return object === undefined ? undefined : asResource(kind, object);
    },
    list: (kind, query) => (kind === 'ReferenceGrant' ? live.list(kind, query) : []),
  };
}

/** A lookup that is asked for at most `limit` different keys. Throws ADMISSION_TOO_LARGE. */
export function bounded(lookup: Lookup, limit: number): Lookup {
  const asked = new Set<Key>();
  const count = (key: Key): void => {
    asked.add(key);
    if (asked.size > limit) throw new AppError('ADMISSION_TOO_LARGE', `it refers to more than ${limit} objects`);
  };
  return {
    get(kind, namespace, name) {
      count(objectKey(kind, namespace, name));
      return lookup.get(kind, namespace, name);
    },
    list(kind, query) {
      count(queryKey(kind, query));
      return lookup.list(kind, query);
    },
  };
}

import { AppError } from '../errors.ts';
import { type Key, objectKey, queryKey } from '../kubernetes/keys.ts';
import type { Lookup } from '../kubernetes/lookup.ts';
import { MalformedObject, asResource } from '../kubernetes/object.ts';
import type { KubernetesObject } from '../kubernetes/resources.ts';
import { inParallel } from '../parallel.ts';

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
    async get(kind, namespace, name) {
      if (objectKey(kind, namespace, name) !== key) return live.get(kind, namespace, name);
      return object === undefined ? undefined : asResource(kind, object);
    },
    list: async (kind, query) => (kind === 'ReferenceGrant' ? live.list(kind, query) : []),
  };
}

/** A malformed object is an answer too, and the lookup gives it again when it is asked for. */
async function settle(read: () => Promise<unknown>): Promise<void> {
  try {
    await read();
  } catch (error) {
    if (!(error instanceof MalformedObject)) throw error;
  }
}

const AT_ONCE = 10;

/**
 * Does work over a lookup that keeps what it has read, without ever waiting for one request after the other: what is not
 * known yet counts as absent, is read together afterwards, and the work is done again, until it asks for nothing new. The
 * work has to be a function of the answers alone. Throws ADMISSION_TOO_LARGE above `limit` reads, and what the lookup does.
 */
export async function inRounds<T>(lookup: Lookup, limit: number, work: (lookup: Lookup) => Promise<T>): Promise<T> {
  const known = new Set<Key>();
  for (;;) {
    const wanted = new Map<Key, () => Promise<unknown>>();
    const result = await work({
      async get(kind, namespace, name) {
        const key = objectKey(kind, namespace, name);
        if (known.has(key)) return lookup.get(kind, namespace, name);
        wanted.set(key, () => lookup.get(kind, namespace, name));
        return undefined;
      },
      async list(kind, query) {
        const key = queryKey(kind, query);
        if (known.has(key)) return lookup.list(kind, query);
        wanted.set(key, () => lookup.list(kind, query));
        return [];
      },
    });
    if (wanted.size === 0) return result;
    if (known.size + wanted.size > limit) {
      throw new AppError('ADMISSION_TOO_LARGE', `it refers to more than ${limit} objects`);
    }
    await inParallel(AT_ONCE, [...wanted.values()], settle);
    for (const key of wanted.keys()) known.add(key);
  }
}

import { type Key, keyOf, objectKey, providedKeys, queryKey } from './keys.ts';
import type { Lookup } from './lookup.ts';
import { asResource, byName, isGone } from './object.ts';
import type { KubernetesObject } from './resources.ts';

/**
 * A lookup over objects that were read before: a cluster's lists, or files. Pure. Objects with a deletionTimestamp
 * are left out; of two objects with one key the last wins. Answers at once; throws MalformedObject where the live lookup rejects.
 */
export function snapshotLookup(objects: readonly KubernetesObject[]): Lookup {
  const byKey = new Map<Key, KubernetesObject>();
  for (const object of objects) if (!isGone(object)) byKey.set(keyOf(object), object);
  const answers = new Map<Key, KubernetesObject[]>();
  for (const object of byKey.values()) {
    for (const key of providedKeys(object)) {
      const members = answers.get(key);
      if (members === undefined) answers.set(key, [object]);
      else members.push(object);
    }
  }
  for (const members of answers.values()) members.sort(byName);
  return {
    get(kind, namespace, name) {
      const object = byKey.get(objectKey(kind, namespace, name));
      return object === undefined ? undefined : asResource(kind, object);
    },
    list(kind, query) {
      const members = answers.get(queryKey(kind, query)) ?? [];
      return members.map((object) => asResource(kind, object));
    },
  };
}

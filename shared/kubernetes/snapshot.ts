import { type Key, providedKeys, queryKey } from './keys.ts';
import type { Lookup } from './lookup.ts';
import { asResource, byName, isGone } from './object.ts';
import type { KubernetesObject } from './resources.ts';

/** Objects by kind, namespace and name: finding names as they stand costs half of putting a key together. */
type Named = Map<string, Map<string, Map<string, KubernetesObject>>>;

/** The map behind a name, made when it is not there. */
function within<T>(maps: Map<string, Map<string, T>>, name: string): Map<string, T> {
  const known = maps.get(name);
  if (known !== undefined) return known;
  const made = new Map<string, T>();
  maps.set(name, made);
  return made;
}

function byNames(objects: readonly KubernetesObject[]): Named {
  const named: Named = new Map();
  for (const object of objects) {
    if (isGone(object)) continue;
    const { namespace = '', name } = object.metadata;
    within(within(named, object.kind), namespace).set(name, object);
  }
  return named;
}

function* everyObject(named: Named): Generator<KubernetesObject> {
  for (const namespaces of named.values()) for (const names of namespaces.values()) yield* names.values();
}

/** Who provides each query's key. */
function byProvided(named: Named): ReadonlyMap<Key, readonly KubernetesObject[]> {
  const answers = new Map<Key, KubernetesObject[]>();
  for (const object of everyObject(named)) {
    for (const key of providedKeys(object)) {
      const members = answers.get(key);
      if (members === undefined) answers.set(key, [object]);
      else members.push(object);
    }
  }
  for (const members of answers.values()) if (members.length > 1) members.sort(byName);
  return answers;
}

/**
 * A lookup over objects that were read before: a cluster's lists, or files. Pure. Objects with a deletionTimestamp
 * are left out; of two objects with one key the last wins. Answers at once; throws MalformedObject where the live
 * lookup rejects.
 */
export function snapshotLookup(objects: readonly KubernetesObject[]): Lookup {
  const named = byNames(objects);
  const answers = byProvided(named);
  return {
    get(kind, namespace, name) {
      const object = named.get(kind)?.get(namespace)?.get(name);
      return object === undefined ? undefined : asResource(kind, object);
    },
    list(kind, query) {
      const members = answers.get(queryKey(kind, query)) ?? [];
      return members.map((object) => asResource(kind, object));
    },
  };
}

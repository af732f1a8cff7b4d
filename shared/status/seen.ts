import { type Key, keyOf, objectKey } from '../kubernetes/keys.ts';
import type { Awaitable, Lookup } from '../kubernetes/lookup.ts';
import { isResource } from '../kubernetes/object.ts';
import type { Kind, KubernetesObject, Resources } from '../kubernetes/resources.ts';
import type { About } from './types.ts';

/** What a root's translation looked up: object key → the object, or undefined when it is not there. */
export type Seen = ReadonlyMap<Key, KubernetesObject | undefined>;

/** An object that was looked up and is there. */
export function seenObject<K extends Kind>(
  seen: Seen,
  kind: K,
  namespace: string,
  name: string,
): Resources[K] | undefined {
  const object = seen.get(objectKey(kind, namespace, name));
  return object !== undefined && isResource(kind, object) ? object : undefined;
}

/** Every object of a kind that was looked up, in the order of their keys. */
export function seenOfKind<K extends Kind>(seen: Seen, kind: K): readonly Resources[K][] {
  const mark = `${kind}/`;
  const found: [key: Key, object: Resources[K]][] = [];
  for (const [key, object] of seen) {
    if (object !== undefined && key.startsWith(mark) && isResource(kind, object)) found.push([key, object]);
  }
  // Most roots read one object of a kind, or none: then there is nothing to sort.
  if (found.length > 1) found.sort(([a], [b]) => (a < b ? -1 : 1));
  return found.map(([, object]) => object);
}

/** Which state of an object is spoken of. */
export function aboutOf({ metadata }: KubernetesObject): About {
  return { uid: metadata.uid ?? '', generation: metadata.generation ?? 0 };
}

/** Does something with an answer when it is there, at once if it is at hand. */
function noting<T>(answer: Awaitable<T>, note: (value: T) => void): Awaitable<T> {
  if (!(answer instanceof Promise)) {
    note(answer);
    return answer;
  }
  return answer.then((value) => {
    note(value);
    return value;
  });
}

/** A lookup that keeps what it answered. */
export function seeing(lookup: Lookup): Lookup & { readonly seen: Seen } {
  const seen = new Map<Key, KubernetesObject | undefined>();
  return {
    seen,
    get: (kind, namespace, name) =>
      noting(lookup.get(kind, namespace, name), (object) => {
        seen.set(objectKey(kind, namespace, name), object);
      }),
    list: (kind, query) =>
      noting(lookup.list(kind, query), (objects) => {
        for (const object of objects) seen.set(keyOf(object), object);
      }),
  };
}

import type { Kind, KubernetesObject, ObjectRef } from './resources.ts';

/**
 * What a lookup was asked for, in one string: an object (`Service/default/echo`, `IngressClass//kong`) or a query
 * (`EndpointSlice?service=default/echo`). Keys connect changed objects with the roots that read them.
 */
export type Key = string;

/** The key of one object; `namespace` is `''` for cluster-scoped kinds. */
export function objectKey(kind: string, namespace: string, name: string): Key {
  return `${kind}/${namespace}/${name}`;
}

/** The key of one object as it stands. */
export function keyOf(object: KubernetesObject): Key {
  return objectKey(object.kind, object.metadata.namespace ?? '', object.metadata.name);
}

/** The key of the object that a ref names. */
export function keyOfRef(ref: Pick<ObjectRef, 'kind' | 'namespace' | 'name'>): Key {
  return objectKey(ref.kind, ref.namespace, ref.name);
}

/** The queries that a lookup answers. Each has a key, and objects that belong to its answer *provide* that key. */
export interface Queries {
  /** EndpointSlices whose label `kubernetes.io/service-name` names this Service of the namespace. */
  readonly EndpointSlice: { readonly service: string };
}

export type QueryKind = keyof Queries & Kind;

/** The key of a query, for instance `EndpointSlice?service=default/echo`. */
export function queryKey(kind: QueryKind, query: Queries[QueryKind]): Key {
  const [name, value] = Object.entries(query)[0] ?? ['', ''];
  return `${kind}?${name}=${value}`;
}

/**
 * The query keys whose answers contain this object. Pure; the index keeps them per object, so that an object that
 * leaves an answer (a label or annotation is lost, the object is deleted) still reaches the readers.
 */
export function providedKeys(object: KubernetesObject): readonly Key[] {
  const namespace = object.metadata.namespace ?? '';
  if (object.kind === 'EndpointSlice') {
    const service = object.metadata.labels?.['kubernetes.io/service-name'];
    return service === undefined ? [] : [queryKey('EndpointSlice', { service: `${namespace}/${service}` })];
  }
  return [];
}

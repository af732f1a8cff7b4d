import type { BackendRef } from './gateway-resources.ts';
import { matchKeys } from './match-key.ts';
import { pluginRefs } from './plugin-refs.ts';
import type { Kind, KubernetesObject, ObjectRef, Resources } from './resources.ts';
import { shapeProblem } from './shapes.ts';

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
  /** EndpointSlices whose label `kubernetes.io/service-name` names this Service (`namespace/name`). */
  readonly EndpointSlice: { readonly service: string };
  /** Objects that refer to this plugin, as `konghq.com/plugins` or ExtensionRef: `namespace/name`, the namespace being the referrer's own unless it names another. */
  readonly KongConsumer: PluginQuery;
  readonly KongConsumerGroup: PluginQuery;
  readonly Service: PluginQuery;
  readonly KongServiceFacade: PluginQuery | ServiceQuery;
  readonly Ingress: PluginQuery | ServiceQuery | FacadeQuery;
  readonly TCPIngress: PluginQuery | ServiceQuery;
  readonly UDPIngress: PluginQuery | ServiceQuery;
  readonly HTTPRoute: PluginQuery | ServiceQuery | MatchQuery;
  readonly GRPCRoute: PluginQuery | ServiceQuery;
  readonly TCPRoute: PluginQuery | ServiceQuery;
  readonly UDPRoute: PluginQuery | ServiceQuery;
  readonly TLSRoute: PluginQuery | ServiceQuery;
  /** Grants of a namespace. */
  readonly ReferenceGrant: { readonly namespace: string };
  /** Policies that target this Service. */
  readonly BackendTLSPolicy: ServiceQuery;
}

interface PluginQuery {
  readonly plugin: string;
}

/** Objects that name this Service (`namespace/name`) as a backend or target. */
interface ServiceQuery {
  readonly service: string;
}

/** HTTPRoutes that match the same requests for the same host, as `matchKey` says. */
interface MatchQuery {
  readonly match: string;
}

/** Ingresses that name this KongServiceFacade (`namespace/name`) as a backend. */
interface FacadeQuery {
  readonly facade: string;
}

export type QueryKind = keyof Queries & Kind;

/** The key of a query, for instance `EndpointSlice?service=default/echo`. */
export function queryKey(kind: QueryKind, query: Queries[QueryKind]): Key {
  for (const [name, value] of Object.entries(query)) return `${kind}?${name}=${value}`;
  return `${kind}?=`;
}

function isOfKind<K extends Kind>(kind: K, object: KubernetesObject): object is KubernetesObject & Resources[K] {
  return object.kind === kind && shapeProblem(kind, object) === undefined;
}

/** Kinds whose `konghq.com/plugins` counts. */
const REFERRERS = new Set<string>([
  'Service',
  'KongServiceFacade',
  'KongConsumer',
  'KongConsumerGroup',
  'Ingress',
  'TCPIngress',
  'UDPIngress',
  'HTTPRoute',
  'GRPCRoute',
  'TCPRoute',
  'UDPRoute',
  'TLSRoute',
]);

function referredPlugins(object: KubernetesObject): readonly string[] {
  if (!REFERRERS.has(object.kind)) return [];
  const annotated = pluginRefs(object).map((ref) => `${ref.namespace}/${ref.name}`);
  if (!isOfKind('HTTPRoute', object)) return annotated;
  const filters = (object.spec?.rules ?? []).flatMap((rule) => rule.filters ?? []);
  const extensions = filters.flatMap(({ extensionRef }) => (extensionRef === undefined ? [] : [extensionRef.name]));
  return [...annotated, ...extensions.map((name) => `${object.metadata.namespace ?? ''}/${name}`)];
}

/** Names as backends name them: a Service's or, for Ingress, a facade's. */
interface Backends {
  readonly services: readonly string[];
  readonly facades: readonly string[];
}

function ingressBackends(object: Resources['Ingress']): Backends {
  const { rules = [], defaultBackend } = object.spec ?? {};
  const paths = rules.flatMap((rule) => rule.http?.paths ?? []).map((path) => path.backend);
  const all = defaultBackend === undefined ? paths : [...paths, defaultBackend];
  return {
    services: all.flatMap(({ service }) => (service === undefined ? [] : [service.name])),
    facades: all.flatMap(({ resource }) => (resource?.kind === 'KongServiceFacade' ? [resource.name] : [])),
  };
}

const GATEWAY_ROUTES = ['HTTPRoute', 'GRPCRoute', 'TCPRoute', 'UDPRoute', 'TLSRoute'] as const;

function backendsOf(object: KubernetesObject): Backends {
  const none: Backends = { services: [], facades: [] };
  if (isOfKind('Ingress', object)) return ingressBackends(object);
  if (isOfKind('TCPIngress', object) || isOfKind('UDPIngress', object)) {
    return { ...none, services: (object.spec?.rules ?? []).map((rule) => rule.backend.serviceName) };
  }
  if (isOfKind('KongServiceFacade', object)) return { ...none, services: [object.spec?.backendRef.name ?? ''] };
  if (isOfKind('BackendTLSPolicy', object)) {
    const targets = (object.spec?.targetRefs ?? []).filter((target) => target.kind === 'Service');
    return { ...none, services: targets.map((target) => target.name) };
  }
  for (const kind of GATEWAY_ROUTES) {
    if (!isOfKind(kind, object)) continue;
    const rules: readonly { readonly backendRefs?: readonly BackendRef[] }[] = object.spec?.rules ?? [];
    const refs = rules.flatMap((rule) => rule.backendRefs ?? []);
    return {
      ...none,
      services: refs.map((ref) => (ref.namespace === undefined ? ref.name : `${ref.namespace}/${ref.name}`)),
    };
  }
  return none;
}

/**
 * The query keys whose answers contain this object. Pure; the index keeps them per object, so that an object that
 * leaves an answer (a label or annotation is lost, the object is deleted) still reaches the readers.
 */
export function providedKeys(object: KubernetesObject): readonly Key[] {
  const { kind } = object;
  const namespace = object.metadata.namespace ?? '';
  if (kind === 'EndpointSlice') {
    const service = object.metadata.labels?.['kubernetes.io/service-name'];
    return service === undefined ? [] : [queryKey('EndpointSlice', { service: `${namespace}/${service}` })];
  }
  if (kind === 'ReferenceGrant') return [queryKey('ReferenceGrant', { namespace })];
  const { services, facades } = backendsOf(object);
  const matches = isOfKind('HTTPRoute', object) ? matchKeys(object) : [];
  const keys = [
    ...matches.map((match) => queryKey('HTTPRoute', { match })),
    ...referredPlugins(object).map((plugin) => `${kind}?plugin=${plugin}`),
    ...services.map((name) => `${kind}?service=${name.includes('/') ? name : `${namespace}/${name}`}`),
    ...facades.map((name) => `${kind}?facade=${namespace}/${name}`),
  ];
  return [...new Set(keys)];
}

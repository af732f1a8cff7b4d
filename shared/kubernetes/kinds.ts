import type { Kind } from './resources.ts';

/** What the API server calls a kind, and what part it has here. */
export interface KindInfo {
  readonly group: string;
  /**
   * The version that names the kind in tags, refs, events and the index, in whatever version an object was read: the one
   * that Kong Ingress Controller 3.5 reads (KIC §1.2). So neither adopting what it wrote nor a cluster that begins to
   * serve another version writes anything to Kong.
   */
  readonly version: string;
  /** Versions that can be read, the preferred first; what a cluster serves of them is the discovery's to say. */
  readonly versions: readonly [string, ...string[]];
  readonly plural: string;
  readonly namespaced: boolean;
  /** Objects of this kind can produce Kong entities (DESIGN "root"); the others are only read by roots. */
  readonly root: boolean;
  /** Built into every API server; a kind that is not may be absent (CRD not installed). */
  readonly core: boolean;
}

type Traits = Partial<Pick<KindInfo, 'version' | 'namespaced' | 'root' | 'core'>>;

/** A namespaced kind that is only read, named by its first version unless `traits` say otherwise. */
function kind(group: string, versions: KindInfo['versions'], plural: string, traits: Traits = {}): KindInfo {
  return { version: versions[0], namespaced: true, root: false, core: false, ...traits, group, versions, plural };
}

const BUILT_IN = { core: true };
const BUILT_IN_ROOT = { core: true, root: true };
const ROOT = { root: true };
const CLUSTER_ROOT = { root: true, namespaced: false };

const NETWORKING = 'networking.k8s.io';
const KONG = 'configuration.konghq.com';
const GATEWAY = 'gateway.networking.k8s.io';

/**
 * Every kind that is read. The Gateway API's versions are those of its releases 1.0 to 1.6, both channels, whose fields
 * are the same: GRPCRoute is v1 since 1.1, BackendTLSPolicy since 1.4, TLSRoute and ReferenceGrant since 1.5, TCPRoute
 * and UDPRoute since 1.6.
 */
export const KINDS: { readonly [K in Kind]: KindInfo } = {
  Ingress: kind(NETWORKING, ['v1'], 'ingresses', BUILT_IN_ROOT),
  IngressClass: kind(NETWORKING, ['v1'], 'ingressclasses', { core: true, namespaced: false }),
  IngressClassParameters: kind(KONG, ['v1alpha1'], 'ingressclassparameterses'),
  Service: kind('', ['v1'], 'services', BUILT_IN),
  EndpointSlice: kind('discovery.k8s.io', ['v1'], 'endpointslices', BUILT_IN),
  Secret: kind('', ['v1'], 'secrets', BUILT_IN_ROOT),
  ConfigMap: kind('', ['v1'], 'configmaps', BUILT_IN_ROOT),
  KongPlugin: kind(KONG, ['v1'], 'kongplugins'),
  KongClusterPlugin: kind(KONG, ['v1'], 'kongclusterplugins', CLUSTER_ROOT),
  KongConsumer: kind(KONG, ['v1'], 'kongconsumers', ROOT),
  KongConsumerGroup: kind(KONG, ['v1beta1'], 'kongconsumergroups', ROOT),
  KongIngress: kind(KONG, ['v1'], 'kongingresses'),
  TCPIngress: kind(KONG, ['v1beta1'], 'tcpingresses', ROOT),
  UDPIngress: kind(KONG, ['v1beta1'], 'udpingresses', ROOT),
  KongUpstreamPolicy: kind(KONG, ['v1beta1'], 'kongupstreampolicies'),
  KongVault: kind(KONG, ['v1alpha1'], 'kongvaults', CLUSTER_ROOT),
  KongLicense: kind(KONG, ['v1alpha1'], 'konglicenses', CLUSTER_ROOT),
  KongCustomEntity: kind(KONG, ['v1alpha1'], 'kongcustomentities', ROOT),
  KongServiceFacade: kind('incubator.ingress-controller.konghq.com', ['v1alpha1'], 'kongservicefacades'),
  GatewayClass: kind(GATEWAY, ['v1', 'v1beta1'], 'gatewayclasses', { namespaced: false }),
  Gateway: kind(GATEWAY, ['v1', 'v1beta1'], 'gateways', ROOT),
  HTTPRoute: kind(GATEWAY, ['v1', 'v1beta1'], 'httproutes', ROOT),
  GRPCRoute: kind(GATEWAY, ['v1', 'v1alpha2'], 'grpcroutes', ROOT),
  TCPRoute: kind(GATEWAY, ['v1', 'v1alpha2'], 'tcproutes', { root: true, version: 'v1alpha2' }),
  UDPRoute: kind(GATEWAY, ['v1', 'v1alpha2'], 'udproutes', { root: true, version: 'v1alpha2' }),
  TLSRoute: kind(GATEWAY, ['v1', 'v1alpha3', 'v1alpha2'], 'tlsroutes', { root: true, version: 'v1alpha2' }),
  ReferenceGrant: kind(GATEWAY, ['v1', 'v1beta1'], 'referencegrants', { version: 'v1beta1' }),
  BackendTLSPolicy: kind(GATEWAY, ['v1', 'v1alpha3'], 'backendtlspolicies', { version: 'v1alpha3' }),
  Namespace: kind('', ['v1'], 'namespaces', { core: true, namespaced: false }),
};

/** Whether these functions know a kind of this name. */
export function isKind(name: string): name is Kind {
  return Object.hasOwn(KINDS, name);
}

/** `v1` for the core group, `<group>/<version>` for the others. */
export function apiVersionOf(group: string, version: string): string {
  return group === '' ? version : `${group}/${version}`;
}

/** The kind that a manifest's `apiVersion` and `kind` name, or undefined when it is none of these in a version that can be read. */
export function kindOfManifest(apiVersion: string, name: string): Kind | undefined {
  if (!isKind(name)) return undefined;
  const { group, versions } = KINDS[name];
  return versions.some((version) => apiVersionOf(group, version) === apiVersion) ? name : undefined;
}

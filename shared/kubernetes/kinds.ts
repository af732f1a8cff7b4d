import type { Kind } from './resources.ts';

/** What the API server calls a kind, and what part it has here. */
export interface KindInfo {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly namespaced: boolean;
  /** Objects of this kind can produce Kong entities (DESIGN "root"); the others are only read by roots. */
  readonly root: boolean;
  /** Built into every API server; a kind that is not may be absent (CRD not installed). */
  readonly core: boolean;
}

export const KINDS: { readonly [K in Kind]: KindInfo } = {
  Ingress: { group: 'networking.k8s.io', version: 'v1', plural: 'ingresses', namespaced: true, root: true, core: true },
  IngressClass: {
    group: 'networking.k8s.io',
    version: 'v1',
    plural: 'ingressclasses',
    namespaced: false,
    root: false,
    core: true,
  },
  IngressClassParameters: {
    group: 'configuration.konghq.com',
    version: 'v1alpha1',
    plural: 'ingressclassparameterses',
    namespaced: true,
    root: false,
    core: false,
  },
  Service: { group: '', version: 'v1', plural: 'services', namespaced: true, root: false, core: true },
  EndpointSlice: {
    group: 'discovery.k8s.io',
    version: 'v1',
    plural: 'endpointslices',
    namespaced: true,
    root: false,
    core: true,
  },
  Secret: { group: '', version: 'v1', plural: 'secrets', namespaced: true, root: true, core: true },
  ConfigMap: { group: '', version: 'v1', plural: 'configmaps', namespaced: true, root: true, core: true },
  KongPlugin: {
    group: 'configuration.konghq.com',
    version: 'v1',
    plural: 'kongplugins',
    namespaced: true,
    root: false,
    core: false,
  },
  KongClusterPlugin: {
    group: 'configuration.konghq.com',
    version: 'v1',
    plural: 'kongclusterplugins',
    namespaced: false,
    root: true,
    core: false,
  },
  KongConsumer: {
    group: 'configuration.konghq.com',
    version: 'v1',
    plural: 'kongconsumers',
    namespaced: true,
    root: true,
    core: false,
  },
  KongConsumerGroup: {
    group: 'configuration.konghq.com',
    version: 'v1beta1',
    plural: 'kongconsumergroups',
    namespaced: true,
    root: true,
    core: false,
  },
  KongIngress: {
    group: 'configuration.konghq.com',
    version: 'v1',
    plural: 'kongingresses',
    namespaced: true,
    root: false,
    core: false,
  },
  TCPIngress: {
    group: 'configuration.konghq.com',
    version: 'v1beta1',
    plural: 'tcpingresses',
    namespaced: true,
    root: true,
    core: false,
  },
  UDPIngress: {
    group: 'configuration.konghq.com',
    version: 'v1beta1',
    plural: 'udpingresses',
    namespaced: true,
    root: true,
    core: false,
  },
  KongUpstreamPolicy: {
    group: 'configuration.konghq.com',
    version: 'v1beta1',
    plural: 'kongupstreampolicies',
    namespaced: true,
    root: false,
    core: false,
  },
  KongVault: {
    group: 'configuration.konghq.com',
    version: 'v1alpha1',
    plural: 'kongvaults',
    namespaced: false,
    root: true,
    core: false,
  },
  KongLicense: {
    group: 'configuration.konghq.com',
    version: 'v1alpha1',
    plural: 'konglicenses',
    namespaced: false,
    root: true,
    core: false,
  },
  KongCustomEntity: {
    group: 'configuration.konghq.com',
    version: 'v1alpha1',
    plural: 'kongcustomentities',
    namespaced: true,
    root: true,
    core: false,
  },
  KongServiceFacade: {
    group: 'incubator.ingress-controller.konghq.com',
    version: 'v1alpha1',
    plural: 'kongservicefacades',
    namespaced: true,
    root: false,
    core: false,
  },
  GatewayClass: {
    group: 'gateway.networking.k8s.io',
    version: 'v1',
    plural: 'gatewayclasses',
    namespaced: false,
    root: false,
    core: false,
  },
  Gateway: {
    group: 'gateway.networking.k8s.io',
    version: 'v1',
    plural: 'gateways',
    namespaced: true,
    root: true,
    core: false,
  },
  HTTPRoute: {
    group: 'gateway.networking.k8s.io',
    version: 'v1',
    plural: 'httproutes',
    namespaced: true,
    root: true,
    core: false,
  },
  GRPCRoute: {
    group: 'gateway.networking.k8s.io',
    version: 'v1',
    plural: 'grpcroutes',
    namespaced: true,
    root: true,
    core: false,
  },
  TCPRoute: {
    group: 'gateway.networking.k8s.io',
    version: 'v1alpha2',
    plural: 'tcproutes',
    namespaced: true,
    root: true,
    core: false,
  },
  UDPRoute: {
    group: 'gateway.networking.k8s.io',
    version: 'v1alpha2',
    plural: 'udproutes',
    namespaced: true,
    root: true,
    core: false,
  },
  TLSRoute: {
    group: 'gateway.networking.k8s.io',
    version: 'v1alpha2',
    plural: 'tlsroutes',
    namespaced: true,
    root: true,
    core: false,
  },
  ReferenceGrant: {
    group: 'gateway.networking.k8s.io',
    version: 'v1beta1',
    plural: 'referencegrants',
    namespaced: true,
    root: false,
    core: false,
  },
  BackendTLSPolicy: {
    group: 'gateway.networking.k8s.io',
    version: 'v1alpha3',
    plural: 'backendtlspolicies',
    namespaced: true,
    root: false,
    core: false,
  },
  Namespace: { group: '', version: 'v1', plural: 'namespaces', namespaced: false, root: false, core: true },
};

/** Whether these functions know a kind of this name. */
export function isKind(name: string): name is Kind {
  return Object.hasOwn(KINDS, name);
}

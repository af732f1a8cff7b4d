import type { Kind } from '../../shared/kubernetes/resources.ts';

/** What is translated, with the golden case that shows it. The README's tables are made from this. */
export interface Coverage {
  /** What it becomes in Kong, or what it decides. */
  readonly becomes: string;
  /** Folder of test/golden that shows it. */
  readonly golden: string;
}

export const KIND_COVERAGE: { readonly [K in Kind]: Coverage } = {
  Ingress: { becomes: 'services, routes, upstreams, targets, certificates, SNIs', golden: 'ingress-paths' },
  IngressClass: { becomes: 'whether an Ingress without a class is ours', golden: 'ingress-default-class' },
  IngressClassParameters: {
    becomes: 'service-upstream and regex detection for a class',
    golden: 'ingress-class-parameters',
  },
  Service: { becomes: 'fields of services and upstreams', golden: 'service-annotations' },
  EndpointSlice: { becomes: 'targets', golden: 'targets' },
  Secret: { becomes: 'certificates, credentials, plugin configuration, CA certificates', golden: 'ingress-tls' },
  ConfigMap: { becomes: 'CA certificates', golden: 'ca-certificates' },
  Namespace: { becomes: 'which listeners accept a route', golden: 'httproute-attachment' },
  KongPlugin: { becomes: 'plugins', golden: 'plugin-matrix' },
  KongClusterPlugin: { becomes: 'plugins, also global ones', golden: 'plugin-conflicts' },
  KongConsumer: { becomes: 'consumers, credentials, memberships', golden: 'consumers' },
  KongConsumerGroup: { becomes: 'consumer groups (Enterprise)', golden: 'consumers' },
  KongUpstreamPolicy: { becomes: 'load balancing and health checks of upstreams', golden: 'upstream-policy' },
  KongIngress: { becomes: 'upstream overrides (deprecated)', golden: 'upstream-policy' },
  KongVault: { becomes: 'vaults', golden: 'vaults' },
  KongLicense: { becomes: 'the license (Enterprise)', golden: 'vaults' },
  KongCustomEntity: { becomes: 'entities of any type that Kong knows', golden: 'custom-entities' },
  KongServiceFacade: { becomes: 'services under another name', golden: 'facade' },
  TCPIngress: { becomes: 'stream services and routes (deprecated)', golden: 'stream-ingress' },
  UDPIngress: { becomes: 'stream services and routes (deprecated)', golden: 'stream-ingress' },
  GatewayClass: { becomes: 'whether a Gateway is ours', golden: 'httproute-attachment' },
  Gateway: { becomes: 'hostnames, protocols, ports and certificates of routes', golden: 'httproute-attachment' },
  HTTPRoute: { becomes: 'services, routes, upstreams, targets, plugins', golden: 'httproute-filters' },
  GRPCRoute: { becomes: 'services, routes, upstreams, targets', golden: 'grpcroute' },
  TCPRoute: { becomes: 'stream services and routes', golden: 'stream-routes' },
  UDPRoute: { becomes: 'stream services and routes', golden: 'stream-routes' },
  TLSRoute: { becomes: 'stream services and routes by SNI', golden: 'stream-routes' },
  ReferenceGrant: { becomes: 'which references may cross namespaces', golden: 'httproute-backends' },
  BackendTLSPolicy: { becomes: 'TLS to the backends', golden: 'backend-tls-policy' },
};

/** Every annotation by its full name. */
export const ANNOTATION_COVERAGE: Readonly<Record<string, Coverage>> = {
  'kubernetes.io/ingress.class': { becomes: 'whether an object is ours', golden: 'ingress-class' },
  'konghq.com/strip-path': { becomes: '`strip_path` of routes', golden: 'ingress-annotations' },
  'ingress.kubernetes.io/force-ssl-redirect': { becomes: '302 to https', golden: 'ingress-force-ssl' },
  'konghq.com/https-redirect-status-code': {
    becomes: '`https_redirect_status_code` of routes',
    golden: 'ingress-force-ssl',
  },
  'konghq.com/preserve-host': { becomes: '`preserve_host` of routes', golden: 'ingress-annotations' },
  'konghq.com/request-buffering': { becomes: '`request_buffering` of routes', golden: 'ingress-annotations' },
  'konghq.com/response-buffering': { becomes: '`response_buffering` of routes', golden: 'ingress-annotations' },
  'konghq.com/protocols': { becomes: '`protocols` of routes', golden: 'ingress-annotations' },
  'konghq.com/regex-priority': { becomes: '`regex_priority` of routes', golden: 'ingress-annotations' },
  'konghq.com/methods': { becomes: '`methods` of routes', golden: 'ingress-annotations' },
  'konghq.com/snis': { becomes: '`snis` of routes', golden: 'ingress-annotations' },
  'konghq.com/host-aliases': { becomes: 'further `hosts` of routes', golden: 'ingress-annotations' },
  'konghq.com/headers.x-split': {
    becomes: '`headers` of routes (`konghq.com/headers.<name>`)',
    golden: 'ingress-annotations',
  },
  'konghq.com/headers-separator': { becomes: 'what separates header values', golden: 'ingress-annotations' },
  'konghq.com/path-handling': { becomes: '`path_handling` of routes', golden: 'ingress-annotations' },
  'konghq.com/regex-prefix': { becomes: 'what marks a regex path of an Ingress', golden: 'ingress-regex-prefix' },
  'konghq.com/rewrite': { becomes: 'a request-transformer that rewrites the URI', golden: 'ingress-rewrite' },
  'konghq.com/plugins': { becomes: 'which plugins apply', golden: 'plugin-matrix' },
  'konghq.com/tags': { becomes: 'further tags', golden: 'ingress-annotations' },
  'konghq.com/protocol': { becomes: '`protocol` of services', golden: 'service-annotations' },
  'konghq.com/path': { becomes: '`path` of services', golden: 'service-annotations' },
  'konghq.com/connect-timeout': { becomes: '`connect_timeout` of services, ms', golden: 'service-annotations' },
  'konghq.com/read-timeout': { becomes: '`read_timeout` of services, ms', golden: 'service-annotations' },
  'konghq.com/write-timeout': { becomes: '`write_timeout` of services, ms', golden: 'service-annotations' },
  'konghq.com/retries': { becomes: '`retries` of services', golden: 'service-annotations' },
  'konghq.com/tls-verify': { becomes: '`tls_verify` of services', golden: 'service-annotations' },
  'konghq.com/tls-verify-depth': { becomes: '`tls_verify_depth` of services', golden: 'service-annotations' },
  'konghq.com/client-cert': { becomes: '`client_certificate` of services', golden: 'service-annotations' },
  'konghq.com/ca-certificates-secrets': { becomes: '`ca_certificates` of services', golden: 'service-annotations' },
  'konghq.com/ca-certificates-configmaps': { becomes: '`ca_certificates` of services', golden: 'service-annotations' },
  'konghq.com/host-header': { becomes: '`host_header` of upstreams', golden: 'service-annotations' },
  'konghq.com/upstream-policy': { becomes: 'the KongUpstreamPolicy of a Service', golden: 'upstream-policy' },
  'konghq.com/override': { becomes: 'the KongIngress of a Service (deprecated)', golden: 'upstream-policy' },
  'ingress.kubernetes.io/service-upstream': { becomes: 'the Service address as the only target', golden: 'targets' },
};

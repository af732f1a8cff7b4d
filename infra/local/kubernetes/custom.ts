import { column, kindOf, type Column, type Resource, type Traits } from './resources.ts';

const KONG = 'configuration.konghq.com';
const GATEWAY = 'gateway.networking.k8s.io';
const KONG_CATEGORY = ['kong-ingress-controller'];
const PROGRAMMED = column('Programmed', '.status.conditions[?(@.type=="Programmed")].status');

function kong(versions: string, kind: string, plural: string, rest: Traits = {}): Resource {
  const defaults = { custom: true, generation: true, status: true, categories: KONG_CATEGORY };
  return kindOf(KONG, versions, kind, plural, { ...defaults, ...rest });
}

function gateway(versions: string, kind: string, plural: string, rest: Traits = {}): Resource {
  const defaults = { custom: true, generation: true, status: true, categories: ['gateway-api'] };
  return kindOf(GATEWAY, versions, kind, plural, { ...defaults, ...rest });
}

const PLUGIN_COLUMNS: readonly Column[] = [
  column('Plugin-Type', '.plugin'),
  column('Disabled', '.disabled', 1),
  column('Config', '.config', 1),
  PROGRAMMED,
];
const HOSTNAMES = [column('Hostnames', '.spec.hostnames')];

/** Kong's and the Gateway API's kinds, as their CRDs name them: there as if the CRDs had been applied. */
export const CUSTOM: readonly Resource[] = [
  kong('v1', 'KongPlugin', 'kongplugins', { shortNames: ['kp'], columns: PLUGIN_COLUMNS }),
  kong('v1', 'KongClusterPlugin', 'kongclusterplugins', {
    shortNames: ['kcp'],
    namespaced: false,
    columns: PLUGIN_COLUMNS,
  }),
  kong('v1', 'KongConsumer', 'kongconsumers', {
    shortNames: ['kc'],
    columns: [column('Username', '.username'), PROGRAMMED],
  }),
  kong('v1beta1', 'KongConsumerGroup', 'kongconsumergroups', { shortNames: ['kcg'], columns: [PROGRAMMED] }),
  kong('v1', 'KongIngress', 'kongingresses', { shortNames: ['ki'], status: false }),
  kong('v1beta1', 'TCPIngress', 'tcpingresses', {
    columns: [column('Address', '.status.loadBalancer.ingress[*].ip')],
  }),
  kong('v1beta1', 'UDPIngress', 'udpingresses', {
    columns: [column('Address', '.status.loadBalancer.ingress[*].ip')],
  }),
  kong('v1beta1', 'KongUpstreamPolicy', 'kongupstreampolicies', { shortNames: ['kup'] }),
  kong('v1alpha1', 'KongVault', 'kongvaults', {
    shortNames: ['kv'],
    namespaced: false,
    columns: [
      column('Backend Type', '.spec.backend'),
      column('Prefix', '.spec.prefix'),
      column('Description', '.spec.description', 1),
      PROGRAMMED,
    ],
  }),
  kong('v1alpha1', 'KongLicense', 'konglicenses', {
    shortNames: ['kl'],
    namespaced: false,
    columns: [column('Enabled', '.enabled')],
  }),
  kong('v1alpha1', 'KongCustomEntity', 'kongcustomentities', {
    shortNames: ['kce'],
    columns: [column('Entity Type', '.spec.type'), PROGRAMMED],
  }),
  kong('v1alpha1', 'IngressClassParameters', 'ingressclassparameterses', { status: false }),
  kindOf('incubator.ingress-controller.konghq.com', 'v1alpha1', 'KongServiceFacade', 'kongservicefacades', {
    shortNames: ['ksf'],
    custom: true,
    generation: true,
    status: true,
    categories: KONG_CATEGORY,
    columns: [PROGRAMMED],
  }),
  gateway('v1 v1beta1', 'GatewayClass', 'gatewayclasses', {
    shortNames: ['gc'],
    namespaced: false,
    columns: [
      column('Controller', '.spec.controllerName'),
      column('Accepted', '.status.conditions[?(@.type=="Accepted")].status'),
    ],
  }),
  gateway('v1 v1beta1', 'Gateway', 'gateways', {
    shortNames: ['gtw'],
    columns: [column('Class', '.spec.gatewayClassName'), column('Address', '.status.addresses[*].value'), PROGRAMMED],
  }),
  gateway('v1 v1beta1', 'HTTPRoute', 'httproutes', { columns: HOSTNAMES }),
  gateway('v1', 'GRPCRoute', 'grpcroutes', { columns: HOSTNAMES }),
  gateway('v1 v1beta1', 'ReferenceGrant', 'referencegrants', { shortNames: ['refgrant'], status: false }),
  gateway('v1 v1alpha2', 'TCPRoute', 'tcproutes'),
  gateway('v1 v1alpha2', 'UDPRoute', 'udproutes'),
  gateway('v1 v1alpha3 v1alpha2', 'TLSRoute', 'tlsroutes'),
  gateway('v1 v1alpha3', 'BackendTLSPolicy', 'backendtlspolicies', { shortNames: ['btlspolicy'] }),
];

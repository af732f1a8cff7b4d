import { column, kindOf, type Resource } from './resources.ts';

const EVENT_FIELDS = [
  'involvedObject.kind',
  'involvedObject.namespace',
  'involvedObject.name',
  'involvedObject.uid',
  'involvedObject.apiVersion',
  'involvedObject.resourceVersion',
  'involvedObject.fieldPath',
  'regarding.kind',
  'regarding.namespace',
  'regarding.name',
  'regarding.uid',
  'reason',
  'reportingComponent',
  'reportingController',
  'source',
  'type',
];
const EVENT_COLUMNS = [
  column('Last Seen', '=lastSeen'),
  column('Type', '.type'),
  column('Reason', '.reason'),
  column('Object', '=involved'),
  column('Message', '.message'),
];
const NETWORKING = 'networking.k8s.io';

/** The kinds that every API server has (as far as this stand-in goes). */
export const BUILT_IN: readonly Resource[] = [
  kindOf('', 'v1', 'Namespace', 'namespaces', {
    shortNames: ['ns'],
    namespaced: false,
    status: true,
    fields: ['status.phase'],
    columns: [column('Status', '.status.phase')],
  }),
  kindOf('', 'v1', 'Service', 'services', {
    shortNames: ['svc'],
    categories: ['all'],
    status: true,
    fields: ['spec.clusterIP', 'spec.type'],
    columns: [
      column('Type', '.spec.type'),
      column('Cluster-IP', '=clusterIP'),
      column('External-IP', '=externalIP'),
      column('Port(s)', '=servicePorts'),
    ],
  }),
  kindOf('', 'v1', 'Endpoints', 'endpoints', {
    shortNames: ['ep'],
    columns: [column('Endpoints', '=subsets')],
  }),
  kindOf('', 'v1', 'Secret', 'secrets', {
    fields: ['type'],
    columns: [column('Type', '.type'), column('Data', '=dataCount', 0, 'integer')],
  }),
  kindOf('', 'v1', 'ConfigMap', 'configmaps', {
    shortNames: ['cm'],
    columns: [column('Data', '=dataCount', 0, 'integer')],
  }),
  kindOf('', 'v1', 'Event', 'events', { shortNames: ['ev'], fields: EVENT_FIELDS, columns: EVENT_COLUMNS }),
  kindOf('events.k8s.io', 'v1', 'Event', 'events', {
    shortNames: ['ev'],
    fields: EVENT_FIELDS,
    columns: EVENT_COLUMNS,
  }),
  kindOf('', 'v1', 'Pod', 'pods', {
    shortNames: ['po'],
    categories: ['all'],
    status: true,
    generation: true,
    fields: ['spec.nodeName', 'spec.restartPolicy', 'spec.serviceAccountName', 'status.phase', 'status.podIP'],
    columns: [column('Status', '.status.phase'), column('IP', '.status.podIP', 1)],
  }),
  kindOf('', 'v1', 'Node', 'nodes', {
    shortNames: ['no'],
    namespaced: false,
    status: true,
    fields: ['spec.unschedulable'],
    columns: [column('Version', '.status.nodeInfo.kubeletVersion')],
  }),
  kindOf('', 'v1', 'ServiceAccount', 'serviceaccounts', { shortNames: ['sa'] }),
  kindOf('apps', 'v1', 'Deployment', 'deployments', {
    shortNames: ['deploy'],
    categories: ['all'],
    status: true,
    generation: true,
    columns: [column('Replicas', '.spec.replicas', 0, 'integer')],
  }),
  kindOf('discovery.k8s.io', 'v1', 'EndpointSlice', 'endpointslices', {
    generation: true,
    columns: [
      column('AddressType', '.addressType'),
      column('Ports', '=slicePorts'),
      column('Endpoints', '=sliceAddresses'),
    ],
  }),
  kindOf(NETWORKING, 'v1', 'Ingress', 'ingresses', {
    shortNames: ['ing'],
    status: true,
    generation: true,
    columns: [
      column('Class', '=ingressClass'),
      column('Hosts', '=ingressHosts'),
      column('Address', '=loadBalancer'),
      column('Ports', '=ingressPorts'),
    ],
  }),
  kindOf(NETWORKING, 'v1', 'IngressClass', 'ingressclasses', {
    namespaced: false,
    generation: true,
    columns: [column('Controller', '.spec.controller'), column('Parameters', '=parameters')],
  }),
  kindOf('coordination.k8s.io', 'v1', 'Lease', 'leases', { columns: [column('Holder', '.spec.holderIdentity')] }),
  kindOf('admissionregistration.k8s.io', 'v1', 'ValidatingWebhookConfiguration', 'validatingwebhookconfigurations', {
    namespaced: false,
    generation: true,
    categories: ['api-extensions'],
    columns: [column('Webhooks', '=webhookCount', 0, 'integer')],
  }),
  kindOf('apiextensions.k8s.io', 'v1', 'CustomResourceDefinition', 'customresourcedefinitions', {
    shortNames: ['crd', 'crds'],
    namespaced: false,
    status: true,
    generation: true,
    categories: ['api-extensions'],
    columns: [column('Created At', '.metadata.creationTimestamp')],
  }),
  // RBAC objects can be kept, so that a manifest applies whole; the stand-in authorizes every known token.
  ...[
    ['Role', 'roles', true],
    ['RoleBinding', 'rolebindings', true],
    ['ClusterRole', 'clusterroles', false],
    ['ClusterRoleBinding', 'clusterrolebindings', false],
  ].map(([kind, plural, namespaced]) =>
    kindOf('rbac.authorization.k8s.io', 'v1', String(kind), String(plural), { namespaced: namespaced === true }),
  ),
];

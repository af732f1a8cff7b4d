import { KINDS, isKind } from './kinds.ts';
import type { Kind } from './resources.ts';

/** Resources of one API group and what may be done with them, as a rule of RBAC has it. */
export interface Permission {
  readonly group: string;
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

/** Kinds whose `status` says what became of an object (KIC §1.5, Gateway API). */
export const STATUS_KINDS: readonly Kind[] = [
  'Ingress',
  'TCPIngress',
  'UDPIngress',
  'GatewayClass',
  'Gateway',
  'HTTPRoute',
  'GRPCRoute',
  'TCPRoute',
  'UDPRoute',
  'TLSRoute',
  'BackendTLSPolicy',
  'KongUpstreamPolicy',
  'KongPlugin',
  'KongClusterPlugin',
  'KongConsumer',
  'KongConsumerGroup',
  'KongVault',
  'KongCustomEntity',
  'KongServiceFacade',
  'KongLicense',
];

function permissions(
  resources: readonly (readonly [group: string, resource: string])[],
  verbs: string[],
): Permission[] {
  return [...Map.groupBy(resources, ([group]) => group)].map(([group, entries]) => ({
    group,
    resources: entries.map(([, resource]) => resource).toSorted(),
    verbs,
  }));
}

/** Every kind that is read. */
export function readPermissions(): readonly Permission[] {
  const kinds = Object.keys(KINDS).filter(isKind);
  return permissions(
    kinds.map((kind) => [KINDS[kind].group, KINDS[kind].plural]),
    ['get', 'list', 'watch'],
  );
}

/** What is written: statuses, in patches, and Events; nothing that somebody else's configuration is in. */
export function writePermissions(): readonly Permission[] {
  const statuses = STATUS_KINDS.map((kind) => [KINDS[kind].group, `${KINDS[kind].plural}/status`] as const);
  return [
    ...permissions(statuses, ['patch']),
    { group: 'events.k8s.io', resources: ['events'], verbs: ['create', 'patch'] },
  ];
}

import { isIPv6 } from 'node:net';
import type { Endpoint, EndpointPort, EndpointSlice } from '../kubernetes/resources.ts';
import type { AdminNode } from './admin-nodes.ts';
import type { AdminService } from './config.ts';

/** A pod that takes requests: an unknown readiness counts as ready (Kubernetes API), one that terminates never. */
function isUsable({ conditions, targetRef }: Endpoint): boolean {
  return targetRef?.kind === 'Pod' && conditions?.ready !== false && conditions?.terminating !== true;
}

function isAdmin(port: EndpointPort, { portNames }: AdminService): boolean {
  return (port.protocol ?? 'TCP') === 'TCP' && portNames.includes(port.name ?? '');
}

/** https as in KIC, unless the port itself says otherwise: a token must not go over an unprotected line by mistake. */
function addressOf(address: string, { port = 0, appProtocol }: EndpointPort): string {
  const scheme = appProtocol === 'http' ? 'http' : 'https';
  return `${scheme}://${isIPv6(address) ? `[${address}]` : address}:${port}`;
}

function nodeOf(endpoint: Endpoint, port: EndpointPort, service: AdminService): AdminNode | undefined {
  const [address] = endpoint.addresses;
  if (address === undefined || port.port === undefined) return undefined;
  const { namespace, name } = service;
  return {
    url: addressOf(address, port),
    serverName: `pod.${name}.${namespace}.svc`,
    name: `${endpoint.targetRef?.namespace ?? namespace}/${endpoint.targetRef?.name ?? address}`,
  };
}

/**
 * The Admin API's nodes behind a Service: pods that are ready and not terminating, by the ports' names, each with the
 * TLS server name `pod.<service>.<namespace>.svc` (KIC §4.6). Sorted by pod, so that every function picks the same
 * first one. Pure.
 */
export function adminNodesOf(slices: readonly EndpointSlice[], service: AdminService): readonly AdminNode[] {
  const found = slices
    .filter(({ addressType }) => addressType !== 'FQDN')
    .flatMap(({ endpoints = [], ports = [] }) =>
      endpoints
        .filter(isUsable)
        .flatMap((endpoint) =>
          ports.filter((port) => isAdmin(port, service)).flatMap((port) => nodeOf(endpoint, port, service) ?? []),
        ),
    );
  // One way to each pod is enough: two address families or ports are still one node.
  const pods = new Map(found.toReversed().map((node) => [node.name, node]));
  return [...pods.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

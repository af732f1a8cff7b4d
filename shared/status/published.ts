import type { Service } from '../kubernetes/resources.ts';
import type { Published } from './render.ts';
import type { Address } from './types.ts';

/** Where Kong is reached, as settings say it (KIC `--publish-service` and its like). */
export interface PublishConfig {
  /** `namespace/name` of the Service before Kong; undefined when none is named. */
  readonly service: string | undefined;
  /** Of the one for UDP, where that is another. */
  readonly udpService: string | undefined;
  /** Instead of the Service's. */
  readonly addresses: readonly string[];
  readonly udpAddresses: readonly string[];
}

/** A Service as its status has it, which translation does not read. */
type Balanced = Service & { readonly status?: unknown };

function isIp(text: string): boolean {
  return /^[\d.]+$/.test(text) || text.includes(':');
}

function given(addresses: readonly string[]): readonly Address[] | undefined {
  if (addresses.length === 0) return undefined;
  return addresses.map((text) => (isIp(text) ? { ip: text } : { hostname: text }));
}

function balanced(service: Balanced | undefined): readonly Address[] {
  const ingress = at(at(service?.status, 'loadBalancer'), 'ingress');
  if (!Array.isArray(ingress)) return [];
  return ingress.flatMap((item: unknown): Address[] => {
    const [ip, hostname] = [at(item, 'ip'), at(item, 'hostname')];
    if (typeof ip === 'string' && ip !== '') return [{ ip }];
    return typeof hostname === 'string' && hostname !== '' ? [{ hostname }] : [];
  });
}

function at(value: unknown, field: string): unknown {
  return typeof value === 'object' && value !== null
    ? Object.entries(value).find(([key]) => key === field)?.[1]
    : undefined;
}

/** A Service's load balancer, or else its address in the cluster (KIC 1.5). */
function reached(service: Balanced | undefined): readonly Address[] {
  const outside = balanced(service);
  const inside = service?.spec?.clusterIP ?? '';
  return outside.length > 0 || inside === '' || inside === 'None' ? outside : [{ ip: inside }];
}

function portsOf(services: readonly (Balanced | undefined)[]): ReadonlySet<string> | undefined {
  const ports = services.flatMap((service) => service?.spec?.ports ?? []);
  if (ports.length === 0) return undefined;
  return new Set(ports.map(({ port, protocol }) => `${protocol === 'UDP' ? 'UDP' : 'TCP'} ${port}`));
}

function distinct(addresses: readonly Address[]): readonly Address[] {
  return [...new Map(addresses.map((item) => [`${item.ip ?? ''} ${item.hostname ?? ''}`, item])).values()];
}

/**
 * Addresses and ports, from settings and the Services that they name. An Ingress shows a Service's load balancer or its
 * cluster address, a Gateway only the former (KIC 1.5, 2.8.1). Pure.
 */
export function published(
  config: PublishConfig,
  services: { readonly tcp: Service | undefined; readonly udp: Service | undefined },
): Published {
  const { tcp, udp } = services;
  const named = config.service !== undefined;
  const addresses = given(config.addresses) ?? (named ? reached(tcp) : undefined);
  const hasUdp = config.udpAddresses.length > 0 || config.udpService !== undefined;
  return {
    addresses,
    udpAddresses: hasUdp ? (given(config.udpAddresses) ?? reached(udp)) : addresses,
    ports: portsOf([tcp, udp]),
    gateway: (wanted) => {
      const uses = (name: string | undefined): boolean =>
        wanted.length === 0 || (name !== undefined && wanted.includes(name));
      const own = given(config.addresses) ?? (named && uses(config.service) ? balanced(tcp) : undefined);
      const other = given(config.udpAddresses) ?? (uses(config.udpService) ? balanced(udp) : []);
      return own === undefined ? undefined : distinct([...own, ...other]);
    },
  };
}

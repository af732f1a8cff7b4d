import { isIPv6 } from 'node:net';
import type { Endpoint, EndpointSlice, Service, ServicePort } from '../kubernetes/resources.ts';
import type { ResolvedBackend } from './backend.ts';
import { type Context, findAll, fullName } from './context.ts';
import { serviceUpstream } from './ingress-class-parameters.ts';

/** A target of an upstream. */
export interface Target {
  /** `host:port`, IPv6 written in full as Kong stores it. */
  readonly target: string;
  /** Undefined for Kong's default of 100. */
  readonly weight: number | undefined;
}

interface Address {
  readonly target: string;
  readonly terminating: boolean;
}

const DEFAULT_WEIGHT = 100;
const LARGEST_WEIGHT = 65_535;

/** IPv6 in full, as Kong's database holds it; other hosts unchanged. */
export function expandIpv6(address: string): string {
  if (!isIPv6(address)) return address;
  const url = new URL(`http://[${address.replace(/%.*$/, '')}]`).hostname.slice(1, -1);
  const [left = '', right] = url.split('::');
  const head = left === '' ? [] : left.split(':');
  const tail = right === undefined || right === '' ? [] : right.split(':');
  const zeros = right === undefined ? 0 : 8 - head.length - tail.length;
  const groups = [...head, ...Array.from({ length: zeros }, () => '0'), ...tail];
  return groups.map((group) => group.padStart(4, '0')).join(':');
}

/** `host:port`, with brackets around IPv6. */
export function targetText(address: string, port: number | string): string {
  return address.includes(':') ? `[${expandIpv6(address)}]:${port}` : `${address}:${port}`;
}

/** TCP and every protocol of the Service's ports: KIC asks for the endpoints of each. */
function protocolsOf(service: Service): readonly string[] {
  const protocols = ['TCP'];
  for (const { protocol = 'TCP' } of service.spec?.ports ?? []) {
    if (!protocols.includes(protocol)) protocols.push(protocol);
  }
  return protocols;
}

function isUsable(endpoint: Endpoint, drain: boolean): boolean {
  const ready = endpoint.conditions?.ready ?? true;
  return ready || (drain && endpoint.conditions?.terminating === true);
}

/** Adds the addresses that a slice has for a port; each address counts once. */
function addAddresses(
  found: Map<string, Address>,
  slice: EndpointSlice,
  port: ServicePort,
  protocol: string,
  drain: boolean,
): void {
  for (const candidate of slice.ports ?? []) {
    const same = (candidate.protocol ?? 'TCP') === protocol && (candidate.name ?? '') === (port.name ?? '');
    if (!same || candidate.port === undefined || candidate.port < 0) continue;
    for (const endpoint of slice.endpoints ?? []) {
      const address = endpoint.addresses[0];
      if (address === undefined || !isUsable(endpoint, drain)) continue;
      const target = targetText(address, candidate.port);
      found.set(target, { target, terminating: drain && endpoint.conditions?.terminating === true });
    }
  }
}

/** The one address of a Service that is used by its name, or undefined when its endpoints count (KIC 2.3.4). */
function nameAddress(context: Context, service: Service, port: ServicePort): Address | undefined {
  if (serviceUpstream(context, service)) {
    const domain = context.options.clusterDomain === '' ? '' : `.${context.options.clusterDomain}`;
    const host = `${service.metadata.name}.${service.metadata.namespace ?? ''}.svc${domain}`;
    return { target: targetText(host, port.port), terminating: false };
  }
  if (service.spec?.type !== 'ExternalName') return undefined;
  return { target: targetText(service.spec.externalName ?? '', port.targetPort ?? port.port), terminating: false };
}

/** Each protocol's addresses after each other; within one protocol each address once (KIC). */
function addresses(context: Context, service: Service, port: ServicePort): readonly Address[] {
  const named = nameAddress(context, service, port);
  if (named !== undefined) return protocolsOf(service).map(() => named);
  const slices = findAll(context, 'EndpointSlice', { service: fullName(service) });
  const all: Address[] = [];
  for (const protocol of protocolsOf(service)) {
    const found = new Map<string, Address>();
    for (const slice of slices) addAddresses(found, slice, port, protocol, context.options.drainSupport);
    all.push(...found.values());
  }
  return all;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

interface WeightedGroup {
  readonly weight: number | undefined;
  readonly found: readonly Address[];
}

/**
 * By how much all weights are multiplied so that every backend's weight divides evenly among its endpoints. KIC divides
 * with a floor of 1 instead, which turns 90/10 over many endpoints into 50/50 (a deliberate difference).
 */
export function weightScale(groups: readonly { readonly weight: number; readonly count: number }[]): number {
  let scale = 1;
  for (const { weight, count } of groups) {
    if (weight === 0 || count === 0) continue;
    const missing = count / greatestCommonDivisor(weight * scale, count);
    scale *= missing;
    if (!Number.isSafeInteger(scale * weight)) return scale;
  }
  return scale;
}

/** The weight of each endpoint of each backend, at most 65,535 and never 0 unless the backend's is. */
function shares(groups: readonly WeightedGroup[]): readonly (number | undefined)[] {
  const counted = groups.map(({ weight, found }) => ({
    weight: weight ?? 0,
    count: found.filter((address) => !address.terminating).length,
  }));
  const scale = weightScale(counted);
  const exact = counted.map(({ weight, count }) => (count === 0 ? 0 : (weight * scale) / count));
  const largest = Math.max(0, ...exact);
  const shrink = largest > LARGEST_WEIGHT ? LARGEST_WEIGHT / largest : 1;
  return groups.map(({ weight }, index) => {
    if (weight === undefined) return undefined;
    return weight === 0 ? 0 : Math.max(1, Math.round((exact[index] ?? 0) * shrink));
  });
}

function weightOf(address: Address, share: number | undefined): number | undefined {
  return address.terminating ? 0 : share;
}

/** The targets of an upstream; a target that several backends have gets the sum of their weights (KIC). */
export function upstreamTargets(context: Context, backends: readonly ResolvedBackend[]): readonly Target[] {
  const groups: WeightedGroup[] = [];
  for (const { backend, service, port } of backends) {
    if (service === undefined || port === undefined) continue;
    groups.push({ weight: backend.weight, found: addresses(context, service, port) });
  }
  const share = shares(groups);
  const merged = new Map<string, number | undefined>();
  for (const [index, { found }] of groups.entries()) {
    for (const address of found) {
      const weight = weightOf(address, share[index]);
      const sum = merged.has(address.target)
        ? Math.min(LARGEST_WEIGHT, (merged.get(address.target) ?? DEFAULT_WEIGHT) + (weight ?? DEFAULT_WEIGHT))
        : weight;
      merged.set(address.target, sum);
    }
  }
  return [...merged].map(([target, weight]) => ({ target, weight }));
}

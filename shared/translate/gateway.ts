import type { Gateway, GatewayRoute, Listener, Namespace, ParentRef } from '../kubernetes/gateway-resources.ts';
import { type Context, find } from './context.ts';
import { isHost } from './host.ts';
import { effectiveHostnames } from './hostname.ts';

export const GROUP = 'gateway.networking.k8s.io';

/** Where a route is attached. */
export interface Attachment {
  /** The listeners of its Gateways that its parentRefs name by section, whatever their protocol. */
  readonly listeners: readonly Listener[];
  /** The route's hostnames under the listeners that take it; empty for every host. */
  readonly hostnames: readonly string[];
}

/** Whether a Gateway is of one of our classes. With `raw`, a class that the input lacks counts as ours. */
export function isOurGateway(context: Context, gateway: Gateway): boolean {
  const name = gateway.spec?.gatewayClassName;
  const gatewayClass = name === undefined ? undefined : find(context, 'GatewayClass', '', name);
  if (gatewayClass === undefined) return context.options.raw;
  return gatewayClass.spec?.controllerName === context.options.gatewayController;
}

/** Whether a listener's protocol is one that routes of this kind are served by. */
export function fitsProtocol(route: Pick<GatewayRoute, 'kind'>, listener: Listener): boolean {
  const mode = listener.tls?.mode ?? 'Terminate';
  if (route.kind === 'HTTPRoute' || route.kind === 'GRPCRoute') {
    return listener.protocol === 'HTTP' || (listener.protocol === 'HTTPS' && mode === 'Terminate');
  }
  if (route.kind === 'TLSRoute') return listener.protocol === 'TLS' && mode === 'Passthrough';
  return listener.protocol === (route.kind === 'TCPRoute' ? 'TCP' : 'UDP');
}

function matchesExpressions(
  labels: Readonly<Record<string, string>>,
  expressions: NonNullable<Selector>['matchExpressions'],
): boolean {
  return (expressions ?? []).every(({ key, operator, values = [] }) => {
    const value = labels[key];
    if (operator === 'Exists') return value !== undefined;
    if (operator === 'DoesNotExist') return value === undefined;
    if (operator === 'In') return value !== undefined && values.includes(value);
    return operator === 'NotIn' && (value === undefined || !values.includes(value));
  });
}

type Selector = NonNullable<NonNullable<Listener['allowedRoutes']>['namespaces']>['selector'];

/** Whether a selector takes a namespace; one that does not exist has no labels. */
export function selects(selector: Selector, namespace: Namespace | undefined): boolean {
  const labels = namespace?.metadata.labels ?? {};
  const equal = Object.entries(selector?.matchLabels ?? {}).every(([key, value]) => labels[key] === value);
  return equal && matchesExpressions(labels, selector?.matchExpressions);
}

function allowsNamespace(context: Context, gateway: Gateway, listener: Listener, namespace: string): boolean {
  const { from, selector } = listener.allowedRoutes?.namespaces ?? {};
  if (from === 'All') return true;
  if (from !== 'Selector') return namespace === (gateway.metadata.namespace ?? '');
  return selects(selector, find(context, 'Namespace', '', namespace));
}

/** Whether a listener takes routes of this kind. */
export function allowsKind(listener: Listener, route: Pick<GatewayRoute, 'kind'>): boolean {
  const kinds = listener.allowedRoutes?.kinds ?? [];
  return kinds.length === 0 || kinds.some(({ kind, group }) => kind === route.kind && (group ?? GROUP) === GROUP);
}

function takes(
  context: Context,
  gateway: Gateway,
  listener: Listener,
  route: GatewayRoute,
  parent: ParentRef,
): boolean {
  return (
    (parent.port === undefined || parent.port === listener.port) &&
    fitsProtocol(route, listener) &&
    allowsKind(listener, route) &&
    allowsNamespace(context, gateway, listener, route.metadata.namespace ?? '')
  );
}

interface Parent {
  readonly gateway: Gateway;
  readonly ref: ParentRef;
  /** Those of the section that the ref names, or all. */
  readonly listeners: readonly Listener[];
}

/** The route's parents that are Gateways of ours. */
function ourParents(context: Context, route: GatewayRoute): readonly Parent[] {
  const parents: Parent[] = [];
  for (const ref of route.spec?.parentRefs ?? []) {
    if ((ref.kind ?? 'Gateway') !== 'Gateway' || (ref.group ?? GROUP) !== GROUP) continue;
    const namespace = ref.namespace ?? route.metadata.namespace ?? '';
    const gateway = find(context, 'Gateway', namespace, ref.name);
    if (gateway === undefined || !isOurGateway(context, gateway)) continue;
    const all = gateway.spec?.listeners ?? [];
    const listeners = all.filter((listener) => ref.sectionName === undefined || listener.name === ref.sectionName);
    parents.push({ gateway, ref, listeners });
  }
  return parents;
}

function distinct(listeners: readonly Listener[]): readonly Listener[] {
  return [...new Set(listeners)];
}

/** The route's hostnames that are some; undefined, with findings, when it has only others. */
function validHostnames(context: Context, route: GatewayRoute): readonly string[] | undefined {
  const all = route.spec?.hostnames ?? [];
  const valid = all.filter(isHost);
  for (const host of all) {
    if (isHost(host)) continue;
    context.report(route, 'InvalidHost', `spec.hostnames holds ${JSON.stringify(host.slice(0, 120))}`);
  }
  return all.length > 0 && valid.length === 0 ? undefined : valid;
}

/**
 * Where a route is attached, from the specs of its Gateways (KIC 2.8.3); undefined when it has no parent of ours, or,
 * with a finding, when no listener takes it. With `raw`, every route is taken as it is.
 */
export function attach(context: Context, route: GatewayRoute): Attachment | undefined {
  const parents = ourParents(context, route);
  const listeners = distinct(parents.flatMap((parent) => parent.listeners));
  if (parents.length === 0 && !context.options.raw) return undefined;
  const own = validHostnames(context, route);
  if (own === undefined) return undefined;
  if (context.options.raw) return { listeners, hostnames: own };
  const taking: Listener[] = [];
  for (const { gateway, ref, listeners: candidates } of parents) {
    for (const listener of candidates) {
      if (takes(context, gateway, listener, route, ref)) taking.push(listener);
    }
  }
  if (taking.length === 0) {
    context.report(route, 'NotAccepted', 'spec.parentRefs names no listener that takes this route');
    return undefined;
  }
  if (route.kind === 'TCPRoute' || route.kind === 'UDPRoute') return { listeners, hostnames: [] };
  const hostnames = effectiveHostnames(
    taking.map((listener) => listener.hostname),
    own,
  );
  if (hostnames === undefined) {
    context.report(
      route,
      'NotAccepted',
      'spec.hostnames has no hostname in common with a listener that takes this route',
    );
    return undefined;
  }
  return { listeners, hostnames };
}

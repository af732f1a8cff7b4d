import type { Listener, StreamRule, TCPRoute, TLSRoute, UDPRoute } from '../kubernetes/gateway-resources.ts';
import { each } from './answers.ts';
import { type Context, find } from './context.ts';
import { and, or, portExpression, sniExpression } from './expression.ts';
import { usableBackends } from './gateway-backend.ts';
import { proposeGatewayRoute } from './gateway-route.ts';
import { type Attachment, attach } from './gateway.ts';
import { isHost } from './host.ts';
import { isEnabled } from './kong-features.ts';
import type { RouteFields } from './route.ts';
import { type KongService, proposeService } from './service.ts';

type StreamRoute = TCPRoute | UDPRoute | TLSRoute;

/** What a layer 4 route matches, before it is told to the router. */
interface StreamMatch {
  readonly protocols: readonly string[];
  readonly ports: readonly number[];
  readonly snis: readonly string[];
}

/** The fields of a layer 4 route in the router's flavour (KIC 2.6). */
export function streamFields(context: Context, { protocols, ports, snis }: StreamMatch): RouteFields {
  if (context.options.routerFlavor === 'expressions') {
    const expression = and([snis.length === 0 ? undefined : sniExpression(snis), or([portExpression(ports)])]);
    return { protocols, ...(expression === undefined ? {} : { expression }), priority: 1 };
  }
  return {
    protocols,
    ...(ports.length === 0 ? {} : { destinations: ports.map((port) => ({ port })) }),
    ...(snis.length === 0 ? {} : { snis }),
  };
}

function proposeRuleService(
  context: Context,
  rule: StreamRule,
  ruleIndex: number,
  name: string,
  protocol: string,
): KongService | undefined {
  const field = `spec.rules[${ruleIndex}].backendRefs`;
  const refs = rule.backendRefs ?? [];
  if (refs.length === 0) {
    context.report(context.root, 'MissingRules', `${field} is empty`);
    return undefined;
  }
  const backends = usableBackends(context, refs, field);
  return proposeService(context, { name, host: name, protocol, timeouts: true, backends, rank: context.rank(0) });
}

function translateRules(context: Context, route: StreamRoute, protocol: string, match: StreamMatch): void {
  const rules = route.spec?.rules ?? [];
  if (rules.length === 0) context.report(route, 'MissingRules', 'spec.rules is empty');
  each(rules, (rule, ruleIndex) => {
    const { namespace = '', name } = route.metadata;
    const serviceName = `${route.kind.toLowerCase()}.${namespace}.${name}.${ruleIndex}`;
    const service = proposeRuleService(context, rule, ruleIndex, serviceName, protocol);
    if (service === undefined) return;
    proposeGatewayRoute(context, route, service, {
      name: `${serviceName}.0`,
      fields: streamFields(context, match),
      ruleNames: rule.name === undefined ? [] : [rule.name],
    });
  });
}

/** Where a route of an alpha kind is attached; undefined, with a finding, while its feature gate is off. */
function attachAlpha(context: Context, route: StreamRoute): Attachment | undefined {
  const attachment = attach(context, route);
  if (attachment === undefined || context.options.raw || isEnabled(context.options, 'GatewayAlpha')) return attachment;
  context.report(route, 'FeatureGateOff', `kind ${route.kind} needs the feature gate GatewayAlpha`);
  return undefined;
}

/** TCPRoute and UDPRoute → services and routes on the ports of their listeners (KIC 2.6). */
export function translatePortRoute(context: Context, route: TCPRoute | UDPRoute): void {
  const attachment = attachAlpha(context, route);
  if (attachment === undefined) return;
  const protocol = route.kind === 'TCPRoute' ? 'TCP' : 'UDP';
  const ports = attachment.listeners.filter((listener) => listener.protocol === protocol).map(({ port }) => port);
  if (ports.length === 0) {
    context.report(route, 'NotAccepted', `spec.parentRefs names no listener of protocol ${protocol}`);
    return;
  }
  const name = protocol.toLowerCase();
  translateRules(context, route, name, { protocols: [name], ports, snis: [] });
}

/** Whether TLS passes through. KIC looks at the parents that the route's status names, which raw input may have. */
function passesThrough(context: Context, route: TLSRoute, listeners: readonly Listener[]): boolean {
  if (!context.options.raw) return listeners.some(({ tls }) => tls?.mode === 'Passthrough');
  for (const { parentRef } of route.status?.parents ?? []) {
    const namespace = parentRef.namespace ?? route.metadata.namespace ?? '';
    const gateway = find(context, 'Gateway', namespace, parentRef.name);
    const section = (gateway?.spec?.listeners ?? []).filter(
      (listener) => parentRef.sectionName === undefined || listener.name === parentRef.sectionName,
    );
    if (section.some(({ tls }) => tls?.mode === 'Passthrough')) return true;
  }
  return false;
}

/** TLSRoute → services and routes by SNI (KIC 2.6). */
export function translateTlsRoute(context: Context, route: TLSRoute): void {
  const attachment = attachAlpha(context, route);
  if (attachment === undefined) return;
  const snis = attachment.hostnames.filter(isHost);
  if (snis.length === 0) {
    context.report(route, 'InvalidHost', 'spec.hostnames holds no host name');
    return;
  }
  const passthrough = passesThrough(context, route, attachment.listeners);
  const protocols = [passthrough ? 'tls_passthrough' : 'tls'];
  translateRules(context, route, 'tcp', { protocols, ports: [], snis });
}

import type { TCPIngress, UDPIngress } from '../kubernetes/kong-resources.ts';
import { pluginRefs } from '../kubernetes/plugin-refs.ts';
import { type Context, fullName } from './context.ts';
import { isPlainHost } from './host.ts';
import { ingressServiceName, ingressUpstreamName } from './identity.ts';
import { hasOurClass } from './ingress-class.ts';
import { proposePlugins } from './plugin.ts';
import { proposeKongRoute } from './kong-route.ts';
import type { RouteFields } from './route.ts';
import { proposeService } from './service.ts';
import { streamFields } from './stream-route.ts';
import { translateTls } from './tls.ts';

/** After a rule's (0) and a default backend's (1): of two kinds that want one service, Ingress has it. */
const TCP_CLASS = 2;
const UDP_CLASS = 3;
const TCP_SNI_CLASS = 1;
const LARGEST_PORT = 65_535;

interface Rule {
  readonly host?: string;
  readonly port: number;
  readonly backend: { readonly serviceName: string; readonly servicePort: number };
}

interface Flavour {
  readonly protocol: 'tcp' | 'udp';
  /** Of names. */
  readonly suffix: string;
  readonly rankClass: number;
  readonly protocols: readonly string[];
}

const TCP: Flavour = { protocol: 'tcp', suffix: '', rankClass: TCP_CLASS, protocols: ['tcp', 'tls'] };
const UDP: Flavour = { protocol: 'udp', suffix: '.udp', rankClass: UDP_CLASS, protocols: ['udp'] };

/** Proposes a route that is useless with another kind's version of the service. */
function proposeRoute(context: Context, name: string, fields: RouteFields, service: string): void {
  const source = context.root;
  const route = proposeKongRoute(context, source, { name, fields, service: { slot: service, own: true } });
  if (route !== undefined) proposePlugins(context, source, pluginRefs(source), { route });
}

function translateRule(context: Context, rule: Rule, index: number, flavour: Flavour): void {
  if (!Number.isInteger(rule.port) || rule.port < 0 || rule.port > LARGEST_PORT) {
    context.report(context.root, 'InvalidObject', `spec.rules[${index}].port is no port`);
    return;
  }
  const { serviceName, servicePort } = rule.backend;
  const namespace = context.root.metadata.namespace ?? '';
  const backend = { namespace, name: serviceName, port: { by: 'number', number: servicePort } } as const;
  const service = proposeService(context, {
    name: ingressServiceName(backend) + flavour.suffix,
    host: ingressUpstreamName(backend),
    protocol: flavour.protocol,
    port: flavour.protocol === 'tcp' ? 80 : servicePort,
    timeouts: flavour.protocol === 'tcp',
    backends: [backend],
    rank: context.rank(flavour.rankClass),
  });
  if (service === undefined) return;
  const { host = '' } = rule;
  const snis = host === '' ? [] : [host];
  if (!snis.every(isPlainHost)) {
    context.report(
      context.root,
      'InvalidHost',
      `spec.rules[${index}].host ${JSON.stringify(host.slice(0, 120))} is no host name`,
    );
    return;
  }
  const fields = streamFields(context, { protocols: flavour.protocols, ports: [rule.port], snis });
  const name = `${fullName(context.root).replace('/', '.')}.${index}${flavour.suffix}`;
  proposeRoute(context, name, fields, service.slot);
}

/** TCPIngress → services and routes on its ports, certificates (KIC 2.7). */
export function translateTcpIngress(context: Context, object: TCPIngress): void {
  if (!hasOurClass(context, object)) return;
  for (const [index, rule] of (object.spec?.rules ?? []).entries()) translateRule(context, rule, index, TCP);
  translateTls(context, object, object.spec?.tls ?? [], TCP_SNI_CLASS);
}

/** UDPIngress → services and routes on its ports (KIC 2.7). */
export function translateUdpIngress(context: Context, object: UDPIngress): void {
  if (!hasOurClass(context, object)) return;
  for (const [index, rule] of (object.spec?.rules ?? []).entries()) translateRule(context, rule, index, UDP);
}

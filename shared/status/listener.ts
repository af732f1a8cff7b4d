import type { Gateway, Listener } from '../kubernetes/gateway-resources.ts';
import { objectKey } from '../kubernetes/keys.ts';
import { fitsProtocol, GROUP } from '../translate/gateway.ts';
import { intersection } from '../translate/hostname.ts';
import type { Finding } from '../translate/types.ts';
import { condition } from './condition.ts';
import type { Seen } from './seen.ts';
import type { Condition, ListenerFacts, RouteKind } from './types.ts';

const ROUTE_KINDS = ['HTTPRoute', 'GRPCRoute', 'TCPRoute', 'UDPRoute', 'TLSRoute'] as const;
const STANDARD_KINDS: readonly string[] = ['HTTPRoute', 'GRPCRoute'];
const PROTOCOLS: readonly string[] = ['HTTP', 'HTTPS', 'TLS', 'TCP', 'UDP'];
/** Protocols of a port that each listener must have for itself (KIC 2.8.2). */
const UNSHARED: readonly string[] = ['TCP', 'UDP'];

/** What listeners on one port have to agree on; UDP ports are others than TCP's of the same number. */
function transport({ protocol }: Listener): string {
  return protocol === 'UDP' ? 'UDP' : 'TCP';
}

function sharing({ protocol }: Listener): string {
  return protocol === 'HTTPS' ? 'TLS' : protocol;
}

function neighbours(listener: Listener, all: readonly Listener[]): readonly Listener[] {
  return all.filter(
    (other) => other !== listener && other.port === listener.port && transport(other) === transport(listener),
  );
}

function conflicted(listener: Listener, all: readonly Listener[]): Condition {
  const others = neighbours(listener, all);
  const clash = others.find((other) => sharing(other) !== sharing(listener) || UNSHARED.includes(listener.protocol));
  if (clash !== undefined) {
    const message = `Port ${listener.port} cannot be shared with listener ${clash.name} of protocol ${clash.protocol}.`;
    return condition('Conflicted', 'True', 'ProtocolConflict', message);
  }
  const twin = others.find((other) => (other.hostname ?? '') === (listener.hostname ?? ''));
  if (twin !== undefined) {
    const message = `Listener ${twin.name} has the same port and hostname.`;
    return condition('Conflicted', 'True', 'HostnameConflict', message);
  }
  return condition('Conflicted', 'False', 'NoConflicts', 'No other listener wants the same.');
}

function overlaps(a: string, b: string): boolean {
  return a === '' || b === '' || intersection(a, b) !== undefined;
}

/** Of negative polarity: only there when it is true (Gateway API). */
function overlapping(listener: Listener, all: readonly Listener[]): readonly Condition[] {
  if (sharing(listener) !== 'TLS') return [];
  const other = neighbours(listener, all).find(
    (item) => sharing(item) === 'TLS' && overlaps(item.hostname ?? '', listener.hostname ?? ''),
  );
  if (other === undefined) return [];
  const message = `Its hostname overlaps with that of listener ${other.name}: connections may be reused for both.`;
  return [condition('OverlappingTLSConfig', 'True', 'OverlappingHostnames', message)];
}

function accepted({ protocol }: Listener): Condition {
  return PROTOCOLS.includes(protocol)
    ? condition('Accepted', 'True', 'Accepted', 'The listener is served.')
    : condition('Accepted', 'False', 'UnsupportedProtocol', `Kong cannot serve the protocol ${protocol}.`);
}

interface Problem {
  readonly reason: string;
  readonly message: string;
}

function invalid(message: string): Problem {
  return { reason: 'InvalidCertificateRef', message };
}

/** What is wrong with the reference to a listener's certificate; it is looked up only when it is granted. */
function certificateProblem(
  gateway: Gateway,
  listener: Listener,
  seen: Seen,
  findings: readonly Finding[],
): Problem | undefined {
  if (sharing(listener) !== 'TLS' || listener.tls?.mode === 'Passthrough') return undefined;
  const [ref, second] = listener.tls?.certificateRefs ?? [];
  if (ref === undefined) return invalid('tls.certificateRefs is empty.');
  if ((ref.kind ?? 'Secret') !== 'Secret' || (ref.group ?? '') !== '') {
    return invalid(`tls.certificateRefs names a ${ref.kind ?? 'Secret'}; only a Secret can hold a certificate.`);
  }
  if (second !== undefined) return invalid('tls.certificateRefs names several Secrets; Kong takes one a listener.');
  const namespace = ref.namespace ?? gateway.metadata.namespace ?? '';
  const name = `Secret ${namespace}/${ref.name}`;
  const key = objectKey('Secret', namespace, ref.name);
  if (!seen.has(key)) return { reason: 'RefNotPermitted', message: `No ReferenceGrant allows ${name}.` };
  if (seen.get(key) === undefined) return invalid(`${name} does not exist.`);
  const bad = findings.some(
    ({ object, reason }) =>
      object.kind === 'Secret' &&
      object.namespace === namespace &&
      object.name === ref.name &&
      reason === 'InvalidCertificate',
  );
  return bad ? invalid(`${name} holds no certificate with its key in tls.crt and tls.key.`) : undefined;
}

function isServed(kind: string, alpha: boolean): boolean {
  return alpha || STANDARD_KINDS.includes(kind);
}

/** The kinds that a listener takes, of those that are served at all. */
function supportedKinds(listener: Listener, alpha: boolean): readonly RouteKind[] {
  const served = ROUTE_KINDS.filter((kind) => isServed(kind, alpha) && fitsProtocol({ kind }, listener));
  const asked = listener.allowedRoutes?.kinds ?? [];
  const chosen =
    asked.length === 0
      ? served
      : served.filter((kind) => asked.some((item) => item.kind === kind && (item.group ?? GROUP) === GROUP));
  return chosen.map((kind) => ({ group: GROUP, kind }));
}

function kindsProblem(listener: Listener, supported: readonly RouteKind[]): Problem | undefined {
  const asked = listener.allowedRoutes?.kinds ?? [];
  const bad = asked.find(
    ({ kind, group }) => (group ?? GROUP) !== GROUP || !supported.some((item) => item.kind === kind),
  );
  if (bad === undefined) return undefined;
  const message = `allowedRoutes.kinds names ${bad.kind}, which a listener of protocol ${listener.protocol} does not take.`;
  return { reason: 'InvalidRouteKinds', message };
}

function resolvedRefs(problem: Problem | undefined): Condition {
  return problem === undefined
    ? condition('ResolvedRefs', 'True', 'ResolvedRefs', 'Every reference leads to an object.')
    : condition('ResolvedRefs', 'False', problem.reason, problem.message);
}

/** What a listener's status says, but for what only the moment of writing knows (Gateway API; KIC 2.8.2). */
export function listenerFacts(
  gateway: Gateway,
  listener: Listener,
  seen: Seen,
  findings: readonly Finding[],
  alpha: boolean,
): ListenerFacts {
  const all = gateway.spec?.listeners ?? [];
  const supported = supportedKinds(listener, alpha);
  const problem = certificateProblem(gateway, listener, seen, findings) ?? kindsProblem(listener, supported);
  return {
    name: listener.name,
    protocol: listener.protocol,
    port: listener.port,
    supportedKinds: supported,
    conditions: [accepted(listener), conflicted(listener, all), resolvedRefs(problem), ...overlapping(listener, all)],
  };
}

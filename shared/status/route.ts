import type { Gateway, GatewayRoute, Listener, ParentRef } from '../kubernetes/gateway-resources.ts';
import { keyOf } from '../kubernetes/keys.ts';
import { allowsKind, fitsProtocol, GROUP, selects } from '../translate/gateway.ts';
import { intersection } from '../translate/hostname.ts';
import type { Finding } from '../translate/types.ts';
import { condition } from './condition.ts';
import { failureOf } from './findings.ts';
import { aboutOf, seenObject, type Seen } from './seen.ts';
import type { Condition, Content, RouteParent, StatusReport } from './types.ts';

/** What the Gateway API calls references that lead nowhere, in the order in which KIC looks for them (KIC 2.8.3). */
const UNRESOLVED: readonly (readonly [condition: string, reasons: readonly string[]])[] = [
  ['InvalidKind', ['UnsupportedBackend']],
  ['BackendNotFound', ['ServiceNotFound', 'PortNotFound', 'FacadeNotFound', 'PluginNotFound']],
  ['RefNotPermitted', ['ReferenceNotGranted']],
];
const REFERENCE_REASONS = new Set(UNRESOLVED.flatMap(([, reasons]) => reasons));

/** Reasons that say that a rule, or the whole route, holds a value that is not served. */
const UNSUPPORTED = new Set([
  'FeatureGateOff',
  'InvalidHost',
  'InvalidName',
  'InvalidPath',
  'InvalidProtocol',
  'InvalidRewrite',
  'InvalidRoute',
  'MissingRules',
  'UnsupportedFilter',
  'UnsupportedMatch',
]);

function isOurs(seen: Seen, gateway: Gateway, controller: string): boolean {
  const name = gateway.spec?.gatewayClassName;
  return name !== undefined && seenObject(seen, 'GatewayClass', '', name)?.spec?.controllerName === controller;
}

function allowsNamespace(seen: Seen, gateway: Gateway, listener: Listener, namespace: string): boolean {
  const { from, selector } = listener.allowedRoutes?.namespaces ?? {};
  if (from === 'All') return true;
  if (from !== 'Selector') return namespace === (gateway.metadata.namespace ?? '');
  return selects(selector, seenObject(seen, 'Namespace', '', namespace));
}

function meets(listener: Listener, hostnames: readonly string[]): boolean {
  const { hostname = '' } = listener;
  return hostname === '' || hostnames.length === 0 || hostnames.some((host) => intersection(hostname, host));
}

/** A parent and what its listeners say. */
interface Judgement {
  readonly accepted: Condition;
  /** Names of the listeners that allow the route, whatever its hostnames: those that it counts for. */
  readonly attached: readonly string[];
}

function refused(reason: string, message: string, attached: readonly string[] = []): Judgement {
  return { accepted: condition('Accepted', 'False', reason, message), attached };
}

function judge(route: GatewayRoute, ref: ParentRef, gateway: Gateway, seen: Seen): Judgement {
  const all = gateway.spec?.listeners ?? [];
  const chosen = all.filter(
    ({ name, port }) =>
      (ref.sectionName === undefined || ref.sectionName === name) && (ref.port === undefined || ref.port === port),
  );
  if (chosen.length === 0) return refused('NoMatchingParent', 'The Gateway has no listener of this name and port.');
  const namespace = route.metadata.namespace ?? '';
  const allowing = chosen.filter(
    (listener) =>
      fitsProtocol(route, listener) &&
      allowsKind(listener, route) &&
      allowsNamespace(seen, gateway, listener, namespace),
  );
  if (allowing.length === 0) {
    const message = 'No listener allows routes of this kind and namespace; see its protocol and allowedRoutes.';
    return refused('NotAllowedByListeners', message);
  }
  const attached = allowing.map(({ name }) => name);
  const hostnames = 'hostnames' in (route.spec ?? {}) ? (route.spec?.hostnames ?? []) : [];
  if (!allowing.some((listener) => meets(listener, hostnames))) {
    const message = 'No listener that allows the route has a hostname in common with it.';
    return refused('NoMatchingListenerHostname', message, attached);
  }
  return { accepted: condition('Accepted', 'True', 'Accepted', 'A listener takes the route.'), attached };
}

function resolvedRefs(findings: readonly Finding[]): Condition {
  for (const [reason, reasons] of UNRESOLVED) {
    const failure = failureOf(findings, (found) => reasons.includes(found));
    if (failure !== undefined) return condition('ResolvedRefs', 'False', reason, failure.message);
  }
  return condition('ResolvedRefs', 'True', 'ResolvedRefs', 'Every reference leads to an object.');
}

/** Whether rules are left out: then the route is accepted in part, or, when none is left, not at all. */
function unsupported(findings: readonly Finding[], implemented: boolean): Condition | undefined {
  const failure = failureOf(findings, (reason) => UNSUPPORTED.has(reason));
  if (failure === undefined) return undefined;
  return implemented
    ? condition('PartiallyInvalid', 'True', 'UnsupportedValue', `Dropped Rule: ${failure.message}`)
    : condition('Accepted', 'False', 'UnsupportedValue', failure.message);
}

function parentOf(
  ref: ParentRef,
  { accepted }: Judgement,
  findings: readonly Finding[],
  implemented: boolean,
): RouteParent {
  const isAccepted = accepted.status === 'True';
  const limits = isAccepted ? unsupported(findings, implemented) : undefined;
  const verdict = limits?.type === 'Accepted' ? limits : accepted;
  const partly = limits?.type === 'PartiallyInvalid' ? [limits] : [];
  return {
    ref,
    conditions: [verdict, resolvedRefs(findings), ...partly],
    accepted: verdict.status === 'True',
  };
}

interface RouteFacts {
  readonly seen: Seen;
  /** On the route itself. */
  readonly findings: readonly Finding[];
  /** At least one rule of it is wanted in Kong. */
  readonly implemented: boolean;
  /** Why something of it is not in Kong though it is wanted. */
  readonly withheld: string | undefined;
  readonly controller: string;
}

function isGateway(ref: ParentRef): boolean {
  return (ref.kind ?? 'Gateway') === 'Gateway' && (ref.group ?? GROUP) === GROUP;
}

/**
 * What a route's translation says of its own status, one entry for each parent that is a Gateway of ours, and of those
 * Gateways: which of their listeners it is attached to (Gateway API; KIC 2.8.3). Nothing when no parent is ours. Pure.
 */
export function routeReports(route: GatewayRoute, facts: RouteFacts): readonly StatusReport[] {
  const { seen, findings, implemented, withheld, controller } = facts;
  const judged = (route.spec?.parentRefs ?? []).filter(isGateway).flatMap((ref) => {
    const namespace = ref.namespace ?? route.metadata.namespace ?? '';
    const gateway = seenObject(seen, 'Gateway', namespace, ref.name);
    if (gateway === undefined || !isOurs(seen, gateway, controller)) return [];
    return [{ ref, gateway: keyOf(gateway), judgement: judge(route, ref, gateway, seen) }];
  });
  if (judged.length === 0) return [];
  const failure =
    failureOf(findings, (reason) => reason !== 'NotAccepted' && !REFERENCE_REASONS.has(reason)) ??
    (withheld === undefined ? undefined : { reason: 'Withheld', message: withheld });
  const content: Content = {
    family: 'route',
    ...aboutOf(route),
    parents: judged.map(({ ref, judgement }) => parentOf(ref, judgement, findings, implemented)),
    ...(failure === undefined ? {} : { failure }),
  };
  const attached = Map.groupBy(judged, ({ gateway }) => gateway);
  return [
    { object: keyOf(route), content },
    ...[...attached].map(([object, all]): StatusReport => {
      const listeners = [...new Set(all.flatMap(({ judgement }) => judgement.attached))].toSorted();
      return { object, content: { family: 'attached', listeners } };
    }),
  ];
}

import type { GatewayRoute } from '../kubernetes/gateway-resources.ts';
import { keyOf, keyOfRef, providedKeys } from '../kubernetes/keys.ts';
import { isResource } from '../kubernetes/object.ts';
import type { KubernetesObject } from '../kubernetes/resources.ts';
import type { Finding, Proposal, TranslateOptions } from '../translate/types.ts';
import { failureOf } from './findings.ts';
import { type GatewayOptions, gatewayReports } from './gateway.ts';
import { tlsPolicyReports, upstreamPolicyReports } from './policy.ts';
import { routeReports } from './route.ts';
import { aboutOf, seenOfKind, type Seen } from './seen.ts';
import type { Content, Failure, StatusReport } from './types.ts';

/** What is known of a root when its statuses are described. */
export interface Described {
  /** What its translation looked up. */
  readonly seen: Seen;
  readonly proposals: readonly Pick<Proposal, 'type'>[];
  /** Of its translation, and where it has been written, of that too. */
  readonly findings: readonly Finding[];
  /** Why something of it is not in Kong though it is wanted, beyond the findings. */
  readonly withheld?: string;
}

/** The settings that descriptions depend on. */
export type DescribeOptions = GatewayOptions & Pick<TranslateOptions, 'ingressClass'>;

const ADDRESSED = ['Ingress', 'TCPIngress', 'UDPIngress'];
const PROGRAMMED = ['KongConsumer', 'KongConsumerGroup', 'KongVault', 'KongCustomEntity', 'KongClusterPlugin'];
const GATEWAY_ROUTES = ['HTTPRoute', 'GRPCRoute', 'TCPRoute', 'UDPRoute', 'TLSRoute'] as const;
/** Kinds that roots read, and whose status says whether Kong has what became of them. */
const READ = ['KongPlugin', 'KongClusterPlugin', 'KongServiceFacade'] as const;
/** Of these, those that have a class. */
const CLASSED: readonly string[] = ['KongClusterPlugin', 'KongServiceFacade'];
const CLASS_ANNOTATION = 'kubernetes.io/ingress.class';

type Failing = Extract<Content, { family: 'programmed' | 'addressed' | 'license' }>;

function withFailure(content: Failing, failure: Failure | undefined): Content {
  return failure === undefined ? content : { ...content, failure };
}

/** An Ingress shows addresses as long as something of it is served; what is wrong with the rest, its Events say. */
function addressed(root: KubernetesObject, { proposals, withheld }: Described, own: readonly Finding[]): Content {
  const served = proposals.some(({ type }) => type === 'routes');
  const failure = served ? failureOf(own, (reason) => reason.startsWith('Kong')) : failureOf(own, () => true);
  const waits = withheld === undefined ? undefined : { reason: 'Withheld', message: withheld };
  return withFailure({ family: 'addressed', uid: aboutOf(root).uid }, failure ?? waits);
}

/** What a root of one of Kong's kinds, or an Ingress, says of itself. */
function ownContent(root: KubernetesObject, facts: Described, own: readonly Finding[]): Content | undefined {
  if (ADDRESSED.includes(root.kind)) return addressed(root, facts, own);
  const waits = facts.withheld === undefined ? undefined : { reason: 'Withheld', message: facts.withheld };
  const failure = failureOf(own, () => true) ?? waits;
  const about = aboutOf(root);
  if (root.kind === 'KongLicense') {
    return withFailure({ family: 'license', ...about, elected: facts.proposals.length > 0 }, failure);
  }
  return PROGRAMMED.includes(root.kind) ? withFailure({ family: 'programmed', ...about }, failure) : undefined;
}

function isForOthers(object: KubernetesObject, { ingressClass }: DescribeOptions): boolean {
  const named = object.metadata.annotations?.[CLASS_ANNOTATION] ?? '';
  return CLASSED.includes(object.kind) && named !== '' && named !== ingressClass;
}

/** What a root says of the plugins and facades that it uses. */
function readReports(root: KubernetesObject, facts: Described, options: DescribeOptions): readonly StatusReport[] {
  return READ.flatMap((kind) => seenOfKind(facts.seen, kind)).flatMap((object): StatusReport[] => {
    const key = keyOf(object);
    if (key === keyOf(root) || isForOthers(object, options)) return [];
    const failure = failureOf(
      facts.findings.filter((item) => keyOfRef(item.object) === key),
      () => true,
    );
    return [{ object: key, content: withFailure({ family: 'programmed', ...aboutOf(object) }, failure) }];
  });
}

/** The Services that an object names as backends, `namespace/name`. */
function backendServices(root: KubernetesObject): ReadonlySet<string> {
  const mark = `${root.kind}?service=`;
  return new Set(providedKeys(root).flatMap((key) => (key.startsWith(mark) ? [key.slice(mark.length)] : [])));
}

function isRoute(root: KubernetesObject): root is GatewayRoute {
  return GATEWAY_ROUTES.some((kind) => isResource(kind, root));
}

function routes(
  root: GatewayRoute,
  facts: Described,
  own: readonly Finding[],
  options: DescribeOptions,
): StatusReport[] {
  const { seen, findings, proposals, withheld } = facts;
  const implemented = proposals.some(({ type }) => type === 'routes');
  const controller = options.gatewayController;
  const [route, ...gateways] = routeReports(root, { seen, findings: own, implemented, withheld, controller });
  if (route === undefined || route.content.family !== 'route') return [];
  const { parents } = route.content;
  const policies = tlsPolicyReports(root.metadata.namespace ?? '', backendServices(root), parents, seen, findings);
  return [route, ...gateways, ...policies];
}

function rootReports(
  root: KubernetesObject,
  facts: Described,
  own: readonly Finding[],
  options: DescribeOptions,
): readonly StatusReport[] {
  if (isRoute(root)) return routes(root, facts, own, options);
  if (facts.proposals.length === 0 && own.length === 0) return [];
  const content = ownContent(root, facts, own);
  return content === undefined ? [] : [{ object: keyOf(root), content }];
}

/**
 * What a root's translation says of statuses: of its own, and of those that it read. Nothing for a root that is not
 * ours: one that wants nothing and of which nothing is to be said. A malformed object may be anybody's. Pure.
 */
export function describe(root: KubernetesObject, facts: Described, options: DescribeOptions): readonly StatusReport[] {
  const { seen, findings } = facts;
  const rootKey = keyOf(root);
  const own = findings.filter((item) => keyOfRef(item.object) === rootKey);
  if (own.some((item) => item.reason === 'InvalidObject')) return [];
  if (isResource('Gateway', root)) {
    return gatewayReports(root, seen, findings, facts.proposals.length === 0, options);
  }
  const reports = rootReports(root, facts, own, options);
  if (reports.length === 0) return [];
  return [...reports, ...readReports(root, facts, options), ...upstreamPolicyReports(seen, findings)];
}

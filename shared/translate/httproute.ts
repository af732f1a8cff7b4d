import { createHash } from 'node:crypto';
import type { HTTPBackendRef, HTTPRoute, HTTPRouteRule, RouteFilter } from '../kubernetes/gateway-resources.ts';
import { each } from './answers.ts';
import { type Context, compareText } from './context.ts';
import { proposeTermination, usableBackends } from './gateway-backend.ts';
import { type Attachment, attach } from './gateway.ts';
import {
  expressionPriorities,
  hostsField,
  proposeExpressionRoutes,
  proposeTraditionalRoutes,
} from './httproute-routes.ts';
import { isEnabled } from './kong-features.ts';
import { type KongService, proposeService } from './service.ts';
import { listenerProtocols } from './gateway-route.ts';
import { durationMs } from './duration.ts';

/** A rule with its place in the HTTPRoute. */
export interface PlacedRule {
  readonly index: number;
  readonly rule: HTTPRouteRule;
}

/** Rules that share their backends: one Kong service. */
interface Group {
  readonly name: string;
  readonly rules: readonly PlacedRule[];
}

const LONGEST_NAME = 511;

/** A text that is equal for equal sets. */
function setKey(items: readonly (HTTPBackendRef | RouteFilter)[]): string {
  return items
    .map((item) => JSON.stringify(item, (_key, value: unknown) => sortedFields(value)))
    .toSorted()
    .join(';');
}

function sortedFields(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => compareText(a, b)));
}

/** The service's name when HTTPRoutes of a namespace share services: made of its backends (KIC 2.4.2). */
export function combinedServiceName(namespace: string, refs: readonly HTTPBackendRef[]): string {
  const prefix = `httproute.${namespace}.svc.`;
  const backends = refs
    .map((ref) =>
      [ref.namespace ?? namespace, ref.name, ref.port, ref.weight].filter((part) => part !== undefined).join('.'),
    )
    .toSorted();
  const full = prefix + (backends.length === 0 ? '_' : backends.join('_'));
  if (full.length <= LONGEST_NAME) return full;
  return `${prefix}${backends[0] ?? '_'}_combined.${createHash('sha256').update(full).digest('hex')}`;
}

/** KIC orders the rules of a service by `namespace/name.index` as text, so that 10 comes before 2. */
function groupsOf(context: Context, route: HTTPRoute): readonly Group[] {
  const namespace = route.metadata.namespace ?? '';
  const rules = (route.spec?.rules ?? []).map((rule, index): PlacedRule => ({ rule, index }));
  const combined = isEnabled(context.options, 'CombinedServicesFromDifferentHTTPRoutes');
  const groups = Map.groupBy(rules, ({ rule }) =>
    combined ? combinedServiceName(namespace, rule.backendRefs ?? []) : setKey(rule.backendRefs ?? []),
  );
  return [...groups].map(([key, members]) => ({
    name: combined ? key : `httproute.${namespace}.${route.metadata.name}.${members[0]?.index ?? 0}`,
    rules: members.toSorted((a, b) => compareText(String(a.index), String(b.index))),
  }));
}

const DEFAULT_TIMEOUT_MS = 60_000;

/** `timeouts.backendRequest` of the rules, the last one that sets another than the default (KIC 2.4.3). */
function timeoutOf(context: Context, rules: readonly PlacedRule[]): number | undefined {
  let timeout: number | undefined;
  for (const { rule, index } of rules) {
    const { backendRequest, request } = rule.timeouts ?? {};
    if (request !== undefined) {
      context.report(
        context.root,
        'UnsupportedField',
        `spec.rules[${index}].timeouts.request has no counterpart in Kong`,
      );
    }
    if (backendRequest === undefined) continue;
    const ms = durationMs(backendRequest);
    if (ms === undefined) {
      const detail = `spec.rules[${index}].timeouts.backendRequest is no duration like 10s`;
      context.report(context.root, 'UnsupportedField', detail);
    } else if (ms !== DEFAULT_TIMEOUT_MS) timeout = ms;
  }
  return timeout;
}

function proposeGroupService(context: Context, group: Group): KongService | undefined {
  const first = group.rules[0];
  const refs = first?.rule.backendRefs ?? [];
  const backends = usableBackends(context, refs, `spec.rules[${first?.index ?? 0}].backendRefs`);
  for (const [index, { filters = [] }] of refs.entries()) {
    if (filters.length === 0) continue;
    const detail = `spec.rules[${first?.index ?? 0}].backendRefs[${index}].filters has no counterpart in Kong`;
    context.report(context.root, 'UnsupportedField', detail);
  }
  const timeoutMs = timeoutOf(context, group.rules);
  const service = proposeService(context, {
    name: group.name,
    host: group.name,
    protocol: 'http',
    timeouts: true,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    backends,
    rank: context.rank(0),
  });
  if (service !== undefined && backends.length === 0 && refs.length > 0) proposeTermination(context, service);
  return service;
}

function translateGroup(
  context: Context,
  route: HTTPRoute,
  attachment: Attachment,
  group: Group,
  priorities: ReadonlyMap<string, number>,
): void {
  const service = proposeGroupService(context, group);
  if (service === undefined) return;
  const { hostnames, listeners } = attachment;
  const protocols = listenerProtocols(listeners, { HTTP: 'http', HTTPS: 'https' });
  const base = { preserve_host: true, ...(protocols === undefined ? {} : { protocols }) };
  if (context.options.routerFlavor === 'expressions') {
    proposeExpressionRoutes(context, { route, service, rules: group.rules, base, hostnames, priorities });
    return;
  }
  const fields = { ...base, ...hostsField(hostnames) };
  for (const rules of Map.groupBy(group.rules, ({ rule }) => setKey(rule.filters ?? [])).values()) {
    proposeTraditionalRoutes(context, { route, service, rules, base: fields, hostnames, priorities });
  }
}

/** Query parameters cannot be matched by the traditional router: then KIC leaves the whole route out. */
function hasUnsupportedMatch(context: Context, route: HTTPRoute): boolean {
  if (context.options.routerFlavor === 'expressions') return false;
  const index = (route.spec?.rules ?? []).findIndex((rule) =>
    (rule.matches ?? []).some((match) => (match.queryParams ?? []).length > 0),
  );
  if (index < 0) return false;
  const detail = `spec.rules[${index}].matches has queryParams, which the traditional router cannot match`;
  context.report(route, 'UnsupportedMatch', detail);
  return true;
}

/** HTTPRoute → services, upstreams, targets, routes and the plugins of its filters (KIC 2.4). */
export function translateHttpRoute(context: Context, route: HTTPRoute): void {
  const attachment = attach(context, route);
  if (attachment === undefined || hasUnsupportedMatch(context, route)) return;
  if ((route.spec?.rules ?? []).length === 0) context.report(route, 'MissingRules', 'spec.rules is empty');
  const ranked = context.options.routerFlavor === 'expressions';
  const priorities = ranked
    ? expressionPriorities(context, route.spec?.rules ?? [], attachment.hostnames)
    : new Map<string, number>();
  each(groupsOf(context, route), (group) => translateGroup(context, route, attachment, group, priorities));
}

import type { GRPCRoute, GRPCRouteMatch, GRPCRouteRule, ValueMatch } from '../kubernetes/gateway-resources.ts';
import { each } from './answers.ts';
import type { Context } from './context.ts';
import { compareText, objectTags } from './context.ts';
import { type Expression, and, compare, headerField, hostExpression, packBits, sniExpression } from './expression.ts';
import { proposeTermination, usableBackends } from './gateway-backend.ts';
import { listenerProtocols, proposeGatewayRoute } from './gateway-route.ts';
import { type Attachment, attach } from './gateway.ts';
import { isHeaderName, isHost } from './host.ts';
import { translateFilters } from './http-filter.ts';
import { ranked } from './http-match.ts';
import { hostText } from './identity.ts';
import { isRegex, pathProblem } from './path.ts';
import { pluginIdentity } from './plugin.ts';
import { type RouteFields, annotatedSnis } from './route.ts';
import { type KongService, proposeService } from './service.ts';

/** Where GRPCRoute stands among the kinds that make expression routes. */
const GRPC_ROUTE_KIND = 1;
const RELATIVE_BITS = 8;

type MethodMatch = NonNullable<GRPCRouteMatch['method']>;

function isRegexMatch({ type }: { readonly type?: string }): boolean {
  return type === 'RegularExpression';
}

/** The path that a method match means; an Exact service alone is not anchored (KIC 2.5). */
function methodPath(method: MethodMatch): string {
  const rest = method.method ?? (isRegexMatch(method) ? '.+' : '');
  return `~/${method.service ?? '.+'}/${rest}`;
}

function methodExpression(method: MethodMatch | undefined): Expression {
  if (method === undefined) return undefined;
  const { service, method: name } = method;
  if (service === undefined && name === undefined) return compare('http.path', '^=', '/');
  if (isRegexMatch(method)) return compare('http.path', '~', `^/${service ?? '.+'}/${name ?? '.+'}`);
  if (name === undefined) return compare('http.path', '^=', `/${service ?? ''}/`);
  if (service === undefined) return compare('http.path', '=^', `/${name}`);
  return compare('http.path', '==', `/${service}/${name}`);
}

function headersOf(headers: readonly ValueMatch[]): RouteFields {
  if (headers.length === 0) return {};
  const pairs = headers.map((header) => [header.name, [isRegexMatch(header) ? `~*${header.value}` : header.value]]);
  return { headers: Object.fromEntries(pairs) };
}

function headersExpression(headers: readonly ValueMatch[]): Expression {
  const sorted = headers.toSorted((a, b) => compareText(a.name, b.name));
  return and(
    sorted.map((header) => compare(headerField(header.name), isRegexMatch(header) ? '~' : '==', header.value)),
  );
}

/** The matches of a rule; a rule without any takes every call for its hosts. */
function matchesOf(rule: GRPCRouteRule): readonly GRPCRouteMatch[] {
  const matches = rule.matches ?? [];
  return matches.length === 0 ? [{}] : matches;
}

/** What in a match Kong would refuse, or undefined. */
function matchProblem({ method, headers = [] }: GRPCRouteMatch): string | undefined {
  const path = method === undefined ? undefined : pathProblem(methodPath(method));
  if (path !== undefined) return `method makes a path that ${path}`;
  const name = headers.find((header) => !isHeaderName(header.name) || header.name.toLowerCase() === 'host');
  if (name !== undefined) return `header ${JSON.stringify(name.name.slice(0, 80))} cannot be matched`;
  const value = headers.find((header) => isRegexMatch(header) && !isRegex(header.value));
  return value === undefined ? undefined : `header ${value.name} has a value that is no regular expression`;
}

function isUsable(context: Context, match: GRPCRouteMatch, field: string): boolean {
  const problem = matchProblem(match);
  if (problem !== undefined) context.report(context.root, 'InvalidPath', `${field}: ${problem}`);
  return problem === undefined;
}

function proposeRuleService(
  context: Context,
  attachment: Attachment,
  rule: GRPCRouteRule,
  ruleIndex: number,
  name: string,
): KongService | undefined {
  const refs = rule.backendRefs ?? [];
  const backends = usableBackends(context, refs, `spec.rules[${ruleIndex}].backendRefs`);
  const plain = attachment.listeners.some(({ protocol }) => protocol === 'HTTP');
  const service = proposeService(context, {
    name,
    host: name,
    protocol: plain ? 'grpc' : 'grpcs',
    timeouts: true,
    backends,
    untagged: context.options.routerFlavor === 'traditional',
    rank: context.rank(0),
  });
  if (service !== undefined && backends.length === 0 && refs.length > 0) proposeTermination(context, service);
  return service;
}

/** A route and the plugins of its rule's filters; every named rule of the object tags each route (KIC 2.1.5). */
function proposeRoute(
  context: Context,
  route: GRPCRoute,
  service: KongService,
  ruleIndex: number,
  name: string,
  fields: RouteFields,
): void {
  const rules = route.spec?.rules ?? [];
  const filters = translateFilters(context, rules[ruleIndex]?.filters ?? [], '', `spec.rules[${ruleIndex}].filters`);
  if (filters === undefined) return;
  const ruleNames = rules.flatMap((rule) => rule.name ?? []);
  const bound = proposeGatewayRoute(context, route, service, {
    name,
    fields,
    ruleNames,
    extensions: filters.extensions,
  });
  if (bound === undefined) return;
  for (const { name: plugin, config } of filters.plugins) {
    context.propose({
      ...pluginIdentity(context, plugin, { route: bound }),
      body: { name: plugin, config },
      tags: objectTags(context, route, ruleNames),
    });
  }
}

function nameOf(route: GRPCRoute, ...parts: readonly (string | number)[]): string {
  return ['grpcroute', route.metadata.namespace ?? '', route.metadata.name, ...parts].join('.');
}

/** The hosts of the traditional router: the route's, else those of its listeners. */
function hostsOf(attachment: Attachment): readonly string[] {
  if (attachment.hostnames.length > 0) return attachment.hostnames;
  const hostnames = attachment.listeners.map(({ hostname }) => hostname ?? '');
  return hostnames.includes('') ? [] : [...new Set(hostnames)];
}

function translateTraditional(context: Context, route: GRPCRoute, attachment: Attachment): void {
  const hosts = hostsOf(attachment);
  const base: RouteFields = { protocols: ['grpc', 'grpcs'], ...(hosts.length === 0 ? {} : { hosts }) };
  each(route.spec?.rules ?? [], (rule, ruleIndex) => {
    const service = proposeRuleService(context, attachment, rule, ruleIndex, nameOf(route, ruleIndex));
    if (service === undefined) return;
    for (const [matchIndex, match] of matchesOf(rule).entries()) {
      if (!isUsable(context, match, `spec.rules[${ruleIndex}].matches[${matchIndex}]`)) continue;
      const any = match.method === undefined && hosts.length === 0;
      const paths = match.method === undefined ? (any ? ['/'] : undefined) : [methodPath(match.method)];
      const fields = { ...base, ...(paths === undefined ? {} : { paths }), ...headersOf(match.headers ?? []) };
      proposeRoute(context, route, service, ruleIndex, nameOf(route, ruleIndex, matchIndex), fields);
    }
  });
}

/** Priority without the bits for the order among equal ones (KIC 2.5). */
function basePriority(host: string, match: GRPCRouteMatch): number {
  return packBits([
    [GRPC_ROUTE_KIND, 44, 2],
    [host !== '' && !host.startsWith('*') ? 1 : 0, 43, 1],
    [host.length, 35, 8],
    [match.method?.service?.length ?? 0, 24, 11],
    [match.method?.method?.length ?? 0, 13, 11],
    [match.headers?.length ?? 0, RELATIVE_BITS, 5],
  ]);
}

const EVERY_CALL = '(net.protocol == "grpc") || (net.protocol == "grpcs")';

interface Split {
  readonly host: string;
  readonly rule: GRPCRouteRule;
  readonly ruleIndex: number;
  readonly match: GRPCRouteMatch;
  readonly matchIndex: number;
}

function splitsOf(route: GRPCRoute, hosts: readonly string[]): readonly Split[] {
  return (route.spec?.rules ?? []).flatMap((rule, ruleIndex) =>
    matchesOf(rule).flatMap((match, matchIndex) => hosts.map((host) => ({ host, rule, ruleIndex, match, matchIndex }))),
  );
}

function translateExpressions(context: Context, route: GRPCRoute, attachment: Attachment): void {
  const hosts = attachment.hostnames.length === 0 ? [''] : attachment.hostnames.filter(isHost);
  const snis = sniExpression(annotatedSnis(context, route) ?? []);
  const protocols = listenerProtocols(attachment.listeners, { HTTP: 'grpc', HTTPS: 'grpcs' });
  const splits = splitsOf(route, hosts);
  const priorities = ranked(
    splits.map(({ host, match }) => ({ base: basePriority(host, match) })),
    RELATIVE_BITS,
  );
  each(splits, ({ host, rule, ruleIndex, match, matchIndex }, index) => {
    if (!isUsable(context, match, `spec.rules[${ruleIndex}].matches[${matchIndex}]`)) return;
    const name = nameOf(route, host === '' ? '_' : hostText(host), ruleIndex);
    const service = proposeRuleService(context, attachment, rule, ruleIndex, name);
    if (service === undefined) return;
    const hostMatch = host === '' ? undefined : hostExpression([host]);
    const parts = [methodExpression(match.method), headersExpression(match.headers ?? []), hostMatch, snis];
    proposeRoute(context, route, service, ruleIndex, `${name}.${matchIndex}`, {
      preserve_host: true,
      ...(protocols === undefined ? {} : { protocols }),
      expression: and(parts) ?? EVERY_CALL,
      priority: priorities[index] ?? 0,
    });
  });
}

/** GRPCRoute → services, upstreams, targets, routes and the plugins of its filters (KIC 2.5). */
export function translateGrpcRoute(context: Context, route: GRPCRoute): void {
  const attachment = attach(context, route);
  if (attachment === undefined) return;
  if ((route.spec?.rules ?? []).length === 0) context.report(route, 'MissingRules', 'spec.rules is empty');
  const translate = context.options.routerFlavor === 'expressions' ? translateExpressions : translateTraditional;
  translate(context, route, attachment);
}

import type { HTTPRoute, HTTPRouteMatch, HTTPRouteRule } from '../kubernetes/gateway-resources.ts';
import { matchKey as sameMatchKey } from '../kubernetes/match-key.ts';
import { each } from './answers.ts';
import { type Context, compareRanks, findAll, objectTags, rankOf } from './context.ts';
import { type Expression, sniExpression } from './expression.ts';
import { proposeGatewayRoute } from './gateway-route.ts';
import { isHeaderName, isHost } from './host.ts';
import { type Filters, capturesPrefix, isPerMatch, translateFilters } from './http-filter.ts';
import {
  type PlacedMatch,
  basePriority,
  matchHeaders,
  matchKey,
  matchPaths,
  ranked,
  routeExpression,
} from './http-match.ts';
import { hostText } from './identity.ts';
import { isRegex, pathProblem } from './path.ts';
import { type Bound, pluginIdentity } from './plugin.ts';
import { type RouteFields, annotatedSnis } from './route.ts';
import type { KongService } from './service.ts';

/** Rules whose matches become routes of one service. */
export interface RouteGroup {
  readonly route: HTTPRoute;
  readonly service: KongService;
  readonly rules: readonly { readonly index: number; readonly rule: HTTPRouteRule }[];
  readonly base: RouteFields;
  readonly hostnames: readonly string[];
  /** Of the expressions router: see `splitKey`. */
  readonly priorities: ReadonlyMap<string, number>;
}

/** Kong's hosts; none for every host. */
export function hostsField(hostnames: readonly string[]): RouteFields {
  return hostnames.length === 0 ? {} : { hosts: hostnames };
}

/** What in a match Kong would refuse, or undefined. */
function matchProblem(match: HTTPRouteMatch, traditional: boolean): string | undefined {
  // Nothing is escaped on the way to Kong, so that a plain value has to be sound as a regular expression too.
  for (const path of [match.path?.value ?? '/', ...matchPaths(match, false)]) {
    const problem = pathProblem(path);
    if (problem !== undefined) return `path ${JSON.stringify(path.slice(0, 120))} ${problem}`;
  }
  if (match.method !== undefined && !/^[A-Z]+$/.test(match.method)) return 'method is no HTTP method';
  for (const header of match.headers ?? []) {
    // The traditional router matches the host by `hosts` alone.
    const isHostHeader = traditional && header.name.toLowerCase() === 'host';
    if (isHostHeader || !isHeaderName(header.name)) {
      return `header ${JSON.stringify(header.name.slice(0, 80))} cannot be matched`;
    }
    if (header.type === 'RegularExpression' && !isRegex(header.value)) {
      return `header ${header.name} has a value that is no regular expression`;
    }
  }
  for (const query of match.queryParams ?? []) {
    if (!/^[A-Za-z0-9_.~-]+$/.test(query.name))
      return `query parameter ${JSON.stringify(query.name.slice(0, 80))} is no name`;
  }
  return undefined;
}

/** The group's matches that Kong can take, in order; the others are findings. */
function usableMatches(context: Context, group: RouteGroup): readonly PlacedMatch[] {
  return group.rules.flatMap(({ index: ruleIndex, rule }) =>
    (rule.matches ?? []).flatMap((match, matchIndex) => {
      const problem = matchProblem(match, context.options.routerFlavor === 'traditional');
      if (problem === undefined) return [{ ruleIndex, matchIndex, match }];
      context.report(group.route, 'InvalidPath', `spec.rules[${ruleIndex}].matches[${matchIndex}]: ${problem}`);
      return [];
    }),
  );
}

function ruleNames(group: RouteGroup, matches: readonly { readonly ruleIndex: number }[]): readonly string[] {
  const indexes = new Set(matches.map(({ ruleIndex }) => ruleIndex));
  return group.rules.flatMap(({ index, rule }) => (indexes.has(index) && rule.name !== undefined ? [rule.name] : []));
}

function proposeFilterPlugins(
  context: Context,
  group: RouteGroup,
  route: Bound | undefined,
  filters: Filters,
  names: readonly string[],
): void {
  if (route === undefined) return;
  for (const { name, config } of filters.plugins) {
    context.propose({
      ...pluginIdentity(context, name, { route }),
      body: { name, config },
      tags: objectTags(context, group.route, names),
    });
  }
}

function routeName(group: RouteGroup, ...parts: readonly (string | number)[]): string {
  const { namespace = '', name } = group.route.metadata;
  return ['httproute', namespace, name, ...parts].join('.');
}

/** One Kong route for matches that differ in their paths only. */
function proposeMatches(context: Context, group: RouteGroup, matches: readonly PlacedMatch[]): void {
  const first = matches[0];
  if (first === undefined) return;
  const { match, ruleIndex } = first;
  const filterList = group.rules.find(({ index }) => index === ruleIndex)?.rule.filters ?? [];
  const field = `spec.rules[${ruleIndex}].filters`;
  const filters = translateFilters(context, filterList, match.path?.value ?? '', field);
  if (filters === undefined) return;
  const headers = matchHeaders(match);
  const paths = matches.flatMap((item) => matchPaths(item.match, filters.capturesPrefix));
  const names = ruleNames(group, matches);
  const route = proposeGatewayRoute(context, group.route, group.service, {
    name: routeName(group, ruleIndex, first.matchIndex),
    fields: {
      ...group.base,
      strip_path: false,
      ...(paths.length === 0 ? {} : { paths }),
      ...(match.method === undefined ? {} : { methods: [match.method] }),
      ...(Object.keys(headers).length === 0 ? {} : { headers }),
    },
    ruleNames: names,
    extensions: filters.extensions,
  });
  proposeFilterPlugins(context, group, route, filters, names);
}

/** A rule without matches takes every request for its hosts; its filters count for nothing (KIC 2.4.5). */
function proposeUnmatched(context: Context, group: RouteGroup): void {
  for (const { index, rule } of group.rules) {
    if ((rule.matches ?? []).length > 0) continue;
    proposeGatewayRoute(context, group.route, group.service, {
      name: routeName(group, index, 0),
      fields: group.base,
      ruleNames: rule.name === undefined ? [] : [rule.name],
    });
  }
}

/** Routes of the traditional router for rules that share service and filters (KIC 2.4.5). */
export function proposeTraditionalRoutes(context: Context, group: RouteGroup): void {
  proposeUnmatched(context, group);
  const matches = usableMatches(context, group);
  const perMatch = isPerMatch(group.rules[0]?.rule.filters ?? []);
  const shared = Map.groupBy(matches, (match) =>
    perMatch ? `${match.ruleIndex}.${match.matchIndex}` : matchKey(match),
  );
  for (const members of shared.values()) proposeMatches(context, group, members);
}

interface Split extends PlacedMatch {
  readonly host: string;
}

function splitKey({ host, ruleIndex, matchIndex }: Split): string {
  return `${host} ${ruleIndex}.${matchIndex}`;
}

/** Every hostname with every match of every rule, in the order of rules and matches (KIC 2.4.8). */
function splitMatches(rules: RouteGroup['rules'], hostnames: readonly string[]): readonly Split[] {
  const hosts = hostnames.length === 0 ? [''] : hostnames.filter(isHost);
  return rules
    .toSorted((a, b) => a.index - b.index)
    .flatMap(({ index, rule }) => {
      const matches: readonly HTTPRouteMatch[] = (rule.matches ?? []).length === 0 ? [{}] : (rule.matches ?? []);
      return matches.flatMap((match, matchIndex) =>
        hosts.map((host) => ({ host, ruleIndex: index, matchIndex, match })),
      );
    });
}

/** How many older HTTPRoutes match the same: theirs come first. KIC orders all matches of equal weight instead. */
function olderEqual(context: Context, { host, match }: Split): number {
  const others = findAll(context, 'HTTPRoute', { match: sameMatchKey(host, match) });
  const own = context.rank(0);
  return others.filter((other) => compareRanks(rankOf(other, 0), own) < 0).length;
}

/** The priorities of all matches of an HTTPRoute: matches of equal weight are ordered by their place in it. */
export function expressionPriorities(
  context: Context,
  rules: readonly HTTPRouteRule[],
  hostnames: readonly string[],
): ReadonlyMap<string, number> {
  const splits = splitMatches(
    rules.map((rule, index) => ({ rule, index })),
    hostnames,
  );
  const bases = each(splits, (split) => ({
    base: basePriority(split.host, split.match),
    before: olderEqual(context, split),
  }));
  const priorities = ranked(bases);
  return new Map(splits.map((split, index) => [splitKey(split), priorities[index] ?? 0]));
}

function proposeSplit(context: Context, group: RouteGroup, split: Split, snis: Expression): void {
  const { host, match, ruleIndex, matchIndex } = split;
  const rule = group.rules.find(({ index }) => index === ruleIndex)?.rule;
  const filterList = rule?.filters ?? [];
  const filters = translateFilters(context, filterList, match.path?.value ?? '', `spec.rules[${ruleIndex}].filters`);
  if (filters === undefined) return;
  const names = rule?.name === undefined ? [] : [rule.name];
  const route = proposeGatewayRoute(context, group.route, group.service, {
    name: routeName(group, host === '' ? '_' : hostText(host), ruleIndex, matchIndex),
    fields: {
      ...group.base,
      strip_path: false,
      expression: routeExpression(host, snis, match, capturesPrefix(filterList)),
      priority: group.priorities.get(splitKey(split)) ?? 0,
    },
    ruleNames: names,
    extensions: filters.extensions,
  });
  proposeFilterPlugins(context, group, route, filters, names);
}

/** Routes of the expressions router (KIC 2.4.8). */
export function proposeExpressionRoutes(context: Context, group: RouteGroup): void {
  const snis = sniExpression(annotatedSnis(context, group.route) ?? []);
  const usable = new Set(usableMatches(context, group).map(({ match }) => match));
  for (const split of splitMatches(group.rules, group.hostnames)) {
    const unmatched = Object.keys(split.match).length === 0;
    if (unmatched || usable.has(split.match)) proposeSplit(context, group, split, snis);
  }
}

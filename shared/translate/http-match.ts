import { canonicalJson } from '../hash.ts';
import type { HTTPRouteMatch, ValueMatch } from '../kubernetes/gateway-resources.ts';
import { compareText } from './context.ts';
import {
  type Expression,
  anchored,
  and,
  compare,
  headerField,
  hostExpression,
  methodExpression,
  or,
  packBits,
} from './expression.ts';

/** A match of a rule, with its place in the HTTPRoute. */
export interface PlacedMatch {
  readonly ruleIndex: number;
  readonly matchIndex: number;
  readonly match: HTTPRouteMatch;
}

/** Where HTTPRoute stands among the kinds that make expression routes. */
const HTTP_ROUTE_KIND = 2;

/** The first of several entries for one name counts (Gateway API). */
function firstByName(values: readonly ValueMatch[], normal: (name: string) => string): readonly ValueMatch[] {
  const seen = new Map<string, ValueMatch>();
  for (const value of values) {
    const name = normal(value.name);
    if (!seen.has(name)) seen.set(name, { ...value, name });
  }
  return [...seen.values()].toSorted((a, b) => compareText(a.name, b.name));
}

function toJson(values: readonly ValueMatch[]) {
  return values.map(({ type, name, value }) => [type ?? 'Exact', name, value]);
}

/** Matches of one key share a Kong route: they differ in their paths only (KIC 2.4.5). */
export function matchKey({ match }: PlacedMatch): string {
  const headers = firstByName(match.headers ?? [], (name) => name.toLowerCase());
  const queryParams = firstByName(match.queryParams ?? [], (name) => name);
  return canonicalJson([match.method ?? null, toJson(headers), toJson(queryParams)]);
}

/** Kong paths of a match (KIC 2.4.5); with `captures`, what follows a prefix is captured (KIC 2.4.6). */
export function matchPaths(match: HTTPRouteMatch, captures: boolean): readonly string[] {
  if (match.path === undefined) return [];
  const { type = 'PathPrefix', value = '/' } = match.path;
  if (type === 'Exact') return [`~${value}$`];
  if (type === 'RegularExpression') return [`~${value}`];
  if (!captures) return [`~${value}$`, value.endsWith('/') ? value : `${value}/`];
  const prefix = value.replace(/\/$/, '');
  return prefix === '' ? ['~/$', '~/(.*)'] : [`~${prefix}$`, `~${prefix}(/.*)`];
}

/** Kong's headers of a match: `~*` starts a regular expression. */
export function matchHeaders(match: HTTPRouteMatch): Record<string, readonly string[]> {
  const headers = firstByName(match.headers ?? [], (name) => name.toLowerCase());
  const original = new Map((match.headers ?? []).toReversed().map(({ name }) => [name.toLowerCase(), name]));
  return Object.fromEntries(
    headers.map(({ type, name, value }) => [
      original.get(name) ?? name,
      [type === 'RegularExpression' ? `~*${value}` : value],
    ]),
  );
}

function pathExpression(match: HTTPRouteMatch, captures: boolean): Expression {
  if (match.path === undefined) return undefined;
  const { type = 'PathPrefix', value = '/' } = match.path;
  if (type === 'Exact') return compare('http.path', '==', value);
  if (type === 'RegularExpression') return compare('http.path', '~', anchored(value));
  const prefix = value.replace(/\/$/, '');
  if (captures) {
    const rest = prefix === '' ? '^/(.*)' : `^${prefix}(/.*)`;
    return or([compare('http.path', '==', prefix === '' ? '/' : prefix), compare('http.path', '~', rest)]);
  }
  if (prefix === '') return compare('http.path', '^=', '/');
  return or([compare('http.path', '==', prefix), compare('http.path', '^=', `${prefix}/`)]);
}

function valueExpression(field: string, { type, value }: ValueMatch): string {
  return compare(field, type === 'RegularExpression' ? '~' : '==', value);
}

/** Path, headers, query and method of a match (KIC 2.4.8). */
export function matchExpression(match: HTTPRouteMatch, captures: boolean): Expression {
  const headers = firstByName(match.headers ?? [], (name) => name.toLowerCase());
  const queryParams = firstByName(match.queryParams ?? [], (name) => name);
  return and([
    pathExpression(match, captures),
    and(headers.map((header) => valueExpression(headerField(header.name), header))),
    and(queryParams.map((query) => valueExpression(`http.queries.${query.name}`, query))),
    match.method === undefined ? undefined : methodExpression([match.method]),
  ]);
}

/** The match of a host and a rule; everything when there is neither. */
export function routeExpression(host: string, snis: Expression, match: HTTPRouteMatch, captures: boolean): string {
  const hosts = host === '' ? undefined : hostExpression([host]);
  return (
    and([hosts, snis, matchExpression(match, captures)]) ?? '(net.protocol == "http") || (net.protocol == "https")'
  );
}

const RELATIVE_BITS = 12;

/** Priority without the bits for the order among equal ones (KIC 2.4.8). */
export function basePriority(host: string, match: HTTPRouteMatch): number {
  const { type = 'PathPrefix', value = '/' } = match.path ?? {};
  const pathLength = match.path === undefined ? 1 : value.length;
  return packBits([
    [HTTP_ROUTE_KIND, 44, 2],
    [host !== '' && !host.startsWith('*') ? 1 : 0, 43, 1],
    [host.length, 35, 8],
    [match.path !== undefined && type === 'Exact' ? 1 : 0, 34, 1],
    [match.path !== undefined && type === 'RegularExpression' ? 1 : 0, 33, 1],
    [pathLength - 1, 23, 10],
    [match.method === undefined ? 0 : 1, 22, 1],
    [match.headers?.length ?? 0, 17, 5],
    [match.queryParams?.length ?? 0, RELATIVE_BITS, 5],
  ]);
}

/** A match's priority before the order among equal ones, and how many matches of others have to come first. */
export interface Base {
  readonly base: number;
  readonly before?: number;
}

/**
 * Priorities of matches that are in their order of precedence: among those of one base the earlier is higher. `bits`
 * is how much room the base leaves.
 */
export function ranked(bases: readonly Base[], bits: number = RELATIVE_BITS): readonly number[] {
  const used = new Map<number, number>();
  return bases.map(({ base, before = 0 }) => {
    const index = Math.max(used.get(base) ?? 0, before);
    used.set(base, index + 1);
    return base + Math.max(0, 2 ** bits - 1 - index);
  });
}

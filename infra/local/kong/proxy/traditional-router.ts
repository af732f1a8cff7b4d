/** Kong 3.9's `traditional_compatible` router: every route becomes matchers with a computed 64-bit priority. */

import type { Route, Service } from './configuration.ts';
import type { BuildRouter, Match, RoutingRequest } from './router.ts';

interface PathMatch {
  readonly matchedPath: string;
  readonly captures: Readonly<Record<string, string>>;
}

type Condition = (request: RoutingRequest) => boolean;
type PathCondition = (path: string) => PathMatch | undefined;

interface Matcher {
  readonly priority: bigint;
  readonly route: Route;
  readonly service: Service | undefined;
  readonly conditions: readonly Condition[];
  /** Undefined for a route without paths. */
  readonly paths: readonly PathCondition[] | undefined;
}

const REGEX_BIT = 1n << 51n;
const PLAIN_HOST_BIT = 1n << 60n;
const MAX_HEADERS = 255;
const MAX_LENGTH = 0x7ffff;

const isRegex = (path: string): boolean => path.startsWith('~');

/** Rust's inline flags at the start become JavaScript's; named groups are spelt alike after removing `P`. */
function regularExpression(source: string): RegExp {
  const inline = /^\(\?([ims]+)\)/.exec(source);
  const pattern = (inline === null ? source : source.slice(inline[0].length)).replaceAll('(?P<', '(?<');
  return new RegExp(pattern, inline?.[1] ?? '');
}

function pathCondition(path: string): PathCondition {
  if (!isRegex(path)) {
    return (requested) => (requested.startsWith(path) ? { matchedPath: path, captures: {} } : undefined);
  }
  const { source, flags } = regularExpression(path.slice(1));
  const regex = new RegExp(`^(?:${source})`, flags);
  return (requested) => {
    const found = regex.exec(requested);
    if (found === null) return undefined;
    const numbered = found
      .slice(1)
      .flatMap((value, index) => (value === undefined ? [] : [[String(index + 1), value]]));
    return { matchedPath: found[0], captures: { ...Object.fromEntries(numbered), ...found.groups } };
  };
}

function hostCondition(pattern: string): Condition {
  const [, name = pattern, port] = /^(.*):(\d+)$/.exec(pattern) ?? [];
  const host = name.toLowerCase();
  const matches = (requested: string): boolean => {
    if (host.startsWith('*')) return requested.endsWith(host.slice(1));
    if (host.endsWith('*')) return requested.startsWith(host.slice(0, -1));
    return requested === host;
  };
  return (request) => matches(request.host) && (port === undefined || Number(port) === request.port);
}

/** Kong lowers both the header's value and the wanted one, regular expressions included. */
function headerCondition(name: string, wanted: readonly string[]): Condition {
  const tests = wanted.map((value) => {
    const lower = value.toLowerCase();
    if (!lower.startsWith('~*')) return (actual: string) => actual === lower;
    const regex = regularExpression(lower.slice(2));
    return (actual: string) => regex.test(actual);
  });
  return (request) => request.headers(name).some((actual) => tests.some((test) => test(actual.toLowerCase())));
}

function sniCondition(snis: readonly string[]): Condition {
  const wanted = new Set(snis.map((sni) => (sni.length > 1 && sni.endsWith('.') ? sni.slice(0, -1) : sni)));
  return (request) => request.scheme !== 'https' || (request.sni !== undefined && wanted.has(request.sni));
}

function conditionsOf(route: Route): Condition[] {
  const conditions: Condition[] = [];
  if (route.snis.length > 0) conditions.push(sniCondition(route.snis));
  if (route.methods.length > 0) conditions.push((request) => route.methods.includes(request.method));
  if (route.hosts.length > 0) {
    const hosts = route.hosts.map(hostCondition);
    conditions.push((request) => hosts.some((matches) => matches(request)));
  }
  for (const [name, wanted] of route.headers) conditions.push(headerCondition(name, wanted));
  return conditions;
}

/** More matched categories, then only plain hosts, more headers, a regex path, regex_priority, a longer prefix. */
function priorityOf(route: Route, paths: readonly string[]): bigint {
  const categories = [route.methods, route.hosts, paths, route.snis].filter((values) => values.length > 0).length;
  const weight = BigInt(categories + (route.headers.size > 0 ? 1 : 0));
  const plainHosts = route.hosts.length > 0 && !route.hosts.some((host) => host.includes('*'));
  const first = paths[0];
  const regex = first !== undefined && isRegex(first);
  const length = first === undefined || regex ? 0 : Buffer.byteLength(first) & MAX_LENGTH;
  const priority =
    (weight << 61n) |
    (plainHosts ? PLAIN_HOST_BIT : 0n) |
    (BigInt(Math.min(route.headers.size, MAX_HEADERS)) << 52n) |
    (regex ? REGEX_BIT | (BigInt(route.regexPriority) << 19n) : 0n) |
    BigInt(length);
  return BigInt.asUintN(64, priority);
}

/** One group for all regular expressions and one for each prefix length, as each has a priority of its own. */
function pathGroups(paths: readonly string[]): readonly (readonly string[])[] {
  if (paths.length === 0) return [[]];
  return [...Map.groupBy(paths, (path) => (isRegex(path) ? 'regex' : Buffer.byteLength(path))).values()];
}

function matchersOf(route: Route, service: Service | undefined): Matcher[] {
  const conditions = conditionsOf(route);
  return pathGroups(route.paths).map((paths) => ({
    priority: priorityOf(route, paths),
    route,
    service,
    conditions,
    paths: paths.length === 0 ? undefined : paths.map(pathCondition),
  }));
}

/** Highest priority first; between equal ones the greater id, in which order Kong's router walks them. */
function compare(a: Matcher, b: Matcher): number {
  if (a.priority !== b.priority) return a.priority > b.priority ? -1 : 1;
  return a.route.id < b.route.id ? 1 : -1;
}

function tryMatcher(matcher: Matcher, request: RoutingRequest): Match | undefined {
  if (!matcher.conditions.every((holds) => holds(request))) return undefined;
  const { route, service, paths } = matcher;
  if (paths === undefined) return { route, service, matchedPath: undefined, captures: {} };
  for (const path of paths) {
    const found = path(request.path);
    if (found !== undefined) return { route, service, ...found };
  }
  return undefined;
}

const exactHost = (host: string): string | undefined =>
  host.includes('*') || host.includes(':') ? undefined : host.toLowerCase();

/** Matchers by the exact host they need, so that a request is held against few of many; others under undefined. */
function indexByHost(matchers: readonly Matcher[]): Map<string | undefined, Matcher[]> {
  const index = new Map<string | undefined, Matcher[]>([[undefined, []]]);
  for (const matcher of matchers) {
    const hosts = matcher.route.hosts.map(exactHost);
    const keys = hosts.length === 0 || hosts.includes(undefined) ? [undefined] : hosts;
    for (const key of new Set(keys)) {
      const list = index.get(key) ?? [];
      list.push(matcher);
      index.set(key, list);
    }
  }
  return index;
}

/** Two sorted lists as one. */
function* merged(left: readonly Matcher[], right: readonly Matcher[]): Generator<Matcher> {
  let l = 0;
  let r = 0;
  for (;;) {
    const a = left[l];
    const b = right[r];
    if (a === undefined && b === undefined) return;
    if (b === undefined || (a !== undefined && compare(a, b) < 0)) {
      if (a !== undefined) yield a;
      l += 1;
    } else {
      yield b;
      r += 1;
    }
  }
}

/** Builds Kong 3.9's `traditional_compatible` router. A route with a regular expression that is none is skipped. */
export const buildTraditionalRouter: BuildRouter = ({ routes, services }, onInvalid) => {
  const matchers = routes.flatMap((route) => {
    try {
      return matchersOf(route, route.service === undefined ? undefined : services.get(route.service));
    } catch (error) {
      onInvalid?.(route, error instanceof Error ? error.message : String(error));
      return [];
    }
  });
  const index = indexByHost(matchers.toSorted(compare));
  const anyHost = index.get(undefined) ?? [];
  return {
    select(request) {
      for (const matcher of merged(index.get(request.host) ?? [], anyHost)) {
        const match = tryMatcher(matcher, request);
        if (match !== undefined) return match;
      }
      return undefined;
    },
  };
};

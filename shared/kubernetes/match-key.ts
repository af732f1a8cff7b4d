import { hash } from 'node:crypto';
import type { HTTPRoute, HTTPRouteMatch, ValueMatch } from './gateway-resources.ts';

function values(list: readonly ValueMatch[] | undefined, fold: boolean): readonly string[] {
  return (list ?? [])
    .map(({ type = 'Exact', name, value }) => JSON.stringify([fold ? name.toLowerCase() : name, type, value]))
    .toSorted();
}

/** A text that is equal for a host and match of two HTTPRoutes that take the same requests. */
export function matchKey(host: string, { path, method, headers, queryParams }: HTTPRouteMatch): string {
  const { type = 'PathPrefix', value = '/' } = path ?? {};
  const parts = [
    host,
    path === undefined ? '' : type,
    value,
    method ?? '',
    values(headers, true),
    values(queryParams, false),
  ];
  return hash('sha256', JSON.stringify(parts), 'hex').slice(0, 32);
}

/** The keys of every hostname with every match of an HTTPRoute, each once. */
export function matchKeys(route: HTTPRoute): readonly string[] {
  const { hostnames = [], rules = [] } = route.spec ?? {};
  const hosts = hostnames.length === 0 ? [''] : hostnames;
  const keys = rules.flatMap(({ matches = [] }) => {
    const all: readonly HTTPRouteMatch[] = matches.length === 0 ? [{}] : matches;
    return all.flatMap((match) => hosts.map((host) => matchKey(host, match)));
  });
  return [...new Set(keys)];
}

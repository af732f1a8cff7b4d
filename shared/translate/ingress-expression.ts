import type { Ingress } from '../kubernetes/resources.ts';
import { annotatedAliases, annotatedHeaders, annotatedMethods, annotatedSnis } from './route.ts';
import type { Context } from './context.ts';
import {
  type Expression,
  anchored,
  and,
  compare,
  headersExpression,
  hostExpression,
  methodExpression,
  or,
  packBits,
  sniExpression,
} from './expression.ts';
import { REGEX_PREFIX, type RulePath, trimSlashes } from './ingress-path.ts';
import { isRegex } from './path.ts';

/** Where Ingress stands among the kinds that make expression routes. */
const INGRESS_KIND = 3;

function regexOf({ path, type }: RulePath, prefix: string): string | undefined {
  return type === 'ImplementationSpecific' && path.startsWith(prefix) ? path.slice(prefix.length) : undefined;
}

/** A path's matcher (KIC 2.2.5). */
function pathExpression(rule: RulePath, prefix: string): Expression {
  if (rule.type === 'Exact') return compare('http.path', '==', `/${rule.path.replace(/^\/+/, '')}`);
  if (rule.type === 'Prefix') {
    const base = trimSlashes(rule.path);
    if (base === '') return compare('http.path', '^=', '/');
    return or([compare('http.path', '==', `/${base}`), compare('http.path', '^=', `/${base}/`)]);
  }
  const regex = regexOf(rule, prefix);
  if (regex === undefined) return compare('http.path', '^=', rule.path);
  return compare('http.path', '~', anchored(regex === '' ? '/' : regex));
}

/** A path's length as priorities count it (KIC 2.2.7). */
function pathLength(rule: RulePath, prefix: string): number {
  if (rule.type === 'Exact') return 1 + rule.path.replace(/^\/+/, '').length;
  if (rule.type === 'Prefix') {
    const base = trimSlashes(rule.path);
    return base === '' ? 1 : base.length + 2;
  }
  return (regexOf(rule, prefix) ?? rule.path).length;
}

interface Criteria {
  readonly hosts: readonly string[];
  readonly paths: readonly RulePath[];
  readonly headers: { readonly [name: string]: readonly string[] };
  readonly methods: readonly string[];
  readonly snis: readonly string[];
  readonly prefix: string;
}

function priorityOf({ hosts, paths, headers, methods, snis, prefix }: Criteria): number {
  const headerCount = Object.keys(headers).length;
  const used = [hosts.length, paths.length, headerCount, methods.length, snis.length].filter((count) => count > 0);
  const plainHosts = hosts.length > 0 && hosts.every((host) => !host.startsWith('*'));
  const regex = paths.some((path) => path.type !== 'ImplementationSpecific' || regexOf(path, prefix) !== undefined);
  return packBits([
    [INGRESS_KIND, 44, 2],
    [used.length, 41, 3],
    [headerCount, 33, 8],
    [plainHosts ? 1 : 0, 32, 1],
    [regex ? 1 : 0, 16, 1],
    [Math.max(...paths.map((path) => pathLength(path, prefix))), 0, 16],
  ]);
}

/**
 * Expression and priority of an Ingress rule's paths for one host; undefined, with findings, when no path can be used.
 * Annotations that match (aliases, headers, methods, SNIs) are part of the expression.
 */
export function ingressExpression(
  context: Context,
  ingress: Ingress,
  host: string,
  rulePaths: readonly RulePath[],
  annotatedPrefix: string,
): { readonly expression: string; readonly priority: number } | undefined {
  const prefix = annotatedPrefix === '' ? REGEX_PREFIX : annotatedPrefix;
  const paths = rulePaths.filter((path) => {
    const regex = regexOf(path, prefix);
    const usable = regex === undefined || isRegex(regex);
    if (!usable) {
      const detail = `path ${JSON.stringify(path.path.slice(0, 120))} is no regular expression that Kong can compile`;
      context.report(ingress, 'InvalidPath', detail);
    }
    return usable;
  });
  if (paths.length === 0) return undefined;
  const criteria: Criteria = {
    hosts: [...(host === '' ? [] : [host]), ...annotatedAliases(context, ingress)],
    paths,
    headers: annotatedHeaders(context, ingress) ?? {},
    methods: annotatedMethods(context, ingress) ?? [],
    snis: annotatedSnis(context, ingress) ?? [],
    prefix,
  };
  const expression = and([
    hostExpression(criteria.hosts),
    or(paths.map((path) => pathExpression(path, prefix))),
    headersExpression(criteria.headers),
    methodExpression(criteria.methods),
    sniExpression(criteria.snis),
  ]);
  return expression === undefined ? undefined : { expression, priority: priorityOf(criteria) };
}

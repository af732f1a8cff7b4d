import type { Body } from '../kong/entities.ts';
import type { HeaderModifier, HeaderValue, PathModifier, RouteFilter } from '../kubernetes/gateway-resources.ts';
import type { Context } from './context.ts';
import { hasFeature } from './kong-features.ts';

/** A plugin that a filter makes. */
export interface FilterPlugin {
  readonly name: string;
  readonly config: Body;
}

/** What a rule's filters become. */
export interface Filters {
  readonly plugins: readonly FilterPlugin[];
  /** KongPlugins that ExtensionRef filters name. */
  readonly extensions: readonly string[];
  /** Paths must capture what follows the prefix, for a rewrite of it. */
  readonly capturesPrefix: boolean;
  /** One route per match, since the plugins depend on the match. */
  readonly perMatch: boolean;
}

/** Header operations of a transformer, in the order of Kong's fields. */
interface Transformer {
  readonly replace: readonly string[];
  readonly uri?: string;
  readonly add: readonly string[];
  readonly append: readonly string[];
  readonly remove: readonly string[];
}

const NO_CHANGE: Transformer = { replace: [], add: [], append: [], remove: [] };

function headerText({ name, value }: HeaderValue): string {
  return value === '' ? name : `${name}:${value}`;
}

function modifier({ set = [], add = [], remove = [] }: HeaderModifier): Transformer {
  const replaced = set.map(headerText);
  return { replace: replaced, add: replaced, append: add.map(headerText), remove };
}

function merged(parts: readonly Transformer[]): Transformer {
  const uri = parts.find((part) => part.uri !== undefined)?.uri;
  return {
    replace: parts.flatMap((part) => part.replace),
    add: parts.flatMap((part) => part.add),
    append: parts.flatMap((part) => part.append),
    remove: parts.flatMap((part) => part.remove),
    ...(uri === undefined ? {} : { uri }),
  };
}

function headers(list: readonly string[]): { readonly headers?: readonly string[] } {
  return list.length === 0 ? {} : { headers: list };
}

function transformerPlugin(name: string, parts: readonly Transformer[]): readonly FilterPlugin[] {
  if (parts.length === 0) return [];
  const { replace, uri, add, append, remove } = merged(parts);
  const config: Body = {
    ...(replace.length === 0 && uri === undefined
      ? {}
      : { replace: { ...headers(replace), ...(uri === undefined ? {} : { uri }) } }),
    ...(add.length === 0 ? {} : { add: headers(add) }),
    ...(append.length === 0 ? {} : { append: headers(append) }),
    ...(remove.length === 0 ? {} : { remove: headers(remove) }),
  };
  return [{ name, config }];
}

/** The template that puts a new prefix before what the path captured (KIC 2.4.6). */
export function prefixTemplate(replacement: string | undefined, matchPath: string): string {
  if (replacement === undefined) return '/';
  const prefix = replacement.replace(/\/$/, '');
  const root = matchPath === '' || matchPath === '/';
  if (prefix === '') {
    const captured = root ? '"/" .. uri_captures[1]' : 'uri_captures[1]';
    return `$(uri_captures[1] == nil and "/" or ${captured})`;
  }
  return root ? `${prefix}$(uri_captures[1] == nil and "" or "/" .. uri_captures[1])` : `${prefix}$(uri_captures[1])`;
}

type Redirect = NonNullable<RouteFilter['requestRedirect']>;

function redirectPath(redirect: Redirect): string | undefined {
  return redirect.path?.type === 'ReplaceFullPath' ? redirect.path.replaceFullPath : undefined;
}

/** A path without empty and dot segments, `''` for the root, as KIC joins it to the host. */
function cleanPath(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') kept.pop();
    else if (segment !== '' && segment !== '.') kept.push(segment);
  }
  return kept.map((segment) => `/${segment}`).join('');
}

function location(redirect: Redirect, to: string): string {
  if (redirect.hostname === undefined) return to;
  const host = redirect.port === undefined ? redirect.hostname : `${redirect.hostname}:${redirect.port}`;
  return `${redirect.scheme ?? 'http'}://${host}${cleanPath(to)}`;
}

const DEFAULT_REDIRECT = 302;

/** Kong 3.9's redirect plugin, or the pair of plugins that stands for it before. */
function redirectPlugins(
  context: Context,
  redirect: Redirect,
  matchPath: string,
): { readonly plugin: FilterPlugin; readonly response?: Transformer } {
  const statusCode = redirect.statusCode ?? DEFAULT_REDIRECT;
  const fixed = redirectPath(redirect);
  if (hasFeature(context.options, 'redirectPlugin')) {
    const config = {
      status_code: statusCode,
      location: location(redirect, fixed ?? '/'),
      keep_incoming_path: fixed === undefined,
    };
    return { plugin: { name: 'redirect', config } };
  }
  const header = `Location: ${location(redirect, fixed ?? matchPath)}`;
  return {
    plugin: { name: 'request-termination', config: { status_code: statusCode } },
    response: { ...NO_CHANGE, add: [header] },
  };
}

function rewritePath(rewrite: PathModifier | undefined, matchPath: string): string | undefined {
  if (rewrite?.type === 'ReplaceFullPath') return rewrite.replaceFullPath;
  return rewrite?.type === 'ReplacePrefixMatch' ? prefixTemplate(rewrite.replacePrefixMatch, matchPath) : undefined;
}

function rewriteParts({ urlRewrite }: RouteFilter, matchPath: string): readonly Transformer[] {
  const uri = rewritePath(urlRewrite?.path, matchPath);
  const host = urlRewrite?.hostname === undefined ? [] : [`host:${urlRewrite.hostname}`];
  return [
    ...(uri === undefined ? [] : [{ ...NO_CHANGE, uri }]),
    ...(host.length === 0 ? [] : [{ ...NO_CHANGE, replace: host, add: host }]),
  ];
}

/** What in a filter cannot be translated, or undefined. */
function filterProblem({ type, requestRedirect, urlRewrite, extensionRef }: RouteFilter): string | undefined {
  if (type === 'RequestHeaderModifier' || type === 'ResponseHeaderModifier') return undefined;
  if (type === 'RequestRedirect') return requestRedirect === undefined ? 'lacks requestRedirect' : undefined;
  if (type === 'URLRewrite') {
    const empty = urlRewrite?.path === undefined && urlRewrite?.hostname === undefined;
    return empty ? 'has neither path nor hostname in urlRewrite' : undefined;
  }
  if (type !== 'ExtensionRef') return `is of type ${type}, which Kong cannot express`;
  const plugin = extensionRef?.group === 'configuration.konghq.com' && extensionRef.kind === 'KongPlugin';
  return plugin ? undefined : 'refers to something else than a KongPlugin';
}

/** The parts of filters that are translated without, each a finding. */
function reportLosses(context: Context, filter: RouteFilter, field: string): void {
  const redirect = filter.requestRedirect;
  if (filter.type !== 'RequestRedirect' || redirect === undefined) return;
  if (redirect.path !== undefined && redirectPath(redirect) === undefined) {
    context.report(context.root, 'UnsupportedField', `${field}.requestRedirect.path is no ReplaceFullPath`);
  }
  if (redirect.hostname === undefined && (redirect.scheme !== undefined || redirect.port !== undefined)) {
    const detail = `${field}.requestRedirect has a scheme or port without a hostname, which Kong cannot express`;
    context.report(context.root, 'UnsupportedField', detail);
  }
}

/**
 * A rule's filters as plugins, for a match path (KIC 2.4.6); undefined, with findings, when one of them cannot be
 * translated: then the rule must not be translated without it.
 */
export function translateFilters(
  context: Context,
  filters: readonly RouteFilter[],
  matchPath: string,
  field: string,
): Filters | undefined {
  const plugins: FilterPlugin[] = [];
  const requests: Transformer[] = [];
  const responses: Transformer[] = [];
  const extensions: string[] = [];
  for (const [index, filter] of filters.entries()) {
    const problem = filterProblem(filter);
    if (problem !== undefined) {
      context.report(context.root, 'UnsupportedFilter', `${field}[${index}] ${problem}`);
      return undefined;
    }
    reportLosses(context, filter, `${field}[${index}]`);
    if (filter.requestHeaderModifier !== undefined) requests.push(modifier(filter.requestHeaderModifier));
    if (filter.responseHeaderModifier !== undefined) responses.push(modifier(filter.responseHeaderModifier));
    if (filter.type === 'URLRewrite') requests.push(...rewriteParts(filter, matchPath));
    if (filter.extensionRef !== undefined) extensions.push(filter.extensionRef.name);
    if (filter.requestRedirect === undefined) continue;
    const { plugin, response } = redirectPlugins(context, filter.requestRedirect, matchPath);
    plugins.push(plugin);
    if (response !== undefined) responses.push(response);
  }
  return {
    plugins: [
      ...plugins,
      ...transformerPlugin('request-transformer', requests),
      ...transformerPlugin('response-transformer', responses),
    ],
    extensions,
    capturesPrefix: capturesPrefix(filters),
    perMatch: isPerMatch(filters),
  };
}

/** Whether a filter replaces the matched prefix, so that paths must capture what follows. */
export function capturesPrefix(filters: readonly RouteFilter[]): boolean {
  return filters.some((filter) => filter.urlRewrite?.path?.type === 'ReplacePrefixMatch');
}

/** Whether each match needs a route of its own, because plugins depend on its path. */
export function isPerMatch(filters: readonly RouteFilter[]): boolean {
  return filters.some((filter) => filter.type === 'RequestRedirect') || capturesPrefix(filters);
}

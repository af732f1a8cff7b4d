import type { Json } from '../kong/entities.ts';
import type { KubernetesObject } from '../kubernetes/resources.ts';
import { annotation, goBoolean, goInteger, isAnnotated, listOf, readAnnotation, trueFalse } from './annotations.ts';
import type { Context } from './context.ts';
import { hasFeature } from './kong-features.ts';
import { isHeaderName, isHost, isPlainHost } from './host.ts';

/** A Kong route before it becomes a body: the Admin API's fields. */
export interface RouteFields {
  readonly [field: string]: Json | undefined;
  readonly protocols?: readonly string[];
  readonly hosts?: readonly string[];
  readonly paths?: readonly string[];
  readonly methods?: readonly string[];
  readonly snis?: readonly string[];
  readonly headers?: { readonly [name: string]: readonly string[] };
  readonly expression?: string;
  readonly priority?: number;
  readonly strip_path?: boolean;
}

/** The route protocols that `konghq.com/protocols` may hold (KIC: no udp). */
const ROUTE_PROTOCOLS = new Set(['http', 'https', 'grpc', 'grpcs', 'ws', 'wss', 'tls', 'tcp', 'tls_passthrough']);
const PROTOCOL_LIST = `a list of ${[...ROUTE_PROTOCOLS].join(', ')}`;
const REDIRECT_CODES = new Set([301, 302, 307, 308, 426]);
const REDIRECT_LIST = `one of ${[...REDIRECT_CODES].join(', ')}`;
const DEFAULT_REDIRECT_CODE = 426;
const DEFAULT_PATH_HANDLING = 'v0';

/** A list all of whose items pass, or undefined. */
function allOf(test: (item: string) => boolean): (value: string) => readonly string[] | undefined {
  return (value) => {
    const items = listOf(value);
    return items.every(test) ? items : undefined;
  };
}

/** The protocols of an annotation, in its order. */
export function annotatedProtocols(context: Context, source: KubernetesObject): readonly string[] | undefined {
  const protocols = readAnnotation(
    context,
    source,
    'protocols',
    allOf((protocol) => ROUTE_PROTOCOLS.has(protocol)),
    PROTOCOL_LIST,
  );
  if (protocols === undefined || protocols.length === 0) return undefined;
  if (!protocols.some((protocol) => protocol.startsWith('ws')) || hasFeature(context.options, 'webSockets')) {
    return protocols;
  }
  context.report(
    source,
    'UnsupportedByKong',
    'annotation konghq.com/protocols holds ws or wss, which need Kong Enterprise',
  );
  return undefined;
}

function secureOnly(protocols: readonly string[]): readonly string[] {
  const secure: string[] = [];
  if (protocols.some((protocol) => protocol.startsWith('grpc'))) secure.push('grpcs');
  if (protocols.some((protocol) => protocol.startsWith('http'))) secure.push('https');
  return secure.length === 0 ? ['https'] : secure;
}

/**
 * Protocols and redirect code. `force-ssl-redirect` keeps only the secure ones of whatever protocols the route has;
 * KIC lets `konghq.com/protocols` bring the insecure ones back, so that nothing is redirected (a deliberate difference).
 */
function protocolFields(context: Context, source: KubernetesObject, base: RouteFields): RouteFields {
  const protocols = annotatedProtocols(context, source) ?? base.protocols;
  const forced = source.metadata.annotations?.['ingress.kubernetes.io/force-ssl-redirect'] === 'true';
  const code = readAnnotation(
    context,
    source,
    'https-redirect-status-code',
    (value) => {
      const parsed = goInteger(value);
      return parsed !== undefined && REDIRECT_CODES.has(parsed) ? parsed : undefined;
    },
    REDIRECT_LIST,
  );
  const chosen = forced ? secureOnly(protocols ?? []) : protocols;
  return {
    ...(chosen === undefined ? {} : { protocols: chosen }),
    https_redirect_status_code: code ?? (forced ? 302 : DEFAULT_REDIRECT_CODE),
  };
}

/** The annotations that both router flavours know (KIC 1.2.1, rows 1–7). */
function commonFields(context: Context, source: KubernetesObject, base: RouteFields): RouteFields {
  if (!isAnnotated(source)) return { ...base, ...protocolFields(context, source, base) };
  const set = (name: string, field: string, parse: (value: string) => boolean | undefined): RouteFields => {
    const value = readAnnotation(context, source, name, parse, 'true or false');
    return value === undefined ? {} : { [field]: value };
  };
  return {
    ...base,
    ...set('strip-path', 'strip_path', trueFalse),
    ...set('preserve-host', 'preserve_host', trueFalse),
    ...set('request-buffering', 'request_buffering', goBoolean),
    ...set('response-buffering', 'response_buffering', goBoolean),
    ...protocolFields(context, source, base),
  };
}

/** `konghq.com/methods`, upper-cased; all of them are dropped when one is none. */
export function annotatedMethods(context: Context, source: KubernetesObject): readonly string[] | undefined {
  const parse = allOf((method) => /^[A-Z]+$/.test(method));
  const methods = readAnnotation(
    context,
    source,
    'methods',
    (value) => parse(value.toUpperCase()),
    'a list of HTTP methods',
  );
  return methods?.length === 0 ? undefined : methods;
}

/** `konghq.com/snis`; an empty list clears what is there (KIC). */
export function annotatedSnis(context: Context, source: KubernetesObject): readonly string[] | undefined {
  return readAnnotation(context, source, 'snis', allOf(isPlainHost), 'a list of host names without wildcards');
}

/** `konghq.com/host-aliases`. */
export function annotatedAliases(context: Context, source: KubernetesObject): readonly string[] {
  return readAnnotation(context, source, 'host-aliases', allOf(isHost), 'a list of host names') ?? [];
}

/** All `konghq.com/headers.<name>` together; empty names and values are skipped. */
export function annotatedHeaders(
  context: Context,
  source: KubernetesObject,
): { readonly [name: string]: readonly string[] } | undefined {
  const prefix = 'konghq.com/headers.';
  const separator = annotation(source, 'headers-separator') ?? ',';
  const headers: Record<string, readonly string[]> = {};
  for (const [key, value] of Object.entries(source.metadata.annotations ?? {})) {
    if (!key.startsWith(prefix) || key.length === prefix.length) continue;
    const values = (separator === '' ? [value] : value.split(separator)).map((item) => item.trim());
    const kept = values.filter((item) => item !== '');
    const name = key.slice(prefix.length);
    if (!isHeaderName(name) || name.toLowerCase() === 'host') {
      context.report(
        source,
        'InvalidAnnotation',
        `annotation ${key.slice(0, 120)} names no header that a route can match`,
      );
    } else if (kept.length > 0) headers[name] = kept;
  }
  return Object.keys(headers).length === 0 ? undefined : headers;
}

/** The annotations of the traditional router alone (KIC 1.2.1, rows 8–13). */
function traditionalFields(context: Context, source: KubernetesObject, base: RouteFields): RouteFields {
  const { snis: ownSnis = [], ...rest } = base;
  if (!isAnnotated(source)) {
    return { ...rest, ...(ownSnis.length === 0 ? {} : { snis: ownSnis }), path_handling: DEFAULT_PATH_HANDLING };
  }
  const priority = readAnnotation(context, source, 'regex-priority', goInteger, 'an integer');
  const methods = annotatedMethods(context, source);
  const snis = annotatedSnis(context, source);
  const aliases = annotatedAliases(context, source);
  const headers = annotatedHeaders(context, source);
  const handling = readAnnotation(
    context,
    source,
    'path-handling',
    (value) => (value === 'v0' || value === 'v1' ? value : undefined),
    'v0 or v1',
  );
  const chosenSnis = snis ?? ownSnis;
  return {
    ...rest,
    ...(priority === undefined ? {} : { regex_priority: priority }),
    ...(methods === undefined ? {} : { methods }),
    ...(chosenSnis.length === 0 ? {} : { snis: chosenSnis }),
    ...(aliases.length === 0 ? {} : { hosts: [...new Set([...(base.hosts ?? []), ...aliases])] }),
    ...(headers === undefined ? {} : { headers }),
    path_handling: handling ?? DEFAULT_PATH_HANDLING,
  };
}

/** Kong refuses gRPC routes that strip the path. */
function withoutGrpcStripping(fields: RouteFields): RouteFields {
  if (!(fields.protocols ?? []).some((protocol) => protocol.startsWith('grpc'))) return fields;
  const { strip_path: _stripPath, ...rest } = fields;
  return rest;
}

/** gRPC and HTTP do not mix in one route: then it is an HTTP route, with a finding. gRPC routes strip nothing (KIC). */
function normalizeProtocols(context: Context, source: KubernetesObject, fields: RouteFields): RouteFields {
  const protocols = fields.protocols ?? [];
  const grpc = protocols.filter((protocol) => protocol.startsWith('grpc'));
  const kept = withoutGrpcStripping(fields);
  if (grpc.length === 0 || grpc.length === protocols.length) return kept;
  const detail = `annotation konghq.com/protocols mixes gRPC with other protocols: ${protocols.join(', ')}`;
  context.report(source, 'InvalidAnnotation', detail);
  return { ...kept, protocols: ['http', 'https'] };
}

const TRADITIONAL_ONLY = ['regex-priority', 'path-handling'];
const MATCHING = ['methods', 'host-aliases'];

/** The annotations that the expressions router leaves without effect: those for matching count for Ingress alone. */
function reportIgnored(context: Context, source: KubernetesObject): void {
  const names = source.kind === 'Ingress' ? TRADITIONAL_ONLY : [...TRADITIONAL_ONLY, ...MATCHING];
  const ignored = names.filter((name) => annotation(source, name) !== undefined);
  if (source.kind !== 'Ingress' && annotatedHeaders(context, source) !== undefined) ignored.push('headers.*');
  for (const name of ignored) {
    context.report(
      source,
      'IgnoredAnnotation',
      `annotation konghq.com/${name} has no effect with the expressions router`,
    );
  }
}

/**
 * A route's body with the annotations of its source laid over it and with the defaults that KIC sends. In expressions
 * flavour the matching annotations are in the expression already.
 */
export function withAnnotations(context: Context, source: KubernetesObject, base: RouteFields): RouteFields {
  const common = commonFields(context, source, base);
  if (context.options.routerFlavor === 'expressions') {
    reportIgnored(context, source);
    return withoutGrpcStripping(common);
  }
  return normalizeProtocols(context, source, traditionalFields(context, source, common));
}

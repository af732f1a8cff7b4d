import type { RouteFields } from './route.ts';

/** Kong's rules for routes (Kong 3.9): what a route's protocols allow and need. */

/** Protocols that may stand together. */
const SUBSETS: readonly (readonly string[])[] = [
  ['http', 'https'],
  ['grpc', 'grpcs'],
  ['tcp', 'tls', 'udp'],
  ['tls_passthrough'],
  ['ws', 'wss'],
];

const TLS_PROTOCOLS = new Set(['https', 'grpcs', 'tls', 'tls_passthrough', 'wss']);
const HTTP_MATCHES = ['methods', 'hosts', 'headers', 'paths', 'snis'];
const RPC_MATCHES = ['hosts', 'headers', 'paths', 'snis'];
const STREAM_MATCHES = ['sources', 'destinations', 'snis'];

const EVERY_MATCH = ['methods', 'hosts', 'headers', 'paths', 'snis', 'sources', 'destinations'];

/** What routes of a protocol can match. */
function matchesOf(protocol: string): readonly string[] {
  if (protocol === 'http' || protocol === 'https') return HTTP_MATCHES;
  return protocol.startsWith('t') || protocol === 'udp' ? STREAM_MATCHES : RPC_MATCHES;
}

function isSet(value: RouteFields[string]): boolean {
  if (value === undefined || value === null || value === '') return false;
  return typeof value !== 'object' || Object.keys(value).length > 0;
}

/** What the protocols rule out, or undefined. */
function matchProblem(fields: RouteFields, protocols: readonly string[]): string | undefined {
  const used = EVERY_MATCH.filter((field) => isSet(fields[field]));
  const foreign = used.find((field) => !protocols.some((protocol) => matchesOf(protocol).includes(field)));
  if (foreign !== undefined) return `has ${foreign}, which protocols ${protocols.join(', ')} do not have`;
  if (used.includes('snis') && !protocols.some((protocol) => TLS_PROTOCOLS.has(protocol))) {
    return `has snis, but protocols ${protocols.join(', ')} are without TLS`;
  }
  return used.length === 0 ? `matches nothing that protocols ${protocols.join(', ')} have` : undefined;
}

/** What Kong would say against a route, or undefined. */
export function routeProblem(fields: RouteFields): string | undefined {
  const protocols = fields.protocols ?? ['http', 'https'];
  const together = SUBSETS.some((subset) => protocols.every((protocol) => subset.includes(protocol)));
  if (protocols.length === 0 || !together) return `has protocols that do not go together: ${protocols.join(', ')}`;
  return fields.expression === undefined ? matchProblem(fields, protocols) : undefined;
}

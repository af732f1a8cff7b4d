import { randomBytes } from 'node:crypto';
import type { ClientRequest as OutgoingRequest, IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { errorReply } from './exchange.ts';
import type { ClientRequest, Exchange, ProxyState, Reply } from './exchange.ts';
import { forward } from './forward.ts';
import { endToEnd, first, headersOf, toNode } from './headers.ts';
import type { Headers } from './headers.ts';
import { normalizePath, upstreamPath } from './path.ts';
import { runAccess, runResponse } from './plugins/index.ts';
import type { ActivePlugin } from './plugins/index.ts';
import type { Match } from './router.ts';

export interface ProxyNode {
  readonly id: string;
  /** Kong's version, for `Server` and `Via`. */
  readonly version: string;
}

const REDIRECTS = new Set([301, 302, 307, 308]);

function collect(message: IncomingMessage): () => Promise<Buffer> {
  let body: Promise<Buffer> | undefined;
  return () => (body ??= message.toArray().then((chunks) => Buffer.concat(chunks)));
}

function clientRequest(message: IncomingMessage): ClientRequest & { readonly sni: string | undefined } {
  const { socket } = message;
  const target = message.url ?? '/';
  const split = target.indexOf('?');
  const secure = socket instanceof TLSSocket;
  return {
    method: message.method ?? 'GET',
    scheme: secure ? 'https' : 'http',
    host: message.headers.host ?? '',
    port: socket.localPort ?? 0,
    remoteAddress: socket.remoteAddress ?? '',
    rawPath: split < 0 ? target : target.slice(0, split),
    query: split < 0 ? undefined : target.slice(split + 1),
    headers: headersOf(message.rawHeaders),
    body: collect(message),
    sni: secure && typeof socket.servername === 'string' ? socket.servername : undefined,
  };
}

/** Headers that Kong adds for the upstream; what clients claim about themselves is not trusted by default. */
function forwardedHeaders(request: ClientRequest, prefix: string | undefined, id: string, version: string): Headers {
  const headers = endToEnd(request.headers);
  headers.delete('host');
  headers.delete('x-forwarded-prefix');
  if (request.headers.has('transfer-encoding')) headers.set('transfer-encoding', ['chunked']);
  const chain = [...(request.headers.get('x-forwarded-for') ?? []), request.remoteAddress].join(', ');
  const fields = {
    connection: 'keep-alive',
    via: [...(request.headers.get('via') ?? []), `1.1 kong/${version}`].join(', '),
    'x-forwarded-for': chain,
    'x-forwarded-proto': request.scheme,
    'x-forwarded-host': request.host.replace(/:\d+$/, ''),
    'x-forwarded-port': String(request.port),
    'x-forwarded-path': request.rawPath,
    'x-real-ip': request.remoteAddress,
    'x-kong-request-id': id,
  };
  for (const [name, value] of Object.entries(fields)) headers.set(name, [value]);
  if (prefix !== undefined && prefix !== '/') headers.set('x-forwarded-prefix', [prefix]);
  return headers;
}

function exchangeOf(
  request: ClientRequest,
  path: string,
  match: Match,
  state: ProxyState,
  node: ProxyNode,
  id: string,
): Exchange {
  const { route, service, matchedPath } = match;
  const prefix = route.stripPath ? matchedPath : undefined;
  return {
    id,
    nodeId: node.id,
    state,
    match,
    request,
    upstream: {
      method: request.method,
      path: upstreamPath(path, prefix, service?.path),
      query: request.query,
      headers: forwardedHeaders(request, prefix, id, node.version),
      host: route.preserveHost ? request.host : undefined,
      body: undefined,
    },
    consumer: undefined,
    credential: undefined,
    responseHeaders: new Map(),
  };
}

/** What a route's protocols forbid: plain HTTP on an https-only route, and anything but gRPC on a gRPC route. */
function protocolReply({ id, request, match: { route } }: Exchange): Reply | undefined {
  const { protocols, httpsRedirectStatusCode: status } = route;
  if (protocols.includes('https') && !protocols.includes('http') && request.scheme !== 'https') {
    if (REDIRECTS.has(status)) {
      const query = request.query === undefined ? '' : `?${request.query}`;
      const location = `https://${request.host.replace(/:\d+$/, '')}${request.rawPath}${query}`;
      return { status, headers: { location }, body: '' };
    }
    return errorReply(426, 'Please use HTTPS protocol', id, { connection: 'Upgrade', upgrade: 'TLS/1.2, HTTP/1.1' });
  }
  if (!protocols.some((protocol) => protocol === 'grpc' || protocol === 'grpcs')) return undefined;
  const grpc = first(request.headers, 'content-type')?.startsWith('application/grpc') === true;
  if (!grpc) return errorReply(415, 'Non-gRPC request matched gRPC route', id);
  return errorReply(426, 'Please use HTTP2 protocol', id, { connection: 'Upgrade', upgrade: 'HTTP/2' });
}

/** Handles requests of one listener; `state` gives what the connection's worker serves with. */
export class RequestHandler {
  readonly #node: ProxyNode;

  constructor(node: ProxyNode) {
    this.#node = node;
  }

  /** Answers one request. Never rejects. */
  async handle(message: IncomingMessage, response: ServerResponse, state: ProxyState): Promise<void> {
    const started = performance.now();
    const id = randomBytes(16).toString('hex');
    try {
      await this.#handle(message, response, state, id, started);
    } catch {
      if (response.headersSent) response.destroy();
      else this.#send(response, errorReply(500, 'An unexpected error occurred', id), new Map(), id, started);
    }
  }

  async #handle(message: IncomingMessage, response: ServerResponse, state: ProxyState, id: string, started: number) {
    const request = clientRequest(message);
    const path = normalizePath(request.rawPath);
    const [, name = request.host, port] = /^(.*):(\d+)$/.exec(request.host) ?? [];
    const match = state.router.select({
      method: request.method,
      host: name.toLowerCase(),
      port: port === undefined ? (request.scheme === 'https' ? 443 : 80) : Number(port),
      path,
      scheme: request.scheme,
      sni: request.sni,
      headers: (header) => request.headers.get(header) ?? [],
    });
    if (match === undefined) {
      this.#send(response, errorReply(404, 'no Route matched with those values', id), new Map(), id, started);
      return;
    }
    const exchange = exchangeOf(request, path, match, state, this.#node, id);
    const refused = protocolReply(exchange);
    const { active, reply } = refused === undefined ? await runAccess(exchange) : { active: [], reply: refused };
    if (reply !== undefined) this.#reply(response, exchange, active, reply, started);
    else await this.#proxy(message, response, exchange, active, started);
  }

  async #proxy(
    message: IncomingMessage,
    response: ServerResponse,
    exchange: Exchange,
    active: readonly ActivePlugin[],
    started: number,
  ): Promise<void> {
    const { service } = exchange.match;
    if (service === undefined) {
      this.#reply(
        response,
        exchange,
        active,
        errorReply(503, 'no Service found with those values', exchange.id),
        started,
      );
      return;
    }
    const buffered = exchange.upstream.body ?? (message.readableEnded ? await exchange.request.body() : undefined);
    let sent = started;
    const forwarded = await forward(exchange, service, (request) => {
      sent = performance.now();
      sendBody(message, request, buffered);
      response.once('close', () => request.destroy());
    });
    if ('reply' in forwarded) this.#reply(response, exchange, active, forwarded.reply, started);
    else await this.#relay(response, exchange, active, forwarded.response, { started, sent });
  }

  async #relay(
    response: ServerResponse,
    exchange: Exchange,
    active: readonly ActivePlugin[],
    upstream: IncomingMessage,
    times: { readonly started: number; readonly sent: number },
  ): Promise<void> {
    const headers = endToEnd(headersOf(upstream.rawHeaders));
    headers.set('x-kong-upstream-latency', [String(Math.round(performance.now() - times.sent))]);
    headers.set('x-kong-proxy-latency', [String(Math.round(times.sent - times.started))]);
    headers.set('via', [`1.1 kong/${this.#node.version}`]);
    headers.set('x-kong-request-id', [exchange.id]);
    const status = upstream.statusCode ?? 502;
    const change = runResponse(active, exchange, { status, headers });
    if (change === undefined) {
      response.writeHead(status, upstream.statusMessage, toNode(headers));
      pipeline(upstream, response, () => undefined);
      return;
    }
    const body = change(Buffer.concat(await upstream.toArray()));
    headers.set('content-length', [String(body.byteLength)]);
    response.writeHead(status, upstream.statusMessage, toNode(headers)).end(body);
  }

  /** Kong's own answer, seen by the response phases of the plugins. */
  #reply(response: ServerResponse, exchange: Exchange, active: readonly ActivePlugin[], reply: Reply, started: number) {
    const headers: Headers = new Map(Object.entries(reply.headers).map(([name, value]) => [name, [value]]));
    const change = runResponse(active, exchange, { status: reply.status, headers });
    const body = change === undefined ? reply.body : change(Buffer.from(reply.body)).toString('utf8');
    this.#send(response, { ...reply, headers: {}, body }, headers, exchange.id, started);
  }

  #send(response: ServerResponse, reply: Reply, extra: Headers, id: string, started: number): void {
    const headers: Headers = new Map(Object.entries(reply.headers).map(([name, value]) => [name, [value]]));
    for (const [name, values] of extra) headers.set(name, values);
    headers.set('content-length', [String(Buffer.byteLength(reply.body))]);
    headers.set('x-kong-response-latency', [String(Math.round(performance.now() - started))]);
    headers.set('server', [`kong/${this.#node.version}`]);
    headers.set('x-kong-request-id', [id]);
    response.writeHead(reply.status, toNode(headers)).end(reply.body);
  }
}

function sendBody(message: IncomingMessage, request: OutgoingRequest, buffered: Buffer | undefined): void {
  const hasBody = message.headers['content-length'] !== undefined || message.headers['transfer-encoding'] !== undefined;
  if (buffered !== undefined) request.end(buffered);
  else if (hasBody) pipeline(message, request, () => undefined);
  else request.end();
}

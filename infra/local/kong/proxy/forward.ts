import http from 'node:http';
import type { ClientRequest as OutgoingRequest, IncomingMessage } from 'node:http';
import https from 'node:https';
import type { Peer } from './balancer.ts';
import type { Service } from './configuration.ts';
import { errorReply } from './exchange.ts';
import type { Exchange, Reply } from './exchange.ts';
import { toNode } from './headers.ts';
import { escapePath } from './path.ts';

/** What became of an attempt to reach the upstream. */
export type Forwarded = { readonly response: IncomingMessage } | { readonly reply: Reply };

const SECURE = new Set(['https', 'wss', 'grpcs']);
const DEFAULT_PORTS: Readonly<Record<string, number>> = {
  http: 80,
  ws: 80,
  grpc: 80,
  https: 443,
  wss: 443,
  grpcs: 443,
};

/** Codes of a name that cannot be resolved. */
const UNRESOLVED = new Set(['ENOTFOUND', 'EAI_AGAIN']);

/** A failure before the connection stood, after which another target may be tried. */
class ConnectError extends Error {
  readonly code: string;

  constructor(code: string, cause: unknown) {
    super(`could not connect: ${code}`, { cause });
    this.code = code;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'UNKNOWN';
}

function hostHeader(peer: Peer, service: Service, name: string | undefined): string {
  const host = name ?? (peer.host.includes(':') ? `[${peer.host}]` : peer.host);
  return peer.port === DEFAULT_PORTS[service.protocol] ? host : `${host}:${peer.port}`;
}

function tlsOptions(service: Service, exchange: Exchange, host: string): https.RequestOptions {
  const { certificates, caCertificates } = exchange.state.configuration;
  const client = certificates.get(service.clientCertificate ?? '');
  const ca = service.caCertificates.flatMap((id) => caCertificates.get(id) ?? []);
  const servername = host.replace(/:\d+$/, '');
  return {
    rejectUnauthorized: service.tlsVerify === true,
    // An IP address is not allowed as a server name.
    ...(/^[\d.]+$|^\[/.test(servername) ? {} : { servername }),
    ...(ca.length > 0 ? { ca } : {}),
    ...(client === undefined ? {} : { cert: client.cert, key: client.key }),
  };
}

function open(peer: Peer, service: Service, exchange: Exchange, host: string): OutgoingRequest {
  const { upstream } = exchange;
  const headers = new Map(upstream.headers);
  headers.set('host', [host]);
  if (upstream.body !== undefined) {
    headers.delete('transfer-encoding');
    headers.set('content-length', [String(upstream.body.byteLength)]);
  }
  const options = {
    host: peer.host,
    port: peer.port,
    method: upstream.method,
    path: escapePath(upstream.path) + (upstream.query === undefined ? '' : `?${upstream.query}`),
    headers: toNode(headers),
    agent: false,
    setHost: false,
  };
  if (!SECURE.has(service.protocol)) return http.request(options);
  return https.request({ ...options, ...tlsOptions(service, exchange, host) });
}

/** Resolves when the connection (TLS included) stands. Rejects with ConnectError. */
function connected(request: OutgoingRequest, service: Service): Promise<void> {
  const ready = SECURE.has(service.protocol) ? 'secureConnect' : 'connect';
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => request.destroy(new ConnectError('ETIMEDOUT', undefined)), service.connectTimeout);
    request.on('error', (error) => {
      clearTimeout(timer);
      reject(error instanceof ConnectError ? error : new ConnectError(codeOf(error), error));
    });
    request.once('socket', (socket) => {
      socket.once(ready, () => {
        clearTimeout(timer);
        resolve();
      });
    });
  });
}

/** Sends the body and waits for the head of the answer; the body of the answer has not been read yet. */
function answered(request: OutgoingRequest, service: Service, send: () => void): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.setTimeout(service.readTimeout, () => {
      request.destroy(Object.assign(new Error('read timeout'), { code: 'ETIMEDOUT' }));
    });
    request.on('error', reject);
    request.once('response', resolve);
    send();
  });
}

function failure(error: unknown, exchange: Exchange): Reply {
  const code = error instanceof ConnectError ? error.code : codeOf(error);
  if (UNRESOLVED.has(code)) return errorReply(503, 'name resolution failed', exchange.id);
  if (code === 'ETIMEDOUT') return errorReply(504, 'The upstream server is timing out', exchange.id);
  return errorReply(502, 'An invalid response was received from the upstream server', exchange.id);
}

/**
 * Connects to the service, trying `retries` further targets while connections fail, and gives the upstream's answer or
 * the error answer that Kong gives instead. `send` streams the client's body into the request it gets.
 */
export async function forward(
  exchange: Exchange,
  service: Service,
  send: (request: OutgoingRequest) => void,
): Promise<Forwarded> {
  const balancer = exchange.state.balancers.get(service.host);
  let last: unknown;
  for (let attempt = 0; attempt <= service.retries; attempt += 1) {
    const peer = balancer === undefined ? { host: service.host, port: service.port } : balancer.next();
    if (peer === undefined)
      return { reply: errorReply(503, 'failure to get a peer from the ring-balancer', exchange.id) };
    // The name of an upstream that is not known (yet): no resolver would know it, and some take seconds to say so.
    if (peer.host.endsWith('.svc')) return { reply: failure(new ConnectError('ENOTFOUND', undefined), exchange) };
    const host = exchange.upstream.host ?? hostHeader(peer, service, balancer?.upstream.hostHeader);
    const request = open(peer, service, exchange, host);
    try {
      await connected(request, service);
      return { response: await answered(request, service, () => send(request)) };
    } catch (error) {
      last = error;
      // Once the connection stood the body may be on its way, and it can be sent only once.
      if (!(error instanceof ConnectError) || UNRESOLVED.has(error.code)) break;
    }
  }
  return { reply: failure(last, exchange) };
}

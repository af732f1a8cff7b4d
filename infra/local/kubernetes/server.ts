import type { IncomingMessage, ServerResponse } from 'node:http';
import { auditEvent, type AuditSender } from './audit.ts';
import type { Cluster, User } from './call.ts';
import { aggregated, coreVersions, groupInfo, groupList, resourceList, VERSION } from './discovery.ts';
import type { Json, JsonObject } from './json.ts';
import { openapiV2, openapiV2Protobuf, openapiV3, openapiV3Document } from './openapi.ts';
import { Snapshots } from './reads.ts';
import { prefersForm } from './request.ts';
import { serveResource, type Done } from './resource-api.ts';
import { badRequest, internal, pathNotFound, StatusError, unauthorized } from './status.ts';

/** Makes a request fail: an HTTP status to answer with, or `cut` to close the connection without an answer. */
export type Faults = (method: string, path: string) => number | 'cut' | undefined;

/** One request as it came: `path` with its query. */
export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly user: string;
}

export interface ServerOptions {
  readonly cluster: Cluster;
  readonly audit: AuditSender;
  /** Bearer token → user. */
  readonly users: ReadonlyMap<string, User>;
  readonly faults: Faults;
  readonly stopped: AbortSignal;
  readonly record: (request: ReceivedRequest) => void;
}

const ANONYMOUS: User = { username: 'system:anonymous', groups: ['system:unauthenticated'] };
const HEALTH = new Set(['/healthz', '/livez', '/readyz']);
// The `@` of the type that clients ask for is not allowed in an answer's content type, so a real server says this.
const PROTOBUF = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';

function sendJson(response: ServerResponse, code: number, body: Json, type = 'application/json'): void {
  response.writeHead(code, { 'content-type': type });
  response.end(JSON.stringify(body));
}

function toStatusError(error: unknown): StatusError {
  if (error instanceof StatusError) return error;
  if (error instanceof URIError) return badRequest('the path is not properly encoded');
  return internal(error instanceof Error ? error.message : String(error));
}

/** Sends the Status of an error, unless an answer is already under way. */
function sendError(response: ServerResponse, error: unknown): StatusError {
  const status = toStatusError(error);
  if (response.headersSent) response.destroy();
  else sendJson(response, status.code, status.toStatus());
  return status;
}

function userOf(request: IncomingMessage, users: ReadonlyMap<string, User>): User | undefined {
  const [scheme = '', token = ''] = (request.headers.authorization ?? '').split(' ');
  return scheme.toLowerCase() === 'bearer' ? users.get(token) : undefined;
}

function sendDiscovery(
  cluster: Cluster,
  pathname: string,
  accept: string | undefined,
  response: ServerResponse,
): boolean {
  const resources = cluster.registry.all();
  const [, root, ...rest] = pathname.split('/').filter((segment, index) => index === 0 || segment !== '');
  if ((root !== 'api' && root !== 'apis') || rest.length > (root === 'api' ? 1 : 2)) return false;
  if (rest.length === 0) {
    const version = ['v2', 'v2beta1'].find((item) => prefersForm(accept, 'APIGroupDiscoveryList', item));
    if (version !== undefined) {
      const type = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
      sendJson(response, 200, aggregated(resources, root === 'api', version), type);
      return true;
    }
  }
  const found = discovered(cluster, root, rest);
  if (found === undefined) throw pathNotFound();
  sendJson(response, 200, found);
  return true;
}

function discovered(cluster: Cluster, root: string, rest: readonly string[]): JsonObject | undefined {
  const resources = cluster.registry.all();
  const [first, second] = rest;
  if (root === 'api') return first === undefined ? coreVersions() : resourceList(resources, '', first);
  if (first === undefined) return groupList(resources);
  return second === undefined ? groupInfo(resources, first) : resourceList(resources, first, second);
}

function sendOpenapi(cluster: Cluster, pathname: string, accept: string | undefined, response: ServerResponse): void {
  const resources = cluster.registry.all();
  if (pathname === '/openapi/v2') {
    if (!(accept ?? '').includes('protobuf')) return sendJson(response, 200, openapiV2());
    response.writeHead(200, { 'content-type': PROTOBUF });
    response.end(openapiV2Protobuf());
    return;
  }
  if (pathname === '/openapi/v3') return sendJson(response, 200, openapiV3(resources));
  const [root, group = '', version = group] = pathname.slice('/openapi/v3/'.length).split('/');
  const found = openapiV3Document(resources, root === 'api' ? '' : group, version);
  if (found === undefined) throw pathNotFound();
  sendJson(response, 200, found);
}

/** Answers what is no resource. False when it is one. */
function sendMeta(cluster: Cluster, pathname: string, request: IncomingMessage, response: ServerResponse): boolean {
  if (pathname.startsWith('/openapi/v')) {
    sendOpenapi(cluster, pathname, request.headers.accept, response);
    return true;
  }
  return sendDiscovery(cluster, pathname, request.headers.accept, response);
}

function sendPublic(pathname: string, response: ServerResponse): boolean {
  const health = HEALTH.has(pathname);
  if (health) response.writeHead(200, { 'content-type': 'text/plain' }).end('ok');
  else if (pathname === '/version') sendJson(response, 200, VERSION);
  return health || pathname === '/version';
}

/** The API server as a request listener. It never rejects: every failure is answered with a Status. */
export function requestListener(options: ServerOptions): (request: IncomingMessage, response: ServerResponse) => void {
  const snapshots = new Snapshots();
  return (request, response) => {
    // Connections that break off are the client's affair.
    response.on('error', () => undefined);
    serve(options, snapshots, request, response).catch((error: unknown) => sendError(response, error));
  };
}

async function serve(
  options: ServerOptions,
  snapshots: Snapshots,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const received = options.cluster.now();
  const { cluster, users } = options;
  const url = new URL(request.url ?? '/', 'http://stand-in');
  const user = userOf(request, users);
  const line = { method: request.method ?? 'GET', path: `${url.pathname}${url.search}` };
  options.record({ ...line, user: (user ?? ANONYMOUS).username });
  response.setHeader('x-stand-in', 'kubernetes');
  const fault = options.faults(line.method, line.path);
  if (fault === 'cut') return void request.socket.destroy();
  if (fault !== undefined) throw new StatusError(fault, 'Fault', 'a fault that was asked for');
  if (sendPublic(url.pathname, response)) return;
  if (user === undefined) throw unauthorized();
  if (line.method === 'GET' && sendMeta(cluster, url.pathname, request, response)) return;
  const input = { cluster, snapshots, url, user, request, response, stopped: options.stopped };
  const done = await serveResource(input, (error) => sendError(response, error));
  if (done !== undefined && options.audit.active) audit(options, request, line.path, user, done, received);
}

function audit(
  options: ServerOptions,
  request: IncomingMessage,
  url: string,
  user: User,
  done: Done,
  received: Date,
): void {
  const parsed: Json = JSON.parse(done.response);
  const event = auditEvent({
    ...done,
    url,
    user,
    response: parsed,
    userAgent: request.headers['user-agent'] ?? '',
    sourceAddress: '127.0.0.1',
    received,
    answered: options.cluster.now(),
  });
  if (event !== undefined) options.audit.add(event);
}

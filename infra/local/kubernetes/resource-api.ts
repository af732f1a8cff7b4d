import type { IncomingMessage, ServerResponse } from 'node:http';
import { mediaType, readBody } from './body.ts';
import type { Call, Cluster, User } from './call.ts';
import { remove, removeAll } from './deletes.ts';
import type { Json, JsonObject } from './json.ts';
import { get, list, select, selection, shown, type Snapshots } from './reads.ts';
import { flag, parsePath, representation, type Representation, type ResourcePath } from './request.ts';
import { badRequest, methodNotAllowed, pathNotFound, StatusError } from './status.ts';
import { watch } from './watch.ts';
import { create, patch, update, type Written } from './writes.ts';

/** What was done, for the audit. */
export interface Done {
  readonly verb: string;
  readonly path: ResourcePath;
  readonly code: number;
  readonly request: Json | undefined;
  /** JSON text of the object (or Status) that the client got, whatever form it asked for. */
  readonly response: string;
}

export interface ResourceRequest {
  readonly cluster: Cluster;
  readonly snapshots: Snapshots;
  readonly url: URL;
  readonly user: User;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Ends watches when the server stops. */
  readonly stopped: AbortSignal;
}

function manager(request: IncomingMessage, query: URLSearchParams): string {
  return query.get('fieldManager') ?? (request.headers['user-agent'] ?? 'unknown').split('/')[0] ?? 'unknown';
}

function callOf(input: ResourceRequest): Call {
  const { cluster, url, user, request } = input;
  const path = parsePath(url.pathname);
  const resource = cluster.registry.find(path.group, path.version, path.plural);
  if (resource === undefined) throw pathNotFound();
  if (path.subresource !== '' && !(path.subresource === 'status' && resource.status)) throw pathNotFound();
  if (path.namespace !== '' && !resource.namespaced) throw pathNotFound();
  if (path.name !== '' && path.namespace === '' && resource.namespaced) throw pathNotFound();
  return {
    cluster,
    resource,
    path,
    query: url.searchParams,
    user,
    manager: manager(request, url.searchParams),
    warnings: [],
  };
}

function accepted(request: IncomingMessage): Representation {
  const form = representation(request.headers.accept);
  if (form !== undefined) return form;
  throw new StatusError(406, 'NotAcceptable', 'only the following media types are accepted: application/json');
}

function verbOf(method: string, call: Call): string {
  const one = call.path.name !== '';
  const main = call.path.subresource === '';
  if (method === 'GET') return flag(call.query, 'watch') ? 'watch' : one ? 'get' : 'list';
  if (method === 'POST' && !one) return 'create';
  if (method === 'PUT' && one) return 'update';
  if (method === 'PATCH' && one) return 'patch';
  if (method === 'DELETE' && main) return one ? 'delete' : 'deletecollection';
  throw methodNotAllowed();
}

function send(response: ServerResponse, call: Call, code: number, text: string): void {
  for (const warning of call.warnings) {
    response.appendHeader('warning', `299 - "${warning.replaceAll(/["\\]/g, '\\$&').replaceAll(/[^ -~]/g, ' ')}"`);
  }
  response.writeHead(code, { 'content-type': 'application/json' });
  response.end(text);
}

async function write(call: Call, verb: string, request: IncomingMessage, body: Json | undefined): Promise<Written> {
  if (body === undefined) throw badRequest('the request has no body');
  if (verb === 'create') return create(call, body);
  return verb === 'update' ? update(call, body) : patch(call, mediaType(request), body);
}

async function erase(call: Call, verb: string, body: Json | undefined): Promise<JsonObject> {
  if (verb === 'delete') return remove(call, body ?? {});
  if (call.path.namespace === '' && call.resource.namespaced) throw methodNotAllowed();
  return removeAll(call, select(call, selection(call)), body ?? {});
}

async function read(input: ResourceRequest, call: Call, verb: string): Promise<void> {
  const form = accepted(input.request);
  if (verb === 'watch') return watch(call, form, input.response, input.stopped);
  const text = verb === 'list' ? list(call, form, input.snapshots) : shown(call, form, get(call));
  send(input.response, call, 200, text);
}

/** Stands in for the parsed body while it could not be read. */
interface Progress {
  body: Json | undefined;
}

async function change(input: ResourceRequest, call: Call, verb: string, progress: Progress): Promise<Done> {
  const form = accepted(input.request);
  progress.body = await readBody(input.request);
  const done = { verb, path: call.path, request: progress.body };
  if (verb === 'delete' || verb === 'deletecollection') {
    const response = JSON.stringify(await erase(call, verb, progress.body));
    send(input.response, call, 200, response);
    return { ...done, code: 200, response };
  }
  const { stored, created } = await write(call, verb, input.request, progress.body);
  const code = created ? 201 : 200;
  const response = shown(call, 'object', stored);
  send(input.response, call, code, form === 'object' ? response : shown(call, form, stored));
  return { ...done, code, response };
}

/**
 * Answers a request to a resource. Gives what was done when it was a write (also a refused one: then `failed` has sent
 * the Status), undefined for reads. Throws the Status of a request that is none.
 */
export async function serveResource(
  input: ResourceRequest,
  failed: (error: unknown) => StatusError,
): Promise<Done | undefined> {
  const call = callOf(input);
  const verb = verbOf(input.request.method ?? 'GET', call);
  if (verb === 'get' || verb === 'list' || verb === 'watch') {
    await read(input, call, verb);
    return undefined;
  }
  const progress: Progress = { body: undefined };
  try {
    return await change(input, call, verb, progress);
  } catch (error) {
    const status = failed(error);
    return {
      verb,
      path: call.path,
      code: status.code,
      request: progress.body,
      response: JSON.stringify(status.toStatus()),
    };
  }
}

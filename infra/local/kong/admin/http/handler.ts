import type { IncomingMessage, ServerResponse } from 'node:http';
import { KongError, notFound, plainError } from '../dao/kong-error.ts';
import type { FaultAnswer, Faults } from '../faults.ts';
import { KONG_VERSION } from '../settings.ts';
import { parseBody, readText, UnsupportedMediaType } from './body.ts';
import { allowed, handlerFor } from './dispatch.ts';
import type { Match } from './dispatch.ts';
import type { Reply } from './types.ts';

/** Says what it is: nobody may take it for Kong. */
const SERVER = `kong-stand-in/${KONG_VERSION}`;

type Dispatch = (path: string) => Match | undefined;
type Handle = (request: IncomingMessage, response: ServerResponse) => void;

export interface HandlerOptions {
  readonly faults?: Faults;
  /** Told what is behind an answer with status 500. */
  readonly onError?: (error: unknown) => void;
}

interface Incoming {
  readonly request: IncomingMessage;
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
}

interface Answer extends Reply {
  readonly html?: string;
}

/** Answers HTTP requests as Kong's Admin API does, headers included. */
export function createHandler(dispatch: Dispatch, { faults, onError }: HandlerOptions): Handle {
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const started = performance.now();
    const incoming = { request, method: request.method ?? 'GET', ...target(request.url ?? '/') };
    const fault = faults?.(incoming.method, incoming.path);
    if (fault === 'cut') {
      request.socket.destroy();
      return;
    }
    const reply =
      fault === undefined || fault === 'cut-after'
        ? await answer(dispatch, incoming).catch((error: unknown) => failure(error, onError))
        : faulty(fault);
    if (fault === 'cut-after') request.socket.destroy();
    else send(response, incoming.method, reply, performance.now() - started);
  };
  return (request, response) => {
    respond(request, response).catch(() => request.socket.destroy());
  };
}

function target(url: string): { path: string; query: URLSearchParams } {
  const mark = url.indexOf('?');
  return {
    path: mark < 0 ? url : url.slice(0, mark),
    query: new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1)),
  };
}

function faulty({ status, body, headers }: FaultAnswer): Answer {
  return { status, ...(body === undefined ? {} : { body }), ...(headers === undefined ? {} : { headers }) };
}

async function answer(dispatch: Dispatch, { request, method, path, query }: Incoming): Promise<Answer> {
  const match = dispatch(path);
  // Read even when nobody wants it: the next request of the connection comes behind it.
  const sent = await readText(request);
  if (match === undefined) throw notFound();
  if (method === 'OPTIONS') return options(match);
  const handler = handlerFor(match.endpoint, method);
  if (handler === undefined) throw plainError(405, 'Method not allowed');
  const contentType = request.headers['content-type'] ?? '';
  const takesBody = method !== 'GET' && method !== 'HEAD' && method !== 'DELETE';
  const body = await parseBody(takesBody ? sent : '', contentType);
  return handler({ path, query, body, form: !/json/i.test(contentType) }, ...match.params);
}

/** The answer that Kong gives for what went wrong. */
function failure(error: unknown, onError: HandlerOptions['onError']): Answer {
  if (error instanceof KongError) return { status: error.status, body: error.body };
  if (error instanceof UnsupportedMediaType) return { status: 415, html: errorPage('415 Unsupported Media Type') };
  onError?.(error);
  return { status: 500, body: { message: 'An unexpected error occurred' } };
}

function options({ endpoint }: Match): Answer {
  const methods = allowed(endpoint);
  return {
    status: 204,
    headers: {
      Allow: methods,
      'Access-Control-Allow-Methods': methods,
      'Access-Control-Allow-Headers': 'Content-Type',
    },
  };
}

/** An HTML page of the web server in front of the API. */
function errorPage(title: string): string {
  const lines = ['<html>', `<head><title>${title}</title></head>`, '<body>', `<center><h1>${title}</h1></center>`];
  return [...lines, '</body>', '</html>', ''].join('\r\n');
}

function send(response: ServerResponse, method: string, reply: Answer, elapsedMs: number): void {
  const body = reply.html ?? (reply.body === undefined ? undefined : JSON.stringify(reply.body));
  response.writeHead(reply.status, {
    Server: SERVER,
    'Access-Control-Allow-Origin': '*',
    'Access-Control-Allow-Credentials': 'true',
    'X-Kong-Admin-Latency': String(Math.round(elapsedMs)),
    ...(body === undefined ? {} : contentHeaders(reply, body)),
    ...reply.headers,
  });
  response.end(method === 'HEAD' ? undefined : body);
}

function contentHeaders({ html }: Answer, body: string): Record<string, string> {
  return {
    'Content-Type': html === undefined ? 'application/json; charset=utf-8' : 'text/html; charset=UTF-8',
    'Content-Length': String(Buffer.byteLength(body)),
  };
}

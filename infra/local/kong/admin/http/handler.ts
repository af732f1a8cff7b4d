import type { IncomingMessage, ServerResponse } from 'node:http';
import { KongError, notFound, plainError } from '../dao/kong-error.ts';
import type { FaultAnswer, Faults } from '../faults.ts';
import { KONG_VERSION } from '../settings.ts';
import { parseBody, readText, UnsupportedMediaType } from './body.ts';
import { allowed, handlerFor } from './dispatch.ts';
import type { Match } from './dispatch.ts';
import type { Reply } from './types.ts';

const SERVER = `kong-stand-in/${KONG_VERSION}`;

type Handle = (request: IncomingMessage, response: ServerResponse) => void;

/** Answers HTTP requests as Kong's Admin API does, headers included; says in `Server` what it is. */
export function createHandler(dispatch: Dispatch, faults: Faults | undefined): Handle {
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const started = performance.now();
    const method = request.method ?? 'GET';
    const { path, query } = target(request.url ?? '/');
    const fault = faults?.(method, path);
    if (fault === 'cut') {
      request.socket.destroy();
      return;
    }
    const reply =
      fault === undefined || fault === 'cut-after'
        ? await answer(dispatch, request, method, path, query)
        : faulty(fault);
    if (fault === 'cut-after') request.socket.destroy();
    else send(response, method, reply, performance.now() - started);
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

interface Answer extends Reply {
  readonly html?: string;
}

function faulty({ status, body, headers }: FaultAnswer): Answer {
  return { status, ...(body === undefined ? {} : { body }), ...(headers === undefined ? {} : { headers }) };
}

type Dispatch = (path: string) => Match | undefined;

/** Never rejects: what goes wrong becomes the answer that Kong gives for it. */
async function answer(
  dispatch: Dispatch,
  request: IncomingMessage,
  method: string,
  path: string,
  query: URLSearchParams,
): Promise<Answer> {
  try {
    const match = dispatch(path);
    const sent = await readText(request);
    if (match === undefined) throw notFound();
    if (method === 'OPTIONS') return options(match);
    const handler = handlerFor(match.endpoint, method);
    if (handler === undefined) throw plainError(405, 'Method not allowed');
    const contentType = request.headers['content-type'] ?? '';
    const body = await parseBody(method === 'GET' || method === 'DELETE' ? '' : sent, contentType);
    const form = !/json/i.test(contentType);
    return await handler({ path, query, body, form }, ...match.params);
  } catch (error) {
    return failure(error);
  }
}

function failure(error: unknown): Answer {
  if (error instanceof KongError) return { status: error.status, body: error.body };
  if (error instanceof UnsupportedMediaType) return { status: 415, html: errorPage('415 Unsupported Media Type') };
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
  return `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n</body>\r\n</html>\r\n`;
}

function send(response: ServerResponse, method: string, reply: Answer, elapsedMs: number): void {
  const body = reply.html ?? (reply.body === undefined ? undefined : JSON.stringify(reply.body));
  response.writeHead(reply.status, {
    Server: SERVER,
    'Access-Control-Allow-Origin': '*',
    'Access-Control-Allow-Credentials': 'true',
    'X-Kong-Admin-Latency': String(Math.round(elapsedMs)),
    ...(body === undefined
      ? {}
      : {
          'Content-Type': reply.html === undefined ? 'application/json; charset=utf-8' : 'text/html; charset=UTF-8',
          'Content-Length': String(Buffer.byteLength(body)),
        }),
    ...reply.headers,
  });
  response.end(method === 'HEAD' ? undefined : body);
}

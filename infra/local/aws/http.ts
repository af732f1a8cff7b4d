import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { readBody } from './body.ts';
import { MAX_PAYLOAD_BYTES } from './functions.ts';
import type { Functions } from './functions.ts';
import { isObject } from './json.ts';
import { ACCOUNT } from './wiring.ts';
import type { FunctionWiring } from './wiring.ts';

interface Route {
  readonly name: string;
  readonly key: string;
  readonly method: string;
  readonly segments: readonly string[];
}

interface Match {
  readonly route: Route;
  readonly parameters: Record<string, string>;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: Buffer | string;
}

function routesOf(functions: readonly FunctionWiring[]): Route[] {
  const routes = functions.flatMap(({ name, routes: list }) =>
    list.map(({ method, path }) => ({ name, key: `${method} ${path}`, method, segments: path.split('/') })),
  );
  // API Gateway prefers the route with fewer variables.
  const variables = (route: Route): number => route.segments.filter((segment) => segment.startsWith('{')).length;
  return routes.toSorted((one, two) => variables(one) - variables(two));
}

function matchRoute(routes: readonly Route[], method: string, path: string): Match | undefined {
  const given = path.split('/');
  for (const route of routes) {
    if (route.segments.length !== given.length || (route.method !== method && route.method !== '*')) continue;
    const parameters: Record<string, string> = {};
    const matches = route.segments.every((segment, index) => {
      const value = given[index] ?? '';
      if (!segment.startsWith('{')) return segment === value;
      parameters[segment.slice(1, -1)] = value;
      return value !== '';
    });
    if (matches) return { route, parameters };
  }
  return undefined;
}

/** API Gateway hands over text types as text and everything else as base64. */
function isText(contentType: string | undefined): boolean {
  return /^(?:text\/|application\/(?:json|javascript|xml)\b)/i.test(contentType ?? '');
}

function headersOf(request: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, values] of Object.entries(request.headersDistinct)) {
    if (name !== 'cookie' && values !== undefined) headers[name] = values.join(',');
  }
  return headers;
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** The event in payload format 2.0. */
function eventOf(request: IncomingMessage, url: URL, match: Match, body: Buffer): Record<string, unknown> {
  const headers = headersOf(request);
  const query: Record<string, string> = {};
  for (const name of url.searchParams.keys()) query[name] = url.searchParams.getAll(name).join(',');
  const text = isText(headers['content-type']);
  const path = decoded(url.pathname);
  const now = Date.now();
  const cookies = request.headersDistinct.cookie?.flatMap((cookie) => cookie.split(/;\s*/));
  return {
    version: '2.0',
    routeKey: match.route.key,
    rawPath: path,
    rawQueryString: url.search.slice(1),
    ...(cookies !== undefined && { cookies }),
    headers,
    ...(Object.keys(query).length > 0 && { queryStringParameters: query }),
    ...(Object.keys(match.parameters).length > 0 && { pathParameters: match.parameters }),
    requestContext: {
      accountId: ACCOUNT,
      apiId: 'local',
      domainName: headers['host'] ?? '',
      domainPrefix: 'local',
      http: {
        method: request.method ?? '',
        path,
        protocol: `HTTP/${request.httpVersion}`,
        sourceIp: request.socket.remoteAddress ?? '',
        userAgent: headers['user-agent'] ?? '',
      },
      requestId: randomUUID(),
      routeKey: match.route.key,
      stage: '$default',
      time: new Date(now).toUTCString(),
      timeEpoch: now,
    },
    ...(body.byteLength > 0 && { body: body.toString(text ? 'utf8' : 'base64') }),
    isBase64Encoded: body.byteLength > 0 && !text,
  };
}

function message(status: number, text: string): Answer {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify({ message: text }) };
}

/** A function's answer; one without a status code is the body itself. */
function answerOf(result: unknown): Answer {
  if (!isObject(result) || typeof result['statusCode'] !== 'number') {
    return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(result) };
  }
  const headers: Record<string, string | string[]> = {};
  if (isObject(result['headers'])) {
    for (const [name, value] of Object.entries(result['headers'])) headers[name.toLowerCase()] = String(value);
  }
  if (Array.isArray(result['cookies'])) headers['set-cookie'] = result['cookies'].map(String);
  const body = typeof result['body'] === 'string' ? result['body'] : '';
  return {
    status: result['statusCode'],
    headers: { 'content-type': 'text/plain;charset=UTF-8', ...headers },
    body: result['isBase64Encoded'] === true ? Buffer.from(body, 'base64') : body,
  };
}

async function answer(routes: readonly Route[], functions: Functions, request: IncomingMessage): Promise<Answer> {
  const body = await readBody(request, MAX_PAYLOAD_BYTES);
  const url = URL.parse(request.url ?? '/', 'http://localhost');
  const match = url === null ? undefined : matchRoute(routes, request.method ?? '', decoded(url.pathname));
  if (url === null || match === undefined) return message(404, 'Not Found');
  if (body === undefined) return message(413, 'Request Entity Too Large');
  try {
    return answerOf(await functions.invoke(match.route.name, eventOf(request, url, match, body)));
  } catch {
    return message(500, 'Internal Server Error');
  }
}

function send(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, { ...headers, 'apigw-requestid': randomUUID() });
  response.end(body);
}

/** An HTTP API in front of the functions that have routes: payload format 2.0, API Gateway's own 404, 413 and 500. */
export function createHttpFront(wirings: readonly FunctionWiring[], functions: Functions): Server {
  const routes = routesOf(wirings);
  return createServer((request, response) => {
    answer(routes, functions, request).then(
      (result) => send(response, result),
      () => response.destroy(),
    );
  });
}

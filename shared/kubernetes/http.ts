import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Readable } from 'node:stream';
import { text as textOf } from 'node:stream/consumers';
import axios, { AxiosError, type AxiosRequestConfig } from 'axios';
import type { Credentials } from '../access/credentials.ts';
import type { KubernetesConfig } from '../config.ts';
import { parseJson } from '../json.ts';
import { renewing, sourceOf } from './renewal.ts';
import { type ApiRequest, ConnectionFailed, type Transport } from './transport.ts';

/** Connections kept open to one API server. */
const CONNECTIONS = 10;
/** Until an answer begins whose body is a stream, ms. */
const OPENING_MS = 10_000;

/** Text or parsed JSON; an answer that is no JSON (a proxy's page) stays text. */
function parseBody(text: unknown): unknown {
  return typeof text === 'string' ? (parseJson(text) ?? text) : undefined;
}

/** Kept connections; another authority or client certificate gets others, a new token does not. */
function httpsAgents(maxSockets = CONNECTIONS): { of(credentials: Credentials): HttpsAgent; close(): void } {
  const made: { readonly identity: string; readonly agent: HttpsAgent }[] = [];
  return {
    of({ ca, clientCertificate, clientKey }) {
      const identity = JSON.stringify([ca, clientCertificate, clientKey]);
      const last = made.at(-1);
      if (last?.identity === identity) return last.agent;
      const agent = new HttpsAgent({
        keepAlive: true,
        maxSockets,
        ...(ca === undefined ? {} : { ca }),
        ...(clientCertificate === undefined ? {} : { cert: clientCertificate }),
        ...(clientKey === undefined ? {} : { key: clientKey }),
      });
      made.push({ identity, agent });
      return agent;
    },
    close() {
      for (const { agent } of made) agent.destroy();
    },
  };
}

/** What went wrong without axios' own error, which carries the request's headers and so the token. */
export function connectionFailed(error: unknown): ConnectionFailed {
  if (error instanceof AxiosError) return new ConnectionFailed(error.code ?? 'no answer');
  return new ConnectionFailed(error instanceof Error ? error.name : 'no answer');
}

/** A request as axios takes it. */
function axiosRequest(
  { method, path, query, body, contentType, accept }: ApiRequest,
  { token }: Credentials,
): AxiosRequestConfig {
  return {
    method,
    url: path,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': contentType ?? 'application/json' }),
      ...(accept === undefined ? {} : { accept }),
    },
    ...(query === undefined ? {} : { params: query }),
    ...(body === undefined ? {} : { data: JSON.stringify(body) }),
  };
}

/** Requests over axios with kept-alive connections; `close` ends them. */
export function httpTransport(config: KubernetesConfig): { send: Transport; close(): void } {
  const httpAgent = new HttpAgent({ keepAlive: true, maxSockets: CONNECTIONS });
  const https = httpsAgents();
  const http = axios.create({
    baseURL: config.url,
    timeout: config.timeoutMs,
    httpAgent,
    proxy: false,
    maxRedirects: 0,
    responseType: 'text',
    transformResponse: (text: unknown) => text,
    validateStatus: () => true,
  });
  const connect =
    (credentials: Credentials): Transport =>
    async (request) => {
      try {
        const response = await http.request<unknown>({
          ...axiosRequest(request, credentials),
          httpsAgent: https.of(credentials),
        });
        const retryAfter: unknown = response.headers['retry-after'];
        return {
          status: response.status,
          retryAfter: typeof retryAfter === 'string' ? retryAfter : undefined,
          body: parseBody(response.data),
        };
      } catch (error) {
        throw connectionFailed(error);
      }
    };
  return {
    send: renewing(sourceOf(config), connect),
    close() {
      httpAgent.destroy();
      https.close();
    },
  };
}

/**
 * Requests whose answer is a stream, each on a connection of its own until the stream ends or `signal` aborts. The body of
 * an answer other than 200 is what it says, as with `httpTransport`.
 */
export function streamTransport(config: KubernetesConfig): {
  readonly open: (request: ApiRequest, signal: AbortSignal) => ReturnType<Transport>;
  close(): void;
} {
  const https = httpsAgents(Number.POSITIVE_INFINITY);
  const http = axios.create({ baseURL: config.url, proxy: false, maxRedirects: 0, validateStatus: () => true });
  return {
    open(request, signal) {
      const connect =
        (credentials: Credentials): Transport =>
        async (given) => {
          const opening = new AbortController();
          const timer = setTimeout(() => opening.abort(), OPENING_MS);
          try {
            const response = await http.request<Readable>({
              ...axiosRequest(given, credentials),
              httpsAgent: https.of(credentials),
              responseType: 'stream',
              signal: AbortSignal.any([signal, opening.signal]),
            });
            const body = response.status === 200 ? response.data : parseBody(await textOf(response.data));
            return { status: response.status, retryAfter: undefined, body };
          } catch (error) {
            throw connectionFailed(error);
          } finally {
            clearTimeout(timer);
          }
        };
      return renewing(sourceOf(config), connect)(request);
    },
    close: () => https.close(),
  };
}

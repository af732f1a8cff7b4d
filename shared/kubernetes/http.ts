import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import axios, { AxiosError } from 'axios';
import type { Credentials } from '../access/credentials.ts';
import type { KubernetesConfig } from '../config.ts';
import { parseJson } from '../json.ts';
import { renewing, sourceOf } from './renewal.ts';
import { ConnectionFailed, type Transport } from './transport.ts';

/** Connections kept open to one API server. */
const CONNECTIONS = 10;

/** Text or parsed JSON; an answer that is no JSON (a proxy's page) stays text. */
function parseBody(text: unknown): unknown {
  return typeof text === 'string' ? (parseJson(text) ?? text) : undefined;
}

/** Kept connections; another authority or client certificate gets others, a new token does not. */
function httpsAgents(): { of(credentials: Credentials): HttpsAgent; close(): void } {
  const made: { readonly identity: string; readonly agent: HttpsAgent }[] = [];
  return {
    of({ ca, clientCertificate, clientKey }) {
      const identity = JSON.stringify([ca, clientCertificate, clientKey]);
      const last = made.at(-1);
      if (last?.identity === identity) return last.agent;
      const agent = new HttpsAgent({
        keepAlive: true,
        maxSockets: CONNECTIONS,
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
    async ({ method, path, query, body, contentType }) => {
      try {
        const response = await http.request<unknown>({
          method,
          url: path,
          httpsAgent: https.of(credentials),
          headers: {
            ...(credentials.token === undefined ? {} : { authorization: `Bearer ${credentials.token}` }),
            ...(body === undefined ? {} : { 'content-type': contentType ?? 'application/json' }),
          },
          ...(query === undefined ? {} : { params: query }),
          ...(body === undefined ? {} : { data: JSON.stringify(body) }),
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

import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import axios, { AxiosError } from 'axios';
import type { KubernetesConfig } from '../config.ts';
import { parseJson } from '../json.ts';
import { ConnectionFailed, type Transport } from './transport.ts';

/** Connections kept open to one API server. */
const CONNECTIONS = 10;

/** Text or parsed JSON; an answer that is no JSON (a proxy's page) stays text. */
function parseBody(text: unknown): unknown {
  return typeof text === 'string' ? (parseJson(text) ?? text) : undefined;
}

function agents(config: KubernetesConfig): { httpAgent: HttpAgent; httpsAgent: HttpsAgent } {
  const shared = { keepAlive: true, maxSockets: CONNECTIONS };
  return {
    httpAgent: new HttpAgent(shared),
    httpsAgent: new HttpsAgent({
      ...shared,
      ...(config.ca === undefined ? {} : { ca: config.ca }),
      ...(config.clientCertificate === undefined ? {} : { cert: config.clientCertificate }),
      ...(config.clientKey === undefined ? {} : { key: config.clientKey }),
    }),
  };
}

/** What went wrong without axios' own error, which carries the request's headers and so the token. */
function connectionFailed(error: unknown): ConnectionFailed {
  if (error instanceof AxiosError) return new ConnectionFailed(error.code ?? 'no answer');
  return new ConnectionFailed(error instanceof Error ? error.name : 'no answer');
}

/** Requests over axios with kept-alive connections; `close` ends them. */
export function httpTransport(config: KubernetesConfig): { send: Transport; close(): void } {
  const { httpAgent, httpsAgent } = agents(config);
  const http = axios.create({
    baseURL: config.url,
    timeout: config.timeoutMs,
    httpAgent,
    httpsAgent,
    proxy: false,
    maxRedirects: 0,
    responseType: 'text',
    transformResponse: (text: unknown) => text,
    validateStatus: () => true,
    headers: config.token === undefined ? {} : { authorization: `Bearer ${config.token}` },
  });
  return {
    async send({ method, path, query, body, contentType }) {
      try {
        const response = await http.request<unknown>({
          method,
          url: path,
          ...(query === undefined ? {} : { params: query }),
          ...(body === undefined
            ? {}
            : { data: JSON.stringify(body), headers: { 'content-type': contentType ?? 'application/json' } }),
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
    },
    close() {
      httpAgent.destroy();
      httpsAgent.destroy();
    },
  };
}

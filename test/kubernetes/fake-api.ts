import type { KubernetesConfig } from '../../shared/config.ts';
import type { RetryPolicy } from '../../shared/kubernetes/transport.ts';
import { type SeenRequest, type TestAnswer, type TestServer, startServer } from '../support/http-server.ts';

/** Retries at once, and for at most a second. */
export const QUICK: RetryPolicy = { backoff: { baseMs: 1, capMs: 2 }, deadlineMs: 1_000 };

export function configOf(url: string, changes: Partial<KubernetesConfig> = {}): KubernetesConfig {
  return {
    cluster: 'prod',
    url,
    ca: undefined,
    token: 'secret-token',
    clientCertificate: undefined,
    clientKey: undefined,
    timeoutMs: 2_000,
    ...changes,
  };
}

/** A Status as the API server answers it. */
export function status(code: number, reason: string, name?: string): TestAnswer {
  return {
    status: code,
    body: {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      reason,
      message: `${reason}.`,
      details: { name },
      code,
    },
  };
}

/** What an API server answers on a path that it does not serve. */
export const NO_SUCH_PATH: TestAnswer = {
  status: 404,
  headers: { 'content-type': 'text/plain' },
  body: '404 page not found\n',
};

/** A page of a list; `next` is its continue token. */
export function page(items: readonly object[] | null, next = '', resourceVersion = '100'): TestAnswer {
  const metadata = { resourceVersion, ...(next === '' ? {} : { continue: next }) };
  return { body: { kind: 'List', apiVersion: 'v1', metadata, items } };
}

/** Answers by method and path (`GET /api/v1/pods`), the query left out; anything else is a path that is not served. */
export function startApi(
  routes: Readonly<Record<string, TestAnswer | ((request: SeenRequest, url: URL) => TestAnswer)>>,
): Promise<TestServer> {
  return startServer((request) => {
    const url = new URL(request.url, 'http://api');
    const route = routes[`${request.method} ${url.pathname}`] ?? NO_SUCH_PATH;
    return typeof route === 'function' ? route(request, url) : route;
  });
}

export function service(name: string, metadata: object = {}): object {
  return { metadata: { name, namespace: 'shop', resourceVersion: '5', ...metadata }, spec: { ports: [{ port: 80 }] } };
}

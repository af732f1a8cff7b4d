import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import {
  startKubernetes,
  type KubernetesOptions,
  type KubernetesStandIn,
} from '../../../infra/local/kubernetes/index.ts';
import { isObject, type Json, type JsonObject } from '../../../infra/local/kubernetes/json.ts';

/** A directory that is removed after the test. */
export async function temporaryDirectory(t: TestContext): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'stand-in-kubernetes-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** A server of its own, over plain http for raw requests unless the options say otherwise, stopped after the test. */
export async function stand(t: TestContext, options: Partial<KubernetesOptions> = {}): Promise<KubernetesStandIn> {
  const directory = options.directory ?? (await temporaryDirectory(t));
  const kubernetes = await startKubernetes({ tls: false, ...options, directory });
  t.after(() => kubernetes.stop());
  return kubernetes;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: JsonObject;
}

/** One request as the administrator (or with another token). `body` is sent as JSON. */
export async function send(
  kubernetes: Pick<KubernetesStandIn, 'url' | 'token'>,
  method: string,
  target: string,
  body?: Json,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const response = await fetch(`${kubernetes.url}${target}`, {
    method,
    headers: { authorization: `Bearer ${kubernetes.token}`, 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const parsed: unknown = response.headers.get('content-type')?.startsWith('application/json')
    ? JSON.parse(text)
    : { text };
  return { status: response.status, headers: response.headers, body: isObject(parsed) ? parsed : {} };
}

/** Waits until `probe` gives something; fails after 10 s. */
export async function eventually<T>(probe: () => T | undefined | Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const found = await probe();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error('it did not happen within 10 s');
    await pause(10);
  }
}

export const INGRESSES = '/apis/networking.k8s.io/v1/namespaces/default/ingresses';
export const SERVICES = '/api/v1/namespaces/default/services';
export const CONFIGMAPS = '/api/v1/namespaces/default/configmaps';

export function ingress(name: string, host: string, more: JsonObject = {}): JsonObject {
  const backend = { service: { name: 'web', port: { number: 80 } } };
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, ...more },
    spec: {
      ingressClassName: 'kong',
      rules: [{ host, http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }],
    },
  };
}

export function configMap(name: string, data: JsonObject = {}, more: JsonObject = {}): JsonObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...more }, data };
}

export function service(name: string, ports: readonly JsonObject[] = [{ port: 80 }]): JsonObject {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { ports } };
}

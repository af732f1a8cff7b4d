import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { KubernetesObject } from '../../shared/kubernetes/resources.ts';
import { translateAll } from '../../shared/translate/offline.ts';
import { OPTIONS } from '../golden/cases.ts';

interface Figure {
  readonly name: string;
  readonly objects: number;
  readonly entities: number;
  readonly findings: number;
  readonly cpuMs: number;
  readonly rootsPerSecond: number;
  readonly peakMemoryMb: number;
}

const CREATED = '2026-01-01T00:00:00Z';

function metadata(name: string, annotations: Record<string, string> = {}) {
  return { name, namespace: 'bench', uid: `uid-${name}`, creationTimestamp: CREATED, annotations };
}

/** A generated object; its kind's own fields are checked by translation. */
type Generated = KubernetesObject & Readonly<Record<string, unknown>>;

/** An Ingress with two paths to a Service of its own with two endpoints. */
function ingressObjects(index: number): readonly Generated[] {
  const service = `svc-${index}`;
  const plugin = { 'konghq.com/plugins': `limit-${index}` };
  const objects = [
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: metadata(`ing-${index}`, index % 10 === 0 ? plugin : {}),
      spec: {
        ingressClassName: 'kong',
        rules: [
          {
            host: `app-${index}.example.com`,
            http: {
              paths: ['/', '/api'].map((prefix) => ({
                path: prefix,
                pathType: 'Prefix',
                backend: { service: { name: service, port: { number: 80 } } },
              })),
            },
          },
        ],
      },
    },
    ...serviceObjects(service, index),
  ];
  if (index % 10 !== 0) return objects;
  return [
    ...objects,
    {
      apiVersion: 'configuration.konghq.com/v1',
      kind: 'KongPlugin',
      metadata: metadata(`limit-${index}`),
      plugin: 'rate-limiting',
      config: { minute: 5, policy: 'local' },
    },
  ];
}

function serviceObjects(service: string, index: number): readonly Generated[] {
  const endpoint = (last: number) => ({
    addresses: [`10.${index >> 8}.${index & 255}.${last}`],
    conditions: { ready: true },
  });
  const slice = {
    ...metadata(`${service}-x`),
    labels: { 'kubernetes.io/service-name': service },
  };
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: metadata(service),
      spec: { ports: [{ port: 80, protocol: 'TCP', targetPort: 8080 }] },
    },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: slice,
      addressType: 'IPv4',
      endpoints: [endpoint(1), endpoint(2)],
      ports: [{ name: '', port: 8080, protocol: 'TCP' }],
    },
  ];
}

async function measure(name: string, roots: number, objects: readonly KubernetesObject[]): Promise<Figure> {
  const before = process.cpuUsage();
  const { entities, findings } = await translateAll(objects, OPTIONS);
  const { user, system } = process.cpuUsage(before);
  const cpuMs = Math.round((user + system) / 1000);
  return {
    name,
    objects: objects.length,
    entities: entities.length,
    findings: findings.length,
    cpuMs,
    rootsPerSecond: Math.round((roots / cpuMs) * 1000),
    peakMemoryMb: Math.round(process.resourceUsage().maxRSS / 1024),
  };
}

/** Measures translation of whole clusters, slots included; writes `translate.json` beside this file. */
export async function bench(): Promise<void> {
  const ingresses = Array.from({ length: 10_000 }, (_, index) => ingressObjects(index)).flat();
  const figures = [await measure('10,000 Ingresses', 10_000, ingresses)];
  console.table(figures);
  writeFileSync(path.join(import.meta.dirname, 'translate.json'), `${JSON.stringify(figures, null, 2)}\n`);
}

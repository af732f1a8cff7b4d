import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { isRecord } from '../../shared/json.ts';
import type { KubernetesObject } from '../../shared/kubernetes/resources.ts';
import type { Lookup } from '../../shared/kubernetes/lookup.ts';
import { snapshotLookup } from '../../shared/kubernetes/snapshot.ts';
import { isRoot, translateRoot } from '../../shared/translate/index.ts';
import { translateAll } from '../../shared/translate/offline.ts';
import { OPTIONS } from '../golden/cases.ts';

interface Figure {
  readonly name: string;
  readonly objects: number;
  /** Proposals of the roots, or entities. */
  readonly results: number;
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

/** The class and the Gateway that every HTTPRoute names. */
function gatewayObjects(): readonly Generated[] {
  return [
    {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'GatewayClass',
      metadata: { name: 'kong' },
      spec: { controllerName: 'konghq.com/kic-gateway-controller' },
    },
    {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'Gateway',
      metadata: metadata('gateway'),
      spec: {
        gatewayClassName: 'kong',
        listeners: [{ name: 'http', protocol: 'HTTP', port: 80, allowedRoutes: { namespaces: { from: 'All' } } }],
      },
    },
  ];
}

/** An HTTPRoute with two matches and a header filter, to a Service of its own with two endpoints. */
function httpRouteObjects(index: number): readonly Generated[] {
  const service = `backend-${index}`;
  const set = [{ name: 'X-Route', value: String(index) }];
  return [
    {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: metadata(`route-${index}`),
      spec: {
        parentRefs: [{ name: 'gateway' }],
        hostnames: [`route-${index}.example.com`],
        rules: [
          {
            matches: ['/', '/api'].map((value) => ({ path: { type: 'PathPrefix', value } })),
            filters: [{ type: 'RequestHeaderModifier', requestHeaderModifier: { set } }],
            backendRefs: [{ group: '', kind: 'Service', name: service, port: 80, weight: 1 }],
          },
        ],
      },
    },
    ...serviceObjects(service, index),
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

/** Measures `work`, which gives how many entities or proposals it made and how many findings. */
async function measure(
  name: string,
  count: number,
  objects: readonly KubernetesObject[],
  work: () => Promise<{ readonly results: number; readonly findings: number }>,
): Promise<Figure> {
  const before = process.cpuUsage();
  const { results, findings } = await work();
  const { user, system } = process.cpuUsage(before);
  const cpuMs = Math.round((user + system) / 1000);
  return {
    name,
    objects: objects.length,
    results,
    findings,
    cpuMs,
    rootsPerSecond: Math.round((count / cpuMs) * 1000),
    peakMemoryMb: Math.round(process.resourceUsage().maxRSS / 1024),
  };
}

async function roots(objects: readonly KubernetesObject[], lookup: Lookup) {
  const sum = { results: 0, findings: 0 };
  for (const object of objects) {
    if (!isRoot(object)) continue;
    const { proposals, findings } = await translateRoot(object, lookup, OPTIONS);
    sum.results += proposals.length;
    sum.findings += findings.length;
  }
  return sum;
}

async function whole(objects: readonly KubernetesObject[]) {
  const { entities, findings } = await translateAll(objects, OPTIONS);
  return { results: entities.length, findings: findings.length };
}

/** Steps that never leave 32 bits: sums would, and V8 then counts in another way, many times slower. */
function mix(steps: number): number {
  let mixed = 0;
  for (let step = 0; step < steps; step += 1) mixed = (mixed << 1) ^ step;
  return mixed;
}

/**
 * CPU time of a hundred million small steps, ms: about 60 on an idle core; more says how much slower this machine is now.
 */
function calibrate(): number {
  const before = process.cpuUsage();
  let sum = 0;
  for (let call = 0; call < 1000; call += 1) sum ^= mix(100_000);
  const { user } = process.cpuUsage(before);
  return sum === 1 ? 0 : Math.round(user / 1000);
}

const OUTPUT = path.join(import.meta.dirname, 'translate.json');

/** What was measured before translation was made faster; kept in the file, to compare with. */
function figuresBefore(): unknown {
  const file: unknown = JSON.parse(readFileSync(OUTPUT, 'utf8'));
  return isRecord(file) ? file['before'] : undefined;
}

/**
 * Measures translation: the lookup over a snapshot, the roots alone, and all of it with the election of slots; writes
 * `translate.json` beside this file.
 */
export async function bench(): Promise<void> {
  const ingresses = Array.from({ length: 10_000 }, (_, index) => ingressObjects(index)).flat();
  const httpRoutes = [
    ...gatewayObjects(),
    ...Array.from({ length: 5000 }, (_, index) => httpRouteObjects(index)).flat(),
  ];
  const httpRouteLookup = snapshotLookup(httpRoutes);
  let ingressLookup = snapshotLookup([]);
  const figures = [
    await measure('10,000 Ingresses, their snapshot', 10_000, ingresses, async () => {
      ingressLookup = snapshotLookup(ingresses);
      return { results: 0, findings: 0 };
    }),
    await measure('10,000 Ingresses, cold', 10_000, ingresses, () => roots(ingresses, ingressLookup)),
    await measure('10,000 Ingresses, warm', 10_000, ingresses, () => roots(ingresses, ingressLookup)),
    await measure('10,000 Ingresses, with slots', 10_000, ingresses, () => whole(ingresses)),
    await measure('5,000 HTTPRoutes, cold', 5000, httpRoutes, () => roots(httpRoutes, httpRouteLookup)),
    await measure('5,000 HTTPRoutes, with slots', 5000, httpRoutes, () => whole(httpRoutes)),
  ];
  const calibrationMs = calibrate();
  console.table(figures);
  console.log(`calibration: ${calibrationMs} ms`);
  const output = JSON.stringify({ calibrationMs, figures, before: figuresBefore() }, null, 2);
  writeFileSync(OUTPUT, `${output}\n`);
}

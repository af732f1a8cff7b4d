import { randomUUID } from 'node:crypto';
import https from 'node:https';
import axios from 'axios';
import { CLUSTER_CHANGE, EVENT_SOURCE, type ChangeEvent } from '../../../shared/events.ts';
import type { Stack } from '../stack.ts';
import type { Cluster } from './cluster.ts';
import { until, type Meter } from './meter.ts';
import { hostIngress, type Manifest } from './objects.ts';

/** What changes cost among many other Ingresses. */
export interface ScaleResult {
  readonly others: number;
  readonly changes: number;
  readonly writes: number;
  /** HTTP requests and SQL statements of each change, without repetition: one number when every change costs the same. */
  readonly httpRequests: readonly number[];
  readonly sqlStatements: readonly number[];
}

const PARALLEL_WRITES = 8;
const INGRESS = { group: 'networking.k8s.io', version: 'v1', kind: 'Ingress', namespace: 'shop' } as const;

/** The SQS event that brings one change to `sync`, alone, so that its cost can be told. */
function queueEvent(change: ChangeEvent): object {
  const body = { id: randomUUID(), source: EVENT_SOURCE, 'detail-type': CLUSTER_CHANGE, detail: change };
  return { Records: [{ messageId: body.id, body: JSON.stringify(body) }] };
}

async function lose(stack: Stack, events: number, act: () => Promise<void>): Promise<void> {
  const before = stack.cloud.counters().dropped;
  stack.cloud.dropNextEvents(events);
  await act();
  await until('the events that are lost on purpose', 60_000, () =>
    stack.cloud.counters().dropped - before >= events ? true : undefined,
  );
}

/** Creates Ingresses over few connections; the official client opens one a request, which takes long for thousands. */
async function createAll({ kubernetes }: Stack, ingresses: readonly Manifest[]): Promise<void> {
  const { url, ca, token, clientCertificate: cert, clientKey: key } = kubernetes;
  const httpsAgent = new https.Agent({ keepAlive: true, maxSockets: PARALLEL_WRITES, ca, cert, key });
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const client = axios.create({ baseURL: url, httpsAgent, headers, proxy: false });
  const path = `/apis/${INGRESS.group}/${INGRESS.version}/namespaces/${INGRESS.namespace}/ingresses`;
  try {
    await Promise.all(ingresses.map((ingress) => client.post(path, ingress)));
  } finally {
    httpsAgent.destroy();
  }
}

/** Creates the Ingresses `other-<from>` to `other-<to - 1>` unseen, and lets reconcile find them. */
export async function growTo(stack: Stack, from: number, to: number): Promise<void> {
  const ingresses = Array.from({ length: to - from }, (_, place) => {
    const name = `other-${from + place}`;
    return hostIngress(name, `${name}.example`, '/');
  });
  await lose(stack, ingresses.length, () => createAll(stack, ingresses));
  await stack.cloud.tick('reconcile');
}

/** Changes the paths of the Ingresses `other-0` to `other-<count - 1>`, synchronises them one by one, and counts what each costs. */
export async function changeOneByOne(
  stack: Stack,
  cluster: Cluster,
  meter: Meter,
  count: number,
  path: string,
): Promise<Omit<ScaleResult, 'others'>> {
  const names = Array.from({ length: count }, (_, number) => `other-${number}`);
  await lose(stack, count, () => cluster.apply(...names.map((name) => hostIngress(name, `${name}.example`, path))));
  const [http, sql] = [new Set<number>(), new Set<number>()];
  let writes = 0;
  for (const name of names) {
    const ref = { ...INGRESS, cluster: stack.kubernetes.cluster, name };
    const observedAt = new Date().toISOString();
    meter.read();
    await stack.cloud.invoke('sync', queueEvent({ ref, operation: 'update', observedAt }));
    const reading = meter.read();
    http.add(reading.httpRequests);
    sql.add(reading.sqlStatements);
    writes += reading.writes;
  }
  return { changes: count, writes, httpRequests: [...http], sqlStatements: [...sql] };
}

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, get, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import test, { after, before } from 'node:test';
import type { Context } from 'aws-lambda';
import pg from 'pg';
import { startKong, type KongStandIn } from '../../infra/local/kong/index.ts';
import { startKubernetes, type KubernetesStandIn } from '../../infra/local/kubernetes/index.ts';
import { close, listen } from '../../infra/local/listen.ts';
import { isRecord, parseJson } from '../../shared/json.ts';
import { kubernetesClient, type KubernetesClient } from '../../shared/kubernetes/client.ts';
import type { EndpointSlice, KubernetesObject } from '../../shared/kubernetes/resources.ts';
import { endpoints, ingress, INGRESS_CLASS, service } from '../support/manifests.ts';
import { temporaryPostgres, type TemporaryPostgres } from '../support/postgres.ts';

let directory: string;
let postgres: TemporaryPostgres;
let kong: KongStandIn;
let kubernetes: KubernetesStandIn;
let client: KubernetesClient;
let pool: pg.Pool;
let bus: Server;
let backend: Server;
const published: string[] = [];

/** EventBridge's PutEvents, taking everything. */
async function startBus(): Promise<string> {
  bus = createServer((request, response) => {
    void text(request).then((body) => {
      const parsed = parseJson(body);
      const entries: unknown[] = isRecord(parsed) && Array.isArray(parsed['Entries']) ? parsed['Entries'] : [];
      for (const entry of entries) if (isRecord(entry)) published.push(String(entry['DetailType']));
      response.setHeader('content-type', 'application/x-amz-json-1.1');
      response.end(JSON.stringify({ FailedEntryCount: 0, Entries: entries.map((_, n) => ({ EventId: String(n) })) }));
    });
  });
  return `http://127.0.0.1:${await listen(bus)}`;
}

before(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'kong-ingress-sync-'));
  postgres = await temporaryPostgres();
  const databaseUrl = await postgres.createDatabase('kong');
  pool = new pg.Pool({ connectionString: databaseUrl, max: 2 });
  pool.on('error', () => undefined);
  const settings = { dbUpdateFrequencySeconds: 0.2, workerStateUpdateFrequencySeconds: 0.2 };
  kong = await startKong({ databaseUrl, topology: 'hybrid', settings, log: () => undefined });
  kubernetes = await startKubernetes({ directory, tls: false });
  const cluster = { cluster: 'test', url: kubernetes.url, ca: undefined, token: kubernetes.token, timeoutMs: 5_000 };
  client = kubernetesClient({ ...cluster, clientCertificate: undefined, clientKey: undefined });
  backend = createServer((request, response) => response.end(`backend saw ${request.url ?? ''}`));
  Object.assign(process.env, {
    KONG_ADMIN_URL: kong.adminUrl,
    KONG_DATABASE_URL: databaseUrl,
    KUBERNETES_URL: kubernetes.url,
    KUBERNETES_TOKEN: kubernetes.token,
    CLUSTER_NAME: 'test',
    EVENT_BUS_NAME: 'bus',
    AWS_ENDPOINT_URL_EVENTBRIDGE: await startBus(),
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    POWERTOOLS_LOG_LEVEL: 'SILENT',
  });
});

after(async () => {
  client.close();
  await Promise.all([close(bus), close(backend), kubernetes.stop(), kong.stop(), pool.end()]);
  await postgres.stop();
  await rm(directory, { recursive: true });
});

const COLLECTIONS: Readonly<Record<string, string>> = {
  Ingress: '/apis/networking.k8s.io/v1/namespaces/default/ingresses',
  IngressClass: '/apis/networking.k8s.io/v1/ingressclasses',
  Service: '/api/v1/namespaces/default/services',
  EndpointSlice: '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices',
};

async function create(object: KubernetesObject): Promise<void> {
  const answer = await client.send({ method: 'POST', path: COLLECTIONS[object.kind] ?? '', body: object });
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
}

function message(id: string, kind: string, name: string, operation: string): object {
  const ref = { cluster: 'test', group: '', version: 'v1', kind, namespace: 'default', name };
  const detail = { ref, operation, observedAt: '2026-01-01T00:00:00Z' };
  const envelope = { source: 'kong-ingress-functions', 'detail-type': 'ClusterChange', detail };
  return { messageId: id, body: JSON.stringify(envelope) };
}

function fail(): void {
  assert.fail('callbacks are not used');
}

function context(name: string): Context {
  return {
    callbackWaitsForEmptyEventLoop: false,
    functionName: name,
    functionVersion: '1',
    invokedFunctionArn: name,
    memoryLimitInMB: '1024',
    awsRequestId: 'request',
    logGroupName: name,
    logStreamName: name,
    getRemainingTimeInMillis: () => 60_000,
    done: fail,
    fail,
    succeed: fail,
  };
}

async function sync(...records: readonly object[]): Promise<unknown> {
  const { handler } = await import('../../functions/sync.ts');
  return handler({ Records: records }, context('sync'));
}

/** What the first data plane answers, once it answers as `expected`. */
async function proxied(host: string, expected: number): Promise<string> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const { hostname, port } = new URL(kong.nodes[0]?.proxyUrl ?? '');
    const answer = await new Promise<{ status: number; body: string }>((resolve, reject) => {
      get({ hostname, port, path: '/hello', headers: { host } }, (response) => {
        text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
      }).on('error', reject);
    });
    if (answer.status === expected) return answer.body;
    assert.ok(Date.now() < deadline, `${answer.status} ${answer.body}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test('from a message to an answer through the data plane, and back to nothing', async () => {
  const port = await listen(backend);
  const slice = endpoints('echo', ['127.0.0.1']);
  await create(INGRESS_CLASS);
  await create(service('echo'));
  const ports = [{ port, protocol: 'TCP' }];
  const served: EndpointSlice = { ...slice, ports };
  await create(served);
  await create(ingress('web', ['a.test / echo 80']));
  const answer = await sync(message('1', 'Ingress', 'web', 'create'), { messageId: 'bad', body: 'nonsense' });
  assert.deepEqual(answer, { batchItemFailures: [{ itemIdentifier: 'bad' }] });
  assert.equal(await proxied('a.test', 200), 'backend saw /hello');
  assert.deepEqual(published, ['ConfigurationApplied']);

  await client.send({ method: 'DELETE', path: `${COLLECTIONS['Ingress'] ?? ''}/web` });
  assert.deepEqual(await sync(message('2', 'Ingress', 'web', 'delete')), { batchItemFailures: [] });
  await proxied('a.test', 404);
  const { rows } = await pool.query('SELECT 1 FROM services UNION ALL SELECT 1 FROM upstreams');
  assert.deepEqual(rows, []);
});

test('reconcile finds what no event told', async () => {
  const { handler } = await import('../../functions/reconcile.ts');
  await create(ingress('silent', ['silent.test / echo 80']));
  const report: unknown = await handler({}, context('reconcile'));
  assert.ok(isRecord(report));
  assert.deepEqual([report['complete'], report['roots'], report['slices']], [true, 1, 1]);
  await proxied('silent.test', 200);
  const again: unknown = await handler({}, context('reconcile'));
  assert.ok(isRecord(again));
  assert.deepEqual([again['roots'], again['slices'], again['braked']], [0, 0, 0]);
});

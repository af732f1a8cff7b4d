import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AdmissionWebhook, type KubernetesStandIn, startKubernetes } from '../../infra/local/kubernetes/index.ts';
import type { ChangeEvent } from '../../shared/events.ts';
import { type KubernetesClient, kubernetesClient } from '../../shared/kubernetes/client.ts';
import { listCluster } from '../../shared/kubernetes/cluster.ts';
import { loadKubeconfig } from '../../shared/kubernetes/kubeconfig.ts';
import { liveLookup } from '../../shared/kubernetes/live.ts';
import type { ApiRequest } from '../../shared/kubernetes/transport.ts';
import { webhookConfig } from '../../shared/webhook/config.ts';
import { receive } from '../../shared/webhook/receive.ts';
import { type TestServer, startServer } from '../support/http-server.ts';

const CONFIG = webhookConfig({
  CLUSTER_NAME: 'local',
  EVENT_BUS_NAME: 'bus',
  WEBHOOK_TOKENS: 'token',
  OWN_USERS: 'nobody',
});

const EVERY_WRITE: Pick<AdmissionWebhook, 'rules' | 'failurePolicy' | 'timeoutSeconds'> = {
  rules: [{ apiGroups: ['*'], apiVersions: ['*'], resources: ['*'], operations: ['*'] }],
  failurePolicy: 'Fail',
  timeoutSeconds: 5,
};

let directory: string;
let webhook: TestServer;
let cluster: KubernetesStandIn;
let client: KubernetesClient;
/** What the webhook published, by its sender. */
const published: Record<'admission' | 'audit', ChangeEvent[]> = { admission: [], audit: [] };

/** The webhook function's work behind a plain HTTP server; the path's end is the token, as a gateway gives it. */
function startWebhook(): Promise<TestServer> {
  return startServer(async ({ method, url, headers, body }) => {
    const taken: ChangeEvent[] = [];
    const bus = {
      publishChanges: async (changes: readonly ChangeEvent[]) => taken.push(...changes),
      publishReconcileRequests: async () => 0,
    };
    const request = {
      method,
      headers: { 'content-type': headers['content-type'] ?? '', authorization: headers.authorization ?? '' },
      pathToken: /^\/webhook\/([^/?]+)/.exec(url)?.[1],
      requestId: '',
      clientCertificate: undefined,
      receivedMs: undefined,
      timeoutMs: undefined,
      body,
      isBase64Encoded: false,
    };
    const { response, sender } = await receive(request, CONFIG, bus);
    if (sender !== 'cloudevents') published[sender].push(...taken);
    return { status: response.statusCode, body: response.body };
  });
}

const SERVICES = '/api/v1/namespaces/default/services';

function service(name: string): object {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { ports: [{ port: 80 }] } };
}

async function write(request: ApiRequest): Promise<void> {
  const { status, body } = await client.send(request);
  assert.ok(status < 300, JSON.stringify(body));
}

const cleanups: (() => Promise<void> | void)[] = [];

before(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'stand-in-'));
  cleanups.push(() => rm(directory, { recursive: true }));
  webhook = await startWebhook();
  cleanups.push(() => webhook.stop());
  cluster = await startKubernetes({
    directory,
    customResources: false,
    pageLimit: 50,
    auditWebhook: { url: `${webhook.url}/webhook`, token: 'token', maxBatchSize: 10, maxDelayMs: 20 },
    admissionWebhooks: [{ name: 'changes.example', url: `${webhook.url}/webhook/token`, ...EVERY_WRITE }],
  });
  cleanups.push(() => cluster.stop());
  client = kubernetesClient(await loadKubeconfig(cluster.kubeconfig, 'local'));
  cleanups.push(() => client.close());
});
after(async () => {
  for (const cleanup of cleanups.toReversed()) await cleanup();
});

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!condition()) {
    assert.ok(performance.now() < deadline, 'it did not happen in 10 s');
    await sleep(10);
  }
}

function seen(events: readonly ChangeEvent[]): string[] {
  return events.map(({ ref, operation }) => `${operation} ${ref.kind} ${ref.namespace}/${ref.name}`);
}

test('an API server’s own reviews and audit batches become the same hints', async () => {
  await write({ method: 'POST', path: SERVICES, body: service('echo') });
  await write({
    method: 'PATCH',
    path: `${SERVICES}/echo`,
    body: { metadata: { annotations: { 'konghq.com/path': '/x' } } },
    contentType: 'application/merge-patch+json',
  });
  await write({ method: 'POST', path: SERVICES, query: { dryRun: 'All' }, body: service('never') });
  await write({ method: 'DELETE', path: `${SERVICES}/echo` });
  const expected = ['create Service default/echo', 'update Service default/echo', 'delete Service default/echo'];
  await until(() => published.audit.length >= 3);
  assert.deepEqual(seen(published.audit), expected);
  assert.deepEqual(seen(published.admission), expected);
  const [created, updated] = published.audit;
  assert.ok(created?.resourceVersion !== undefined && updated?.resourceVersion !== undefined);
  assert.equal(published.admission[1]?.previousResourceVersion, created.resourceVersion);
  const uids = [...published.audit, ...published.admission].flatMap(({ uid }) => uid ?? []);
  assert.ok(uids.length >= 5);
  assert.equal(new Set(uids).size, 1);
});

test('the live lookup reads what is there, and knows what is not', async () => {
  await write({ method: 'POST', path: SERVICES, body: service('web') });
  const lookup = liveLookup(client);
  assert.equal((await lookup.get('Service', 'default', 'web'))?.spec?.ports?.[0]?.port, 80);
  assert.equal(await lookup.get('Service', 'default', 'none'), undefined);
  assert.equal(await lookup.get('Service', 'no-such-namespace', 'none'), undefined);
  assert.equal(await lookup.get('KongPlugin', 'default', 'none'), undefined);
  assert.deepEqual(await lookup.list('EndpointSlice', { service: 'default/web' }), []);
});

const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const TLS_ROUTES = 'tlsroutes.gateway.networking.k8s.io';

/** The Gateway API's TLSRoute as a release serves it: each version `name` or, where it is not served, `-name`. */
function tlsRoutes(...versions: readonly string[]): object {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: TLS_ROUTES },
    spec: {
      group: 'gateway.networking.k8s.io',
      scope: 'Namespaced',
      names: { kind: 'TLSRoute', plural: 'tlsroutes', singular: 'tlsroute', listKind: 'TLSRouteList' },
      versions: versions.map((name, index) => ({
        name: name.replace('-', ''),
        served: !name.startsWith('-'),
        storage: index === 0,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      })),
    },
  };
}

test('an object stays the same while the cluster goes from an older version of its CRD to a newer one', async () => {
  await write({ method: 'POST', path: DEFINITIONS, body: tlsRoutes('v1alpha2') });
  const route = { metadata: { name: 'secure' }, spec: { hostnames: ['a.example.com'] } };
  const namespaced = '/apis/gateway.networking.k8s.io/v1alpha2/namespaces/default/tlsroutes';
  await write({
    method: 'POST',
    path: namespaced,
    body: { apiVersion: 'gateway.networking.k8s.io/v1alpha2', kind: 'TLSRoute', ...route },
  });
  const config = await loadKubeconfig(cluster.kubeconfig, 'local');
  const seenAs = async (): Promise<readonly unknown[]> => {
    const { objects, absent } = await listCluster(config);
    return [await client.get('TLSRoute', 'default', 'secure'), objects.find(({ kind }) => kind === 'TLSRoute'), absent];
  };
  const [first, ...others] = await seenAs();
  assert.ok(first !== undefined);
  for (const versions of [
    ['v1alpha2', 'v1alpha3', 'v1'],
    ['v1', 'v1alpha2'],
    ['v1', '-v1alpha2'],
  ]) {
    await write({
      method: 'PATCH',
      path: `${DEFINITIONS}/${TLS_ROUTES}`,
      body: tlsRoutes(...versions),
      contentType: 'application/merge-patch+json',
    });
    assert.deepEqual(await seenAs(), [first, ...others], versions.join(' '));
  }
});

test('a list of the whole cluster has everything, over several pages', async () => {
  const names = Array.from({ length: 120 }, (_, index) => `many-${String(index).padStart(4, '0')}`);
  for (const name of names)
    await write({ method: 'POST', path: '/api/v1/namespaces/default/configmaps', body: { metadata: { name } } });
  const snapshot = await listCluster(await loadKubeconfig(cluster.kubeconfig, 'local'));
  const found = snapshot.objects.filter((object) => object.metadata.name.startsWith('many-'));
  assert.deepEqual(found.map((object) => object.metadata.name).toSorted(), names);
  assert.ok(found.every((object) => object.kind === 'ConfigMap' && object.apiVersion === 'v1'));
  assert.ok(snapshot.absent.includes('KongPlugin') && !snapshot.absent.includes('Ingress'));
});

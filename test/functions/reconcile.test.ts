import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { KubernetesObject } from '@kubernetes/client-node';
import pg from 'pg';
import { connectCluster, type Cluster } from '../../infra/local/demo/cluster.ts';
import { until } from '../../infra/local/demo/meter.ts';
import { startStack, type Stack } from '../../infra/local/stack.ts';
import { RECONCILE_REQUESTED } from '../../shared/events.ts';
import { kubernetesClient } from '../../shared/kubernetes/client.ts';
import { isRecord } from '../../shared/json.ts';
import { endpoints, ingress, INGRESS_CLASS, service } from '../support/manifests.ts';
import { tlsSecret } from '../support/tls.ts';

let directory: string;
let stack: Stack;
let cluster: Cluster;
let pool: pg.Pool;
const requested: unknown[] = [];

before(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'kong-ingress-reconcile-'));
  // PostgreSQL runs as an unprivileged user where this one is root, and must be able to enter.
  await chmod(directory, 0o755);
  const options = { topology: 'traditional', environment: {}, schedules: false, log: () => undefined } as const;
  stack = await startStack({ ...options, directory });
  stack.cloud.onEvent((event) => {
    if (event['detail-type'] === RECONCILE_REQUESTED) requested.push(event.detail);
  });
  cluster = connectCluster(stack.kubeconfig);
  pool = new pg.Pool({ connectionString: stack.kong.databaseUrl, max: 1 });
});

after(async () => {
  await pool.end();
  await stack.stop();
  await rm(directory, { recursive: true, force: true });
});

/** Objects of the project's own types as the cluster's client takes them. */
function manifests(...objects: readonly object[]): readonly KubernetesObject[] {
  const copies: readonly KubernetesObject[] = JSON.parse(JSON.stringify(objects));
  return copies;
}

async function names(table: 'routes' | 'snis'): Promise<readonly string[]> {
  const { rows } = await pool.query<{ name: string }>(`SELECT name FROM ${table} ORDER BY name`);
  return rows.map(({ name }) => name);
}

/** DELETE of all objects at a path of the API server. */
async function deleteCollection(collection: string, query: Readonly<Record<string, string>> = {}): Promise<void> {
  const client = kubernetesClient(stack.kubernetes);
  try {
    const { status } = await client.send({ method: 'DELETE', path: collection, query });
    assert.equal(status, 200);
  } finally {
    client.close();
  }
}

async function isIdle(): Promise<true | undefined> {
  return stack.cloud.idle(50).then(
    () => true,
    () => undefined,
  );
}

test('a collection that is deleted without names is found by the reconcile that its request starts', async () => {
  const secret = await tlsSecret('web-tls', 'web.test');
  const labelled = { ...secret, metadata: { ...secret.metadata, labels: { app: 'web' } } };
  const objects = [INGRESS_CLASS, service('echo'), endpoints('echo', ['10.0.0.1']), labelled];
  const web = ingress('web', ['web.test / echo 80'], { tlsSecret: 'web-tls' });
  await cluster.apply(...manifests(...objects, web, ingress('plain', ['plain.test / echo 80'])));
  await until('both routes and the SNI in Kong', 30_000, async () => {
    const found = [...(await names('routes')), ...(await names('snis'))];
    return found.length === 3 && (await isIdle()) ? true : undefined;
  });
  assert.equal(stack.cloud.counters().invocations['reconcile'], 0);

  // Their audit events list the objects, and are lost: what follows cannot rest on them.
  const { dropped } = stack.cloud.counters();
  stack.cloud.dropNextEvents(2);
  await deleteCollection('/apis/networking.k8s.io/v1/namespaces/default/ingresses');
  await until('the lost events', 30_000, () => (stack.cloud.counters().dropped === dropped + 2 ? true : undefined));
  assert.equal((await names('routes')).length, 2);

  // Of Secrets the audit has metadata only: who went is not in it.
  await deleteCollection('/api/v1/namespaces/default/secrets', { labelSelector: 'app=web' });
  await until('the reconcile', 30_000, async () =>
    (stack.cloud.counters().invocations['reconcile'] ?? 0) > 0 && (await isIdle()) ? true : undefined,
  );
  assert.deepEqual([await names('routes'), await names('snis')], [[], []]);
  const [request, ...others] = requested;
  assert.deepEqual(others, []);
  assert.ok(isRecord(request));
  assert.deepEqual([request['cluster'], request['reason']], ['local', 'DeleteCollection']);
  assert.equal(stack.cloud.counters().errors['reconcile'], 0);
});

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { after, before } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { startCloud, type Cloud } from '../../infra/local/aws/index.ts';
import { startKong, type KongStandIn } from '../../infra/local/kong/index.ts';
import { startKubernetes, type KubernetesStandIn } from '../../infra/local/kubernetes/index.ts';
import { KINDS, isKind } from '../../shared/kubernetes/kinds.ts';
import { listPath } from '../../shared/kubernetes/path.ts';
import type { KubernetesObject } from '../../shared/kubernetes/resources.ts';
import { endpoints, ingress, INGRESS_CLASS, service } from '../support/manifests.ts';
import { allowedBy, permissionOf } from '../support/rbac.ts';
import { temporaryPostgres, type TemporaryPostgres } from '../support/postgres.ts';

const NAMES = ['north', 'south'] as const;
type Name = (typeof NAMES)[number];

const SETTLE_MS = 60_000;
/** The user of rbac.yml's ServiceAccount. */
const FUNCTIONS = 'system:serviceaccount:kong:kong-ingress-functions';
let directory: string;
let postgres: TemporaryPostgres;
let pool: pg.Pool;
let kong: KongStandIn;
let cloud: Cloud;
const clusters = new Map<Name, KubernetesStandIn>();
/** Clusters whose API server lets nobody in. */
const refusing = new Set<Name>();
const log: Record<string, unknown>[] = [];

function clusterOf(name: Name): KubernetesStandIn {
  const found = clusters.get(name);
  assert.ok(found !== undefined);
  return found;
}

/** The API server tells the webhook of its writes with a token of its own, or nobody. */
function tell(name: Name, telling: boolean): void {
  const webhook = { url: `${cloud.httpUrl}/webhook`, token: `token-of-${name}`, maxBatchSize: 100, maxDelayMs: 50 };
  clusterOf(name).setAuditWebhook(telling ? webhook : undefined);
}

before(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'kong-ingress-clusters-'));
  postgres = await temporaryPostgres();
  const databaseUrl = await postgres.createDatabase('kong');
  pool = new pg.Pool({ connectionString: databaseUrl, max: 2 });
  pool.on('error', () => undefined);
  const settings = { dbUpdateFrequencySeconds: 0.2, workerStateUpdateFrequencySeconds: 0.2 };
  kong = await startKong({ databaseUrl, topology: 'hybrid', settings, log: () => undefined });
  for (const name of NAMES) {
    const faults = (): number | undefined => (refusing.has(name) ? 403 : undefined);
    const tokens = { [`functions-in-${name}`]: FUNCTIONS };
    clusters.set(name, await startKubernetes({ directory: path.join(directory, name), tls: false, faults, tokens }));
  }
  const own = NAMES.map((name) => {
    const [{ url }, token] = [clusterOf(name), `functions-in-${name}`];
    const tags = `managed-by-ingress-controller,cluster-${name}`;
    return [name, { KUBERNETES_URL: url, KUBERNETES_TOKEN: token, KONG_FILTER_TAGS: tags }] as const;
  });
  cloud = await startCloud({
    serverlessFile: path.join(import.meta.dirname, '../../serverless.yml'),
    environment: {
      KONG_ADMIN_URL: kong.adminUrl,
      KONG_DATABASE_URL: databaseUrl,
      CLUSTERS: JSON.stringify(Object.fromEntries(own)),
      WEBHOOK_TOKENS: NAMES.map((name) => `${name}:token-of-${name}`).join(','),
      STATUS_TOKENS: 'status-token',
      EARLY_DELAYS_MS: '50',
    },
    schedules: false,
    log: (line) => {
      if (line.startsWith('{')) log.push(JSON.parse(line));
    },
  });
  for (const name of NAMES) tell(name, true);
});

after(async () => {
  await cloud.stop();
  await Promise.all([...clusters.values()].map((cluster) => cluster.stop()));
  await kong.stop();
  await pool.end();
  await postgres.stop();
  await rm(directory, { recursive: true });
});

async function request(name: Name, method: string, target: string, body?: object): Promise<void> {
  const { url, token } = clusterOf(name);
  const response = await fetch(`${url}${target}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  assert.ok(response.ok, `${method} ${target}: ${response.status}`);
}

async function create(name: Name, ...objects: readonly KubernetesObject[]): Promise<void> {
  for (const object of objects) {
    const { kind } = object;
    assert.ok(isKind(kind));
    await request(name, 'POST', listPath(kind, KINDS[kind].namespaced ? 'default' : ''), object);
  }
}

function remove(name: Name, ingressName: string): Promise<void> {
  return request(name, 'DELETE', `${listPath('Ingress', 'default')}/${ingressName}`);
}

/** Waits until everything that the clusters told is worked off. */
async function settled(...names: readonly Name[]): Promise<void> {
  const telling = names.length === 0 ? NAMES : names;
  for (const deadline = Date.now() + SETTLE_MS; ;) {
    const told = telling.every((name) => clusterOf(name).auditStatistics().waiting === 0);
    await cloud.idle(SETTLE_MS);
    if (told) return;
    await pause(10);
    assert.ok(Date.now() < deadline, 'the clusters still tell');
  }
}

/** Names of the routes that carry a cluster's tag, with the versions of their rows. */
async function routes(name: Name): Promise<Readonly<Record<string, string>>> {
  const { rows } = await pool.query<{ name: string; xmin: string }>(
    'SELECT name, xmin::text AS xmin FROM routes WHERE tags @> ARRAY[$1] ORDER BY name',
    [`cluster-${name}`],
  );
  return Object.fromEntries(rows.map((row) => [row.name, row.xmin]));
}

function routeNames(found: Readonly<Record<string, string>>): readonly string[] {
  return Object.keys(found).map((name) => name.split('.')[1] ?? '');
}

test('changes of two clusters go through one deployment into one Kong, each under its tags', async () => {
  for (const name of NAMES) {
    const backend = `${name}-echo`;
    await create(name, INGRESS_CLASS, service(backend), endpoints(backend, ['127.0.0.1']));
    await create(name, ingress(`${name}-web`, [`${name}.test / ${backend} 80`]));
  }
  await settled();
  for (const name of NAMES) assert.deepEqual(routeNames(await routes(name)), [`${name}-web`]);
  const schemas = await pool.query<{ nspname: string }>(
    "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'kong_ingress%' ORDER BY nspname",
  );
  assert.match(schemas.rows.map(({ nspname }) => nspname).join(' '), /^kong_ingress_north_\w+ kong_ingress_south_\w+$/);
});

test('a reconcile of both writes nothing, and takes nobody’s entities for orphans', async () => {
  const earlier = [await routes('north'), await routes('south')];
  const answer = Object(await cloud.tick('reconcile'));
  for (const name of NAMES) {
    assert.deepEqual([answer[name].complete, answer[name].orphans, answer[name].roots], [true, 0, 0], name);
  }
  assert.deepEqual([await routes('north'), await routes('south')], earlier);
});

test('what is deleted in one cluster is deleted there alone', async () => {
  await create('north', ingress('north-gone', ['gone.test / north-echo 80']));
  await create('south', ingress('south-gone', ['gone-too.test / south-echo 80']));
  await settled();
  const earlier = await routes('south');
  await remove('north', 'north-gone');
  await settled();
  assert.deepEqual(routeNames(await routes('north')), ['north-web']);
  assert.deepEqual(await routes('south'), earlier);
});

test('an object of the same name in the other cluster takes nothing away, and says so', async () => {
  const earlier = await routes('north');
  await create('south', service('north-echo'), endpoints('north-echo', ['127.0.0.1']));
  await create('south', ingress('north-web', ['other.test / north-echo 80']));
  await settled();
  assert.deepEqual(await routes('north'), earlier);
  assert.ok(log.some((line) => line['reason'] === 'KongEntityNotOurs'));
  await remove('south', 'north-web');
  await settled();
  assert.deepEqual(await routes('north'), earlier);
});

test('what nobody told is found by the reconcile of its cluster', async () => {
  tell('south', false);
  await create('south', ingress('south-late', ['late.test / south-echo 80']));
  tell('south', true);
  const only = Object(await cloud.invoke('reconcile', { cluster: 'south' }));
  assert.deepEqual([only.complete, only.roots], [true, 1]);
  assert.ok(routeNames(await routes('south')).includes('south-late'));
});

test('both clusters are judged, each by its own revisions', async () => {
  const answer = Object(await cloud.tick('converge'));
  for (const name of NAMES) assert.equal(answer[name].topology, 'hybrid', name);
  assert.notEqual(answer.north.newest, undefined);
});

async function status(query: string): Promise<{ readonly code: number; readonly revisions: unknown }> {
  const response = await fetch(`${cloud.httpUrl}/status.json${query}`, {
    headers: { authorization: 'Bearer status-token' },
  });
  const body: unknown = await response.json();
  return { code: response.status, revisions: Object(body).revisions };
}

test('the status of each is shown, and of no cluster that is not served', async () => {
  const [first, north, south] = [await status(''), await status('?cluster=north'), await status('?cluster=south')];
  assert.deepEqual([first.code, south.code], [200, 200]);
  assert.deepEqual(first.revisions, north.revisions);
  assert.notDeepEqual(north.revisions, south.revisions);
  assert.equal((await status('?cluster=other')).code, 404);
});

test('the functions ask for nothing that rbac.yml does not allow, statuses and Events among it', async () => {
  const controllerName = 'konghq.com/kic-gateway-controller';
  const gatewayClass = {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'GatewayClass',
    metadata: { name: 'kong', annotations: { 'konghq.com/gatewayclass-unmanaged': 'true' } },
    spec: { controllerName },
  };
  const gateway = {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { name: 'kong', namespace: 'default' },
    spec: { gatewayClassName: 'kong', listeners: [{ name: 'http', protocol: 'HTTP', port: 80 }] },
  };
  for (const name of NAMES) await create(name, gatewayClass, gateway);
  await settled();
  const allowed = allowedBy('rbac.yml');
  for (const name of NAMES) {
    const asked = clusterOf(name)
      .requests()
      .filter(({ user }) => user === FUNCTIONS)
      .flatMap((one) => permissionOf(one) ?? []);
    assert.deepEqual(
      [...new Set(asked)].filter((permission) => !allowed.has(permission)),
      [],
    );
    assert.ok(asked.includes('list networking.k8s.io/ingresses') && asked.includes('get /services'), name);
    assert.ok(asked.includes('patch gateway.networking.k8s.io/gatewayclasses/status'), name);
  }
  const said = clusterOf('south')
    .requests()
    .map((one) => permissionOf(one));
  assert.ok(said.includes('create events.k8s.io/events'));
});

test('one cluster that lets nobody in holds up nothing of the other, and loses nothing', async () => {
  const earlier = await routes('south');
  refusing.add('south');
  await create('north', ingress('north-new', ['new.test / north-echo 80']));
  await settled('north');
  assert.ok(routeNames(await routes('north')).includes('north-new'));
  await assert.rejects(cloud.tick('reconcile'));
  assert.deepEqual(await routes('south'), earlier);
  assert.ok(Object.keys(earlier).length > 0);
  assert.ok(log.some((line) => line['message'] === 'not reconciled' && line['cluster'] === 'south'));
  assert.ok(log.some((line) => line['message'] === 'reconciled' && line['cluster'] === 'north'));
});

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { authority, signedBy, type KeyPair } from '../../infra/local/certificate.ts';
import { startKong, type KongStandIn } from '../../infra/local/kong/index.ts';
import { startKubernetes, type KubernetesStandIn } from '../../infra/local/kubernetes/index.ts';
import { connect, type Control } from '../../shared/control.ts';
import { connectConvergence } from '../../shared/convergence/connect.ts';
import { converge, type Converged } from '../../shared/convergence/converge.ts';
import { objectKey } from '../../shared/kubernetes/keys.ts';
import { kubernetesClient, type KubernetesClient } from '../../shared/kubernetes/client.ts';
import type { EndpointSlice, KubernetesObject } from '../../shared/kubernetes/resources.ts';
import { runSlice } from '../../shared/slice.ts';
import { endpoints, ingress, INGRESS_CLASS, service } from '../support/manifests.ts';
import { temporaryPostgres, type TemporaryPostgres } from '../support/postgres.ts';
import { tlsFront, type TlsFront } from '../support/tls-front.ts';

const STATIC_HOST = 'kong-admin.test';
const DEADLINE_MS = 60_000;
const FAST = { dbUpdateFrequencySeconds: 0.2, workerStateUpdateFrequencySeconds: 0.2 };

let directory: string;
let postgres: TemporaryPostgres;
let kubernetes: KubernetesStandIn;
let cluster: KubernetesClient;
let ca: KeyPair;
let clients: KeyPair;
let ours: KeyPair;

before(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'kong-ingress-topologies-'));
  postgres = await temporaryPostgres();
  kubernetes = await startKubernetes({ directory, tls: false });
  const { url, token } = kubernetes;
  const rest = { ca: undefined, clientCertificate: undefined, clientKey: undefined, timeoutMs: 5_000 };
  cluster = kubernetesClient({ cluster: 'test', url, token, ...rest });
  [ca, clients] = [await authority('kong'), await authority('clients')];
  ours = await signedBy(clients, ['kong-ingress-functions']);
  await send('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kong' } });
  await send('POST', '/apis/networking.k8s.io/v1/ingressclasses', INGRESS_CLASS);
  await send('POST', '/api/v1/namespaces/default/services', service('echo'));
  await send('POST', `${SLICES}/default/endpointslices`, endpoints('echo', ['10.0.0.1']));
  await send('POST', INGRESSES, ingress('web', ['a.test / echo 80']));
});

after(async () => {
  cluster.close();
  await kubernetes.stop();
  await postgres.stop();
  await rm(directory, { recursive: true });
});

const SLICES = '/apis/discovery.k8s.io/v1/namespaces';
const INGRESSES = '/apis/networking.k8s.io/v1/namespaces/default/ingresses';

async function send(method: 'POST' | 'DELETE', target: string, body?: KubernetesObject): Promise<void> {
  const { status, body: answer } = await cluster.send({
    method,
    path: target,
    ...(body === undefined ? {} : { body }),
  });
  assert.ok(status < 300, JSON.stringify(answer));
}

/** What a row starts beside Kong, undone by `stop`. */
interface Reach {
  readonly env: Readonly<Record<string, string>>;
  readonly fronts: readonly TlsFront[];
  /** The Service loses its first pod, as when it is deleted; undefined where nothing tells. */
  readonly loseFirst?: () => Promise<void>;
}

type Way = (kong: KongStandIn, name: string) => Promise<Reach>;

function fronts(kong: KongStandIn, host: string): Promise<readonly TlsFront[]> {
  return Promise.all(kong.adminUrls.map((url) => tlsFront(url, { authority: ca, hosts: [host], clients })));
}

function tls(): Readonly<Record<string, string>> {
  return {
    KONG_ADMIN_CA: ca.certificate,
    KONG_ADMIN_CLIENT_CERTIFICATE: ours.certificate,
    KONG_ADMIN_CLIENT_KEY: ours.key,
  };
}

const statically: Way = async (kong) => {
  const made = await fronts(kong, STATIC_HOST);
  const KONG_ADMIN_URL = made.map(({ url }) => url).join();
  return { fronts: made, env: { ...tls(), KONG_ADMIN_URL, KONG_ADMIN_TLS_SERVER_NAME: STATIC_HOST } };
};

const bySidecar: Way = (kong) =>
  Promise.resolve({ fronts: [], env: { KONG_ADMIN_URL: kong.adminUrls.join(), KONG_ADMIN_HEADERS: 'X-Sidecar:yes' } });

function podSlice(of: string, pod: string, port: number): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: pod, namespace: 'kong', labels: { 'kubernetes.io/service-name': of } },
    addressType: 'IPv4',
    endpoints: [
      {
        addresses: ['127.0.0.1'],
        conditions: { ready: true },
        targetRef: { kind: 'Pod', namespace: 'kong', name: pod },
      },
    ],
    ports: [{ name: 'kong-admin-tls', port, protocol: 'TCP' }],
  };
}

const byDiscovery: Way = async (kong, name) => {
  const made = await fronts(kong, `pod.${name}.kong.svc`);
  for (const [place, { port }] of made.entries()) {
    await send('POST', `${SLICES}/kong/endpointslices`, podSlice(name, `${name}-${place}`, port));
  }
  const loseFirst = (): Promise<void> => send('DELETE', `${SLICES}/kong/endpointslices/${name}-0`);
  return { fronts: made, loseFirst, env: { ...tls(), KONG_ADMIN_SERVICE: `kong/${name}` } };
};

interface Bed {
  readonly kong: KongStandIn;
  readonly control: Control;
  readonly reach: Reach;
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Starts a Kong, connects to it in a way, works, and undoes everything. */
async function withBed(topology: KongStandIn['topology'], way: Way, work: (bed: Bed) => Promise<void>): Promise<void> {
  const name = `${topology}-${way === statically ? 'static' : way === bySidecar ? 'sidecar' : 'discovery'}`;
  const databaseUrl = await postgres.createDatabase(name);
  const kong = await startKong({ databaseUrl, topology, settings: FAST, log: () => undefined });
  const reach = await way(kong, name);
  const env = {
    ...reach.env,
    KONG_DATABASE_URL: databaseUrl,
    KONG_CONTROL_PLANES: '1',
    KUBERNETES_URL: kubernetes.url,
    KUBERNETES_TOKEN: kubernetes.token,
    CLUSTER_NAME: 'test',
  };
  const control = await connect(env);
  try {
    await work({ kong, control, reach, name, env });
  } finally {
    await control.close();
    await Promise.all(reach.fronts.map((front) => front.stop()));
    await kong.stop();
  }
}

async function write({ control }: Bed, name: string): Promise<void> {
  const result = await runSlice({ roots: [objectKey('Ingress', 'default', name)] }, control.dependencies);
  assert.deepEqual(result.findings, []);
  assert.ok(result.applied.length > 0);
  assert.deepEqual(control.takeNotices(), []);
}

/** Runs converge until it says what is waited for. */
async function until({ env }: Pick<Bed, 'env'>, done: (found: Converged) => boolean): Promise<Converged> {
  const { close, ...run } = await connectConvergence(env);
  try {
    for (const deadline = Date.now() + DEADLINE_MS; ;) {
      const found = await converge(run);
      if (done(found)) return found;
      assert.ok(Date.now() < deadline, JSON.stringify(found));
      await sleep(300);
    }
  } finally {
    await close();
  }
}

const proven = ({ verdicts, newest }: Converged): boolean =>
  verdicts.length > 0 && verdicts.every(({ state, revision }) => state === 'converged' && revision === newest?.id);

const WAYS: readonly { readonly title: string; readonly way: Way }[] = [
  { title: 'static addresses over mTLS', way: statically },
  { title: 'the address of a sidecar', way: bySidecar },
  { title: 'Gateway Discovery over mTLS', way: byDiscovery },
];

for (const { title, way } of WAYS) {
  test(`hybrid, ${title}: what is written through the control plane is proven on both data planes`, () =>
    withBed('hybrid', way, async (bed) => {
      await write(bed, 'web');
      const { topology, verdicts } = await until(bed, proven);
      assert.equal(topology, 'hybrid');
      assert.deepEqual(verdicts.map(({ name }) => name).toSorted(), ['dp1', 'dp2']);
    }));

  test(`traditional, ${title}: one node takes the writes, each is judged, and the next one takes over`, () =>
    withBed('traditional', way, async (bed) => {
      const { kong, reach, name } = bed;
      await write(bed, 'web');
      const { verdicts } = await until(bed, proven);
      assert.equal(verdicts.length, 2);
      assert.ok(reach.fronts[1]?.seen.every(({ method }) => method === 'GET') ?? true);

      await kong.nodes[0]?.stop();
      await reach.fronts[0]?.stop();
      await send('POST', INGRESSES, ingress(name, ['b.test / echo 80']));
      await write(bed, name);
      const half = await until(bed, ({ verdicts: all }) => all[1]?.state === 'converged');
      assert.deepEqual([half.verdicts[0]?.state, half.converged], ['unknown', []]);

      if (reach.loseFirst === undefined) return;
      await reach.loseFirst();
      assert.equal((await until(bed, proven)).verdicts.length, 1);
    }));
}

test('nodes of another database are left alone, told of once, and never taken for converged', async () => {
  const [databaseUrl, otherUrl] = [await postgres.createDatabase('ours'), await postgres.createDatabase('theirs')];
  const options = { topology: 'traditional', settings: FAST, log: () => undefined } as const;
  const kong = await startKong({ ...options, databaseUrl });
  const other = await startKong({ ...options, databaseUrl: otherUrl });
  const env = {
    KONG_ADMIN_URL: [other.adminUrl, ...kong.adminUrls].join(),
    KONG_DATABASE_URL: databaseUrl,
    KUBERNETES_URL: kubernetes.url,
    KUBERNETES_TOKEN: kubernetes.token,
    CLUSTER_NAME: 'test',
  };
  const control = await connect(env);
  try {
    const result = await runSlice({ roots: [objectKey('Ingress', 'default', 'web')] }, control.dependencies);
    assert.ok(result.applied.length > 0);
    assert.equal((await fetch(`${kong.adminUrl}/routes`).then((answer) => answer.text())).includes('web'), true);
    assert.equal((await fetch(`${other.adminUrl}/routes`).then((answer) => answer.text())).includes('web'), false);
    const [notice = '', ...rest] = control.takeNotices();
    assert.match(notice, /different databases/);
    assert.deepEqual(rest, []);
    assert.doesNotMatch(notice, new RegExp(new URL(databaseUrl).password));
    const found = await until(
      { env },
      ({ verdicts }) => verdicts.filter(({ state }) => state === 'converged').length > 1,
    );
    assert.deepEqual(found.verdicts.map(({ state }) => state).toSorted(), ['converged', 'converged', 'unknown']);
    assert.deepEqual(found.converged, []);
  } finally {
    await control.close();
    await Promise.all([kong.stop(), other.stop()]);
  }
});

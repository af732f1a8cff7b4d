import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '../../shared/errors.ts';
import { adminNodesOf } from '../../shared/kong/discovery.ts';
import { byDatabase } from '../../shared/kong/discovery-database.ts';
import { discoveredNodes, nodeLister } from '../../shared/kong/discovery-nodes.ts';
import type { AdminNode, AdminNodes } from '../../shared/kong/admin-nodes.ts';
import type { AdminService } from '../../shared/kong/config.ts';
import { kongRoot } from '../../shared/kong/root.ts';
import type { KongRoot } from '../../shared/kong/root.ts';
import type { Endpoint, EndpointPort, EndpointSlice } from '../../shared/kubernetes/resources.ts';

const SERVICE: AdminService = { namespace: 'kong', name: 'admin', portNames: ['admin-tls', 'kong-admin-tls'] };
const TLS: EndpointPort = { name: 'kong-admin-tls', port: 8444, protocol: 'TCP' };

function pod(name: string, address: string, conditions: Endpoint['conditions'] = { ready: true }): Endpoint {
  return { addresses: [address], conditions, targetRef: { kind: 'Pod', namespace: 'kong', name } };
}

function slice(
  endpoints: readonly Endpoint[],
  ports: readonly EndpointPort[] = [TLS],
  addressType = 'IPv4',
): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'admin-1', namespace: 'kong', labels: { 'kubernetes.io/service-name': 'admin' } },
    addressType,
    endpoints,
    ports,
  };
}

const urls = (...slices: EndpointSlice[]): string[] => adminNodesOf(slices, SERVICE).map(({ url }) => url);

test('a pod is called by its address under the server name of its Service', () => {
  assert.deepEqual(adminNodesOf([slice([pod('kong-0', '10.0.0.1')])], SERVICE), [
    { url: 'https://10.0.0.1:8444', serverName: 'pod.admin.kong.svc', name: 'kong/kong-0' },
  ]);
});

const selections: readonly { title: string; slices: EndpointSlice[]; expected: string[] }[] = [
  {
    title: 'pods that are not ready or terminate are left out, unknown readiness is not',
    slices: [
      slice([
        pod('a', '10.0.0.1', { ready: false }),
        pod('b', '10.0.0.2', { ready: true, terminating: true }),
        pod('c', '10.0.0.3', {}),
        pod('d', '10.0.0.4', { ready: true, terminating: false }),
      ]),
    ],
    expected: ['https://10.0.0.3:8444', 'https://10.0.0.4:8444'],
  },
  {
    title: 'only pods count',
    slices: [
      slice([
        { addresses: ['10.0.0.1'], conditions: { ready: true } },
        { addresses: ['10.0.0.2'], targetRef: { kind: 'Node', name: 'n' } },
      ]),
    ],
    expected: [],
  },
  {
    title: 'only ports with the names that are set, and TCP',
    slices: [
      slice(
        [pod('a', '10.0.0.1')],
        [{ name: 'proxy-tls', port: 8443 }, { name: 'admin-tls', port: 1, protocol: 'UDP' }, { port: 8444 }],
      ),
    ],
    expected: [],
  },
  {
    title: 'a pod in two slices or address families is one node',
    slices: [slice([pod('a', '10.0.0.1')]), slice([pod('a', 'fd00::1')], [TLS], 'IPv6')],
    expected: ['https://10.0.0.1:8444'],
  },
  {
    title: 'IPv6 addresses are in brackets',
    slices: [slice([pod('a', 'fd00::1')], [TLS], 'IPv6')],
    expected: ['https://[fd00::1]:8444'],
  },
  {
    title: 'pods are in the order of their names, whatever that of the slices',
    slices: [slice([pod('b', '10.0.0.2')]), slice([pod('c', '10.0.0.3'), pod('a', '10.0.0.1')])],
    expected: ['https://10.0.0.1:8444', 'https://10.0.0.2:8444', 'https://10.0.0.3:8444'],
  },
  {
    title: 'a port is without TLS only when it says so',
    slices: [slice([pod('a', '10.0.0.1')], [{ ...TLS, appProtocol: 'http' }])],
    expected: ['http://10.0.0.1:8444'],
  },
];

for (const { title, slices, expected } of selections) {
  test(title, () => assert.deepEqual(urls(...slices), expected));
}

function root(nodeId: string, settings: Readonly<Record<string, unknown>>): KongRoot {
  return kongRoot({
    version: '3.9.3',
    node_id: nodeId,
    configuration: { pg_host: 'db.test', pg_port: 5432, pg_database: 'kong', ...settings },
  });
}

function node(name: string): AdminNode {
  return { url: `https://${name}.test:8444`, serverName: undefined, name };
}

const [A, B, C] = [node('a'), node('b'), node('c')];
const ours = root('1', {});
const other = root('2', { pg_database: 'other' });

const databases: readonly { title: string; databaseUrl: string; roots: KongRoot[]; usable: string[]; told: boolean }[] =
  [
    {
      title: 'nodes of one database are all used, by whatever name we reach it',
      databaseUrl: 'postgres://u:p@10.0.0.9/kong',
      roots: [ours, ours, ours],
      usable: ['a', 'b', 'c'],
      told: false,
    },
    {
      title: 'of two databases, that of KONG_DATABASE_URL',
      databaseUrl: 'postgres://u:p@DB.test/kong',
      roots: [other, ours, ours],
      usable: ['b', 'c'],
      told: true,
    },
    {
      title: 'none when both go by other names',
      databaseUrl: 'postgres://u:p@pooler.test:6432/kong',
      roots: [other, ours, ours],
      usable: [],
      told: true,
    },
    {
      title: 'another schema or port is another database',
      databaseUrl: 'postgres://u:p@db.test:5432/kong',
      roots: [root('3', { pg_schema: 'blue' }), root('4', { pg_port: 5433 }), ours],
      usable: ['c'],
      told: true,
    },
    {
      title: 'the public schema is the default',
      databaseUrl: 'postgres://u:p@db.test/kong',
      roots: [root('3', { pg_schema: 'public' }), ours, ours],
      usable: ['a', 'b', 'c'],
      told: false,
    },
    {
      title: 'one that does not show its database is not mixed with one that does',
      databaseUrl: 'postgres://u:p@db.test/kong',
      roots: [root('3', { pg_host: undefined }), ours, ours],
      usable: ['b', 'c'],
      told: true,
    },
  ];

for (const { title, databaseUrl, roots, usable, told } of databases) {
  test(title, () => {
    const nodes = [A, B, C].flatMap((item, place) => {
      const answer = roots[place];
      return answer === undefined ? [] : [{ node: item, root: answer }];
    });
    const found = byDatabase(nodes, databaseUrl);
    assert.deepEqual(
      found.usable.map((item) => item.node.name),
      usable,
    );
    assert.equal(found.usable.length + found.foreign.length, 3);
    assert.equal(found.disagreement !== undefined, told);
    assert.doesNotMatch(found.disagreement ?? '', /:p@/);
  });
}

interface Scene {
  readonly nodes: AdminNodes;
  now: number;
  listed: readonly AdminNode[] | Error;
  answers: Record<string, KongRoot | AppError>;
  readonly lists: () => number;
  readonly probed: string[];
  readonly told: string[];
}

const silent = new AppError('KONG_UNREACHABLE', 'no answer');

function scene(listed: readonly AdminNode[], answers: Record<string, KongRoot | AppError>): Scene {
  let lists = 0;
  const probed: string[] = [];
  const told: string[] = [];
  const made: Scene = {
    now: 0,
    listed,
    answers,
    lists: () => lists,
    probed,
    told,
    nodes: discoveredNodes({
      list: () => {
        lists += 1;
        return made.listed instanceof Error ? Promise.reject(made.listed) : Promise.resolve(made.listed);
      },
      probe: (asked) => {
        probed.push(asked.name);
        return Promise.resolve(made.answers[asked.name] ?? silent);
      },
      databaseUrl: 'postgres://u:p@db.test/kong',
      disagreed: (message) => told.push(message),
      clock: () => made.now,
    }),
  };
  return made;
}

const names = async ({ nodes }: Scene): Promise<string[]> => (await nodes.list()).map(({ name }) => name);
const hasCode = (code: string) => (error: unknown) => error instanceof AppError && error.code === code;

test('nodes are listed once in 10 s, and each is asked for its database once', async () => {
  const given = scene([A, B], { a: ours, b: ours });
  assert.deepEqual(await Promise.all([names(given), names(given)]), [
    ['a', 'b'],
    ['a', 'b'],
  ]);
  given.now = 10_000;
  await names(given);
  assert.equal(given.lists(), 1);
  given.now = 10_001;
  given.listed = [B, C];
  given.answers = { b: ours, c: ours };
  assert.deepEqual(await names(given), ['b', 'c']);
  assert.equal(given.lists(), 2);
  assert.deepEqual(given.probed, ['a', 'b', 'c']);
});

test('one that did not answer makes the next request look again, at databases too', async () => {
  const given = scene([A, B], { a: ours, b: ours });
  await names(given);
  given.nodes.unanswered();
  given.answers = { a: other, b: ours };
  assert.deepEqual(await names(given), ['b']);
  assert.equal(given.told.length, 1);
});

test('silent nodes are left out, and asked again a minute later', async () => {
  const given = scene([A, B], { b: ours });
  assert.deepEqual(await names(given), ['b']);
  given.answers = { a: ours, b: ours };
  given.now = 30_000;
  assert.deepEqual(await names(given), ['b']);
  given.now = 60_000;
  assert.deepEqual(await names(given), ['a', 'b']);
});

test('a cluster that cannot be asked is believed to be as it was, for a minute', async () => {
  const given = scene([A], { a: ours });
  await names(given);
  given.listed = new AppError('KUBERNETES_UNAVAILABLE', 'no');
  given.now = 60_000;
  assert.deepEqual(await names(given), ['a']);
  given.now = 60_001;
  await assert.rejects(names(given), hasCode('KUBERNETES_UNAVAILABLE'));
  given.listed = [A];
  assert.deepEqual(await names(given), ['a']);
});

test('a disagreement is told once, and again when it is another one', async () => {
  const given = scene([A, B], { a: other, b: ours });
  for (const now of [0, 20_000, 40_000]) {
    given.now = now;
    assert.deepEqual(await names(given), ['b']);
  }
  assert.deepEqual(given.told, [
    'nodes of the Admin API use different databases (a: db.test:5432/other; b: db.test:5432/kong)',
  ]);
  given.listed = [A, B, C];
  given.answers = { a: other, b: ours, c: other };
  given.now = 60_000;
  await names(given);
  assert.equal(given.told.length, 2);
});

test('when the right database cannot be told nobody is written to, not even the nodes from before', async () => {
  const given = scene([A], { a: root('1', { pg_host: 'old.test' }) });
  await names(given);
  given.listed = [A, B];
  given.answers = { a: root('1', { pg_host: 'old.test' }), b: root('2', { pg_host: 'new.test' }) };
  given.now = 20_000;
  await assert.rejects(names(given), hasCode('KONG_DATABASES_DIFFER'));
});

test('a Service without ready pods is KONG_ADMIN_NOT_FOUND', async () => {
  const config = {
    adminUrls: [],
    adminService: SERVICE,
    adminToken: undefined,
    workspace: '',
    filterTags: ['ours'],
    databaseUrl: 'postgres://unused',
    stateDatabaseUrl: 'postgres://unused',
    adminConcurrency: 4,
    adminTimeoutMs: 2_000,
  };
  const list = nodeLister(config, {
    get: () => Promise.resolve(undefined),
    list: () => Promise.resolve({ objects: [slice([])], resourceVersion: '1', absent: false }),
  });
  await assert.rejects(list(), hasCode('KONG_ADMIN_NOT_FOUND'));
});

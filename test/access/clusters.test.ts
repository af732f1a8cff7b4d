import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertApart, clusterSettings } from '../../shared/access/clusters.ts';
import { forEachCluster } from '../../shared/access/each.ts';
import { connectFleet } from '../../shared/access/fleet.ts';
import { AppError } from '../../shared/errors.ts';
import { syncClusters } from '../../shared/sync/clusters.ts';
import type { Message } from '../../shared/sync/messages.ts';

const BASE = { KONG_ADMIN_URL: 'https://kong:8444', KONG_DATABASE_URL: 'postgres://kong:p@db/kong' };

function settings(clusters: object): Record<string, string> {
  return { ...BASE, CLUSTER_NAME: 'default', CLUSTERS: JSON.stringify(clusters) };
}

function refused(work: () => unknown, message: RegExp): void {
  assert.throws(work, (error) => {
    assert.ok(error instanceof AppError && error.code === 'CONFIG_INVALID');
    assert.match(error.message, message);
    assert.doesNotMatch(error.message, /very-secret/);
    return true;
  });
}

test('without CLUSTERS there is the one of CLUSTER_NAME, with all settings', () => {
  const env = { ...BASE, CLUSTER_NAME: 'prod', CLUSTERS: '' };
  assert.deepEqual(clusterSettings(env), [{ name: 'prod', env }]);
  assert.equal(clusterSettings(BASE)[0].name, 'default');
});

test('each cluster has the deployment’s settings, with its own in their place', () => {
  const [prod, stage] = clusterSettings(
    settings({
      prod: { KUBERNETES_URL: 'https://prod' },
      stage: { KUBERNETES_URL: 'https://stage', INGRESS_CLASS: 'x' },
    }),
  );
  assert.equal(prod.name, 'prod');
  assert.deepEqual(
    [prod.env['CLUSTER_NAME'], prod.env['KUBERNETES_URL'], prod.env['INGRESS_CLASS'], prod.env['KONG_ADMIN_URL']],
    ['prod', 'https://prod', undefined, 'https://kong:8444'],
  );
  assert.deepEqual([stage?.env['CLUSTER_NAME'], stage?.env['INGRESS_CLASS']], ['stage', 'x']);
});

const bad: readonly [title: string, text: string, message: RegExp][] = [
  ['no JSON', '{"prod": very-secret', /is not a JSON object/],
  ['a list', '[]', /is not a JSON object/],
  ['no cluster', '{}', /names no cluster/],
  ['a name that a token cannot begin with', '{"a:b": {}}', /whose name/],
  ['a cluster that is no object', '{"prod": "very-secret"}', /must hold an object for prod/],
  [
    'a value that is no text',
    '{"prod": {"KONG_ADMIN_TOKEN": {"very-secret": 1}}}',
    /a KONG_ADMIN_TOKEN that is no text/,
  ],
  [
    'a setting of the deployment',
    '{"prod": {"WEBHOOK_TOKENS": "very-secret"}}',
    /WEBHOOK_TOKENS for prod, which all share/,
  ],
];
for (const [title, CLUSTERS, message] of bad) {
  test(`CLUSTERS with ${title} is refused`, () => refused(() => clusterSettings({ CLUSTERS }), message));
}

const pairs: readonly [title: string, one: object, other: object, apart: boolean][] = [
  ['one Kong and the same tags', {}, {}, false],
  ['tags of which one set holds the other', { KONG_FILTER_TAGS: 'ours' }, { KONG_FILTER_TAGS: 'ours,stage' }, false],
  ['tags of their own', { KONG_FILTER_TAGS: 'ours,prod' }, { KONG_FILTER_TAGS: 'ours,stage' }, true],
  // CA certificates belong to no workspace.
  ['workspaces of their own and the same tags', { KONG_WORKSPACE: 'a' }, { KONG_WORKSPACE: 'b' }, false],
  [
    'one database behind different addresses',
    { KONG_ADMIN_URL: 'https://a:8444' },
    { KONG_ADMIN_URL: 'https://b:8444', KONG_DATABASE_URL: 'postgres://other:q@db:5432/kong' },
    false,
  ],
  [
    'one address among several',
    { KONG_ADMIN_URL: 'https://a:8444,https://b:8444', KONG_DATABASE_URL: 'postgres://a/kong' },
    { KONG_ADMIN_URL: 'https://B:8444/', KONG_DATABASE_URL: 'postgres://b/kong' },
    false,
  ],
  [
    'Kongs of their own',
    { KONG_ADMIN_URL: 'https://a:8444', KONG_DATABASE_URL: 'postgres://a/kong' },
    { KONG_ADMIN_URL: 'https://b:8444', KONG_DATABASE_URL: 'postgres://b/kong' },
    true,
  ],
];
for (const [title, prod, stage, apart] of pairs) {
  test(`two clusters with ${title} are ${apart ? 'served' : 'refused'}`, () => {
    const clusters = clusterSettings(settings({ prod, stage }));
    if (apart) assertApart(clusters);
    else refused(() => assertApart(clusters), /prod and stage share a Kong/);
  });
}

interface Counted {
  readonly name: string;
  close(): Promise<void>;
}

function connecting(failing: (name: string) => boolean): {
  made: string[];
  connect: (env: object) => Promise<Counted>;
} {
  const made: string[] = [];
  return {
    made,
    connect: async (env) => {
      const name = String(Object(env).CLUSTER_NAME);
      made.push(name);
      if (failing(name)) throw new AppError('KUBERNETES_UNAVAILABLE', name);
      return { name, close: async () => void made.push(`closed ${name}`) };
    },
  };
}

const APART = { prod: { KONG_FILTER_TAGS: 'a' }, stage: { KONG_FILTER_TAGS: 'b' } };

test('a fleet connects each cluster once, when it is asked for', async () => {
  let broken = true;
  const { made, connect } = connecting((name) => broken && name === 'stage');
  const fleet = await connectFleet(settings(APART), connect);
  assert.deepEqual([fleet.names, made], [['prod', 'stage'], []]);
  const both = await Promise.all([fleet.of('prod'), fleet.of('prod')]);
  assert.deepEqual([both[0] === both[1], made], [true, ['prod']]);
  await assert.rejects(fleet.of('stage'));
  broken = false;
  assert.equal((await fleet.of('stage')).name, 'stage');
  await fleet.close();
  assert.deepEqual(made, ['prod', 'stage', 'stage', 'closed prod', 'closed stage']);
});

test('a fleet of clusters that would delete each other’s entities connects none', async () => {
  const { made, connect } = connecting(() => false);
  await assert.rejects(connectFleet(settings({ prod: {}, stage: {} }), connect), /share a Kong/);
  assert.deepEqual(made, []);
});

test('what fails for one cluster is done for the others, and reported', async () => {
  const done: string[] = [];
  const failed: string[] = [];
  const work = async (cluster: string): Promise<string> => {
    if (cluster === 'b') throw new AppError('KUBERNETES_UNAVAILABLE', 'b');
    done.push(cluster);
    return cluster;
  };
  await assert.rejects(
    forEachCluster(['a', 'b', 'c'], work, (cluster) => failed.push(cluster)),
    /^AppError: b$|b/,
  );
  assert.deepEqual([done, failed], [['a', 'c'], ['b']]);
  assert.equal(await forEachCluster(['a'], work, () => undefined), 'a');
  assert.deepEqual(await forEachCluster(['a', 'c'], work, () => undefined), { a: 'a', c: 'c' });
});

function messageOf(id: string, cluster: string): Message {
  const ref = { cluster, group: '', version: 'v1', kind: 'Service', namespace: 'shop', name: id };
  return { id, change: { ref, operation: 'update', observedAt: '2026-11-25T19:00:00Z' } };
}

test('a batch is worked off by cluster: one that cannot be reached gives only its own messages back', async () => {
  const seen: Record<string, string[]> = {};
  const invalid: Message = { id: 'x', error: new AppError('MESSAGE_INVALID', 'x') };
  const messages = [messageOf('1', 'prod'), invalid, messageOf('2', 'stage'), messageOf('3', 'prod')];
  const result = await syncClusters(messages, async (cluster, own) => {
    if (cluster === 'stage') throw new AppError('KUBERNETES_UNAVAILABLE', 'stage');
    seen[cluster] = own.map(({ id }) => id);
    return { failed: ['3'], errors: [] };
  });
  assert.deepEqual(seen, { prod: ['1', '3'] });
  assert.deepEqual(result.failed, ['x', '3', '2']);
  assert.deepEqual(
    result.errors.map(({ code }) => code),
    ['MESSAGE_INVALID', 'KUBERNETES_UNAVAILABLE'],
  );
});

test('a batch of one cluster fails as a whole when it cannot be reached', async () => {
  const failure = new AppError('KUBERNETES_UNAVAILABLE', 'prod');
  await assert.rejects(
    syncClusters([messageOf('1', 'prod')], () => Promise.reject(failure)),
    failure,
  );
});

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { DEFAULT_SETTINGS } from '../../../infra/local/kong/nodes/settings.ts';
import type { NodeSettings } from '../../../infra/local/kong/nodes/settings.ts';
import { TraditionalNode } from '../../../infra/local/kong/nodes/traditional-node.ts';
import { until } from './client.ts';
import { kongDatabase, routeRow, serviceRow } from './database.ts';
import type { KongDatabase } from './database.ts';
import { routing, uuid } from './fixtures.ts';

let database: KongDatabase;
const stops: (() => Promise<void>)[] = [];

before(async () => {
  database = await kongDatabase();
});

after(() => database.stop());

beforeEach(() => database.clear());

afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

const SETTINGS: NodeSettings = {
  ...DEFAULT_SETTINGS,
  dbUpdateFrequencySeconds: 0.1,
  workerStateUpdateFrequencySeconds: 0.1,
  rebuildDelaysMs: [0],
};
/** A frequency at which nothing happens during a test. */
const NEVER = 3600;
const CORE = 'invalidations_kong_core_db_cache';

async function node(settings: Partial<NodeSettings> = {}): Promise<TraditionalNode> {
  const options = { name: 'n', id: uuid(1), pool: database.pool, log: () => undefined };
  const made = new TraditionalNode({ ...options, settings: { ...SETTINGS, ...settings } });
  await made.start();
  stops.push(() => made.stop());
  return made;
}

const serves = (one: TraditionalNode, path: string, worker = 0): boolean =>
  one.state(worker).router.select(routing(`GET http://x${path}`)) !== undefined;

/** Writes a route, and the events that another node writes for it. */
async function writeRoute(n: number, path: string): Promise<void> {
  await database.insert('routes', routeRow(n, 10, path));
  await database.event(CORE, `routes:${uuid(n)}:::::ws`, uuid(99));
  await database.event(CORE, 'router:version', uuid(99));
}

test('a node serves what is in the database when it starts', async () => {
  await database.insert('services', serviceRow(10, 80));
  await database.insert('routes', routeRow(11, 10, '/a'));
  assert.equal(serves(await node({ dbUpdateFrequencySeconds: NEVER }), '/a'), true);
});

test('another node hears of a write by polling, then its workers rebuild', async () => {
  await database.insert('services', serviceRow(10, 80));
  const one = await node();
  const version = one.peek('router:version');
  await writeRoute(11, '/a');
  await until('both workers', () => (serves(one, '/a', 0) && serves(one, '/a', 1) ? true : undefined));
  assert.notEqual(one.peek('router:version'), version);
});

test('no event, no rebuild: a paused node keeps serving what it knew until it hears again', async () => {
  await database.insert('services', serviceRow(10, 80));
  const one = await node();
  const other = await node();
  await one.pause();
  await writeRoute(11, '/a');
  await until('the other node', () => (serves(other, '/a', 0) && serves(other, '/a', 1) ? true : undefined));
  assert.equal(serves(one, '/a'), false);
  one.resume();
  await until('the node', () => (serves(one, '/a') ? true : undefined));
});

test('a deleted router:version comes back as another one, and the workers rebuild at different times', async () => {
  await database.insert('services', serviceRow(10, 80));
  const one = await node({ dbUpdateFrequencySeconds: NEVER, rebuildDelaysMs: [0, 1000] });
  const version = one.peek('router:version');
  await database.insert('routes', routeRow(11, 10, '/a'));
  one.delete('router:version');
  assert.equal(one.peek('router:version'), undefined);
  await until('worker 0', () => (serves(one, '/a', 0) ? true : undefined));
  assert.equal(serves(one, '/a', 1), false);
  await until('worker 1', () => (serves(one, '/a', 1) ? true : undefined));
  assert.notEqual(one.peek('router:version'), version);
});

test('plugins are looked at apart from routes', async () => {
  await database.insert('services', serviceRow(10, 80));
  const one = await node({ dbUpdateFrequencySeconds: NEVER });
  await database.insert('routes', routeRow(11, 10, '/a'));
  await database.insert('plugins', { id: uuid(12), name: 'cors', config: {}, enabled: true });
  one.delete('plugins_iterator:version');
  await until('the plugin', () => (one.state(0).plugins.names.includes('cors') ? true : undefined));
  assert.equal(serves(one, '/a'), false);
});

test('targets take effect at once, a new upstream at the next look of the workers', async () => {
  await database.insert('upstreams', { id: uuid(30), name: 'u', slots: 10 });
  const one = await node({ dbUpdateFrequencySeconds: NEVER, workerStateUpdateFrequencySeconds: NEVER });
  const target = { id: uuid(31), upstream_id: uuid(30), target: '10.0.0.1:80', weight: 100, cache_key: 'k' };
  await database.insert('targets', target);
  await database.insert('upstreams', { id: uuid(32), name: 'v', slots: 10 });
  await one.handle([
    { channel: 'balancer:upstreams', data: `create:ws:${uuid(32)}:v` },
    { channel: 'balancer:targets', data: `create:${uuid(30)}` },
  ]);
  const { balancers } = one.state(0);
  assert.deepEqual(balancers.get('u')?.next(), { host: '10.0.0.1', port: 80 });
  assert.equal(balancers.has('v'), false);
});

test('a new upstream is known after a look of the workers', async () => {
  const one = await node({ dbUpdateFrequencySeconds: NEVER });
  await database.insert('upstreams', { id: uuid(32), name: 'v', slots: 10 });
  await one.handle([{ channel: 'balancer:upstreams', data: `create:ws:${uuid(32)}:v` }]);
  await until('the upstream', () =>
    one.state(0).balancers.has('v') && one.state(1).balancers.has('v') ? true : undefined,
  );
});

test('consumers and credentials are read anew as soon as their keys are invalidated', async () => {
  const one = await node({ dbUpdateFrequencySeconds: NEVER, workerStateUpdateFrequencySeconds: NEVER });
  await database.insert('consumers', { id: uuid(20), username: 'bob' });
  await database.insert('keyauth_credentials', { id: uuid(21), consumer_id: uuid(20), key: 'k' });
  await one.handle([{ channel: 'invalidations', data: 'keyauth_credentials:k:::::ws' }]);
  const { consumers, keyauthCredentials } = one.state(0).configuration;
  assert.equal(consumers.get(keyauthCredentials.get('k')?.consumer ?? '')?.username, 'bob');
});

test('what could not be read stays due and is read at the next occasion', async () => {
  const one = await node({ dbUpdateFrequencySeconds: NEVER, workerStateUpdateFrequencySeconds: NEVER });
  await database.insert('consumers', { id: uuid(20), username: 'bob' });
  await database.pool.query('ALTER TABLE consumers RENAME TO hidden');
  await database.pool.query('CREATE TABLE consumers (wrong text)');
  await assert.rejects(one.handle([{ channel: 'invalidations', data: 'consumers:x' }]));
  await database.pool.query('DROP TABLE consumers');
  await database.pool.query('ALTER TABLE hidden RENAME TO consumers');
  await one.handle([]);
  assert.equal(one.state(0).configuration.consumers.size, 1);
  assert.deepEqual(await one.facts(), { database: { reachable: true } });
});

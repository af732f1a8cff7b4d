import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { ControlPlane } from '../../../infra/local/kong/nodes/control-plane.ts';
import { ClusterEvents, PUSH_CHANNEL } from '../../../infra/local/kong/nodes/cluster-events.ts';
import { DataPlane } from '../../../infra/local/kong/nodes/data-plane.ts';
import { DEFAULT_SETTINGS } from '../../../infra/local/kong/nodes/settings.ts';
import type { NodeSettings } from '../../../infra/local/kong/nodes/settings.ts';
import { EMPTY_HASH, exportSnapshot } from '../../../infra/local/kong/nodes/snapshot.ts';
import type { Snapshot } from '../../../infra/local/kong/nodes/snapshot.ts';
import { until } from './client.ts';
import { kongDatabase, routeRow, serviceRow } from './database.ts';
import type { KongDatabase } from './database.ts';
import { routing, uuid } from './fixtures.ts';

let database: KongDatabase;
const stops: (() => Promise<void>)[] = [];
const logged: string[] = [];

before(async () => {
  database = await kongDatabase();
});

after(async () => {
  await database.stop();
});

beforeEach(() => database.clear());

afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
  logged.splice(0);
});

const SETTINGS: NodeSettings = {
  ...DEFAULT_SETTINGS,
  dbUpdateFrequencySeconds: 0.4,
  applyDelayMs: 0,
  rebuildDelaysMs: [0, 0],
  pingTickMs: 20,
  reconnectSeconds: 0.05,
};

/** Counts what a control plane pushes. */
class Recorder {
  readonly frames: Snapshot[] = [];

  receive(snapshot: Snapshot): void {
    this.frames.push(snapshot);
  }
}

async function controlPlane(settings = SETTINGS): Promise<ControlPlane> {
  const made = new ControlPlane({ pool: database.pool, nodeId: uuid(1), settings, log: (line) => logged.push(line) });
  await made.start();
  stops.push(() => made.stop());
  return made;
}

function dataPlane(link: ControlPlane, settings = SETTINGS, name = 'dp'): DataPlane {
  const made = new DataPlane({ name, controlPlane: link, settings, log: (line) => logged.push(line) });
  stops.push(() => made.stop());
  return made;
}

async function recorder(link: ControlPlane): Promise<Recorder> {
  const made = new Recorder();
  await link.connect(made, { id: uuid(2), hostname: 'recorder', version: '3.9.3', hash: EMPTY_HASH });
  assert.equal(made.frames.length, 1);
  return made;
}

interface DataPlaneRow {
  readonly id: string;
  readonly hostname: string;
  readonly config_hash: string;
  readonly sync_status: string;
  readonly version: string;
  readonly last_seen: Date;
  readonly ttl: Date;
}

async function rows(): Promise<readonly DataPlaneRow[]> {
  const result = await database.pool.query<DataPlaneRow>('SELECT * FROM clustering_data_planes ORDER BY hostname');
  return result.rows;
}

const serves = (plane: DataPlane, path: string, worker = 0): boolean =>
  plane.state(worker).router.select(routing(`GET http://x${path}`)) !== undefined;

test('the snapshot: equal content has an equal hash, disabled entities are not in it', async () => {
  const empty = await exportSnapshot(database.pool);
  assert.match(empty.hash, /^[0-9a-f]{32}$/);
  await database.insert('services', serviceRow(10, 80));
  await database.insert('routes', routeRow(11, 10, '/a'));
  const full = await exportSnapshot(database.pool);
  assert.notEqual(full.hash, empty.hash);
  assert.equal((await exportSnapshot(database.pool)).hash, full.hash);
  await database.pool.query(`UPDATE routes SET updated_at = '2026-01-01'`);
  assert.notEqual((await exportSnapshot(database.pool)).hash, full.hash);
  await database.pool.query(`UPDATE services SET enabled = false`);
  const disabled = await exportSnapshot(database.pool);
  assert.deepEqual([disabled.tables['services'], disabled.tables['routes']], [[], []]);
  assert.equal(disabled.hash, empty.hash);
});

test('expired credentials are not in the snapshot', async () => {
  await database.insert('consumers', { id: uuid(20), username: 'bob' });
  await database.insert('keyauth_credentials', { id: uuid(21), consumer_id: uuid(20), key: 'old', ttl: '2020-01-01' });
  await database.insert('keyauth_credentials', { id: uuid(22), consumer_id: uuid(20), key: 'new', ttl: '2099-01-01' });
  const { tables } = await exportSnapshot(database.pool);
  assert.deepEqual(
    tables['keyauth_credentials']?.map((row) => row['key']),
    ['new'],
  );
});

test('the first write of a change is pushed at once and alone, the rest with one more push after the pause', async () => {
  const link = await controlPlane();
  const seen = await recorder(link);
  await database.insert('services', serviceRow(10, 80));
  link.written();
  await until('the first push', () => seen.frames[1]);
  await database.pool.query(
    `INSERT INTO routes (id, service_id, paths, ws_id)
     SELECT gen_random_uuid(), $1, ARRAY['/' || n], (SELECT id FROM workspaces) FROM generate_series(1, 20) n`,
    [uuid(10)],
  );
  for (let n = 0; n < 20; n += 1) link.written();
  await until('the second push', () => seen.frames[2]);
  await database.insert('routes', routeRow(31, 10, '/31'));
  link.written();
  await until('the third push', () => seen.frames[3]);
  // Were the burst not one push, a frame with some of its routes would have come between.
  const sizes = seen.frames.map(({ tables }) => [tables['services']?.length, tables['routes']?.length]);
  assert.deepEqual(sizes, [
    [0, 0],
    [1, 0],
    [1, 20],
    [1, 21],
  ]);
});

test('whoever joins during the pause gets what was pushed last', async () => {
  const link = await controlPlane({ ...SETTINGS, dbUpdateFrequencySeconds: 60 });
  const seen = await recorder(link);
  link.written();
  await until('the first push', () => (seen.frames.length === 2 ? true : undefined));
  await database.insert('services', serviceRow(10, 80));
  link.written();
  const late = await recorder(link);
  assert.equal(late.frames[0]?.hash, seen.frames[1]?.hash);
});

test('writes of another control plane are seen by polling', async () => {
  const link = await controlPlane({ ...SETTINGS, dbUpdateFrequencySeconds: 0.05 });
  const seen = await recorder(link);
  await database.event(PUSH_CHANNEL, 'services:create', uuid(99));
  await until('a push', () => seen.frames[1]);
});

test('events of other nodes come once, our own, older and other channels never', async () => {
  await database.event(PUSH_CHANNEL, 'old', uuid(99));
  await database.pool.query(`UPDATE cluster_events SET at = at - interval '1 minute'`);
  const events = new ClusterEvents(database.pool, uuid(1), [PUSH_CHANNEL]);
  await events.start();
  assert.deepEqual(await events.poll(), []);
  await database.event(PUSH_CHANNEL, 'own', uuid(1));
  await database.event('invalidations', 'other channel', uuid(99));
  await database.event(PUSH_CHANNEL, 'a', uuid(99));
  await database.event(PUSH_CHANNEL, 'b', uuid(98));
  assert.deepEqual(
    (await events.poll()).map(({ data }) => data),
    ['a', 'b'],
  );
  assert.deepEqual(await events.poll(), []);
  await database.event(PUSH_CHANNEL, 'c', uuid(99));
  assert.deepEqual(
    (await events.poll()).map(({ data }) => data),
    ['c'],
  );
});

test('a data plane stores, serves and reports; the row looks as Kong writes it', async () => {
  await database.insert('services', serviceRow(10, 80));
  await database.insert('routes', routeRow(11, 10, '/a'));
  const plane = dataPlane(await controlPlane({ ...SETTINGS }), { ...SETTINGS, applyDelayMs: 200 });
  assert.match(String(plane.unready()), /no configuration/);
  plane.start();
  const first = await until('the first row', async () => (await rows())[0]);
  assert.deepEqual(
    [first.config_hash, first.sync_status, first.hostname, first.id],
    [EMPTY_HASH, 'normal', 'dp', plane.id],
  );
  const { hash } = await exportSnapshot(database.pool);
  const row = await until('the new hash', async () => (await rows()).find((one) => one.config_hash === hash));
  assert.equal(plane.hash, hash);
  assert.equal(plane.unready(), undefined);
  assert.equal(row.version, '3.9.3');
  assert.equal(row.last_seen.getMilliseconds(), 0);
  assert.equal(Math.round((row.ttl.getTime() - row.last_seen.getTime()) / 86_400_000), 14);
  assert.deepEqual(await plane.facts(), { configuration_hash: hash });
  await until('served', () => (serves(plane, '/a') ? true : undefined));
});

test('the hash is known before the workers serve, and they rebuild at different times', async () => {
  const link = await controlPlane();
  const plane = dataPlane(link, { ...SETTINGS, rebuildDelaysMs: [0, 1000] });
  plane.start();
  await until('the empty configuration', () => (plane.hash === EMPTY_HASH ? undefined : true));
  await database.insert('services', serviceRow(10, 80));
  await database.insert('routes', routeRow(11, 10, '/a'));
  link.written();
  await until('worker 0', () => (serves(plane, '/a', 0) ? true : undefined));
  assert.equal(serves(plane, '/a', 1), false);
  assert.equal(plane.hash, (await exportSnapshot(database.pool)).hash);
  await until('worker 1', () => (serves(plane, '/a', 1) ? true : undefined));
});

test('cut off: it serves on and does not ping; joined again it catches up', async () => {
  await database.insert('services', serviceRow(10, 80));
  await database.insert('routes', routeRow(11, 10, '/a'));
  const link = await controlPlane();
  const plane = dataPlane(link, { ...SETTINGS, pingSeconds: 0.02 });
  plane.start();
  await until('served', () => (serves(plane, '/a') ? true : undefined));
  await plane.pause();
  await database.pool.query('DELETE FROM clustering_data_planes');
  const other = await recorder(link);
  await database.insert('routes', routeRow(12, 10, '/b'));
  link.written();
  await until('a push to another one', () => other.frames[1]);
  assert.deepEqual([serves(plane, '/a'), serves(plane, '/b'), (await rows()).length], [true, false, 0]);
  plane.resume();
  await until('caught up', async () =>
    (await rows())[0]?.config_hash === plane.hash && serves(plane, '/b') ? true : undefined,
  );
});

test('told to join again before it has left, it stays joined', async () => {
  const link = await controlPlane({ ...SETTINGS, dbUpdateFrequencySeconds: 0.05 });
  const plane = dataPlane(link);
  plane.start();
  const held = await until('stored', () => (plane.hash === EMPTY_HASH ? undefined : plane.hash));
  const leaving = plane.pause();
  plane.resume();
  await leaving;
  await database.insert('services', serviceRow(10, 80));
  link.written();
  await until('the push', () => (plane.hash === held ? undefined : true));
});

test('a refused push leaves the old configuration and the status normal', async () => {
  await database.insert('services', serviceRow(10, 80));
  const link = await controlPlane({ ...SETTINGS, dbUpdateFrequencySeconds: 0.05 });
  const plane = dataPlane(link, { ...SETTINGS, pingSeconds: 0.02 });
  plane.start();
  const held = await until('stored', () => (plane.hash === EMPTY_HASH ? undefined : plane.hash));
  plane.refusing = true;
  await database.insert('routes', routeRow(11, 10, '/a'));
  link.written();
  await until('the refusal', () => logged.find((line) => line.includes('unable to update running config')));
  assert.equal(plane.hash, held);
  const row = await until('a row', async () => (await rows()).find((one) => one.config_hash !== EMPTY_HASH));
  assert.deepEqual([row.config_hash, row.sync_status], [held, 'normal']);
  plane.refusing = false;
  link.written();
  await until('stored', () => (plane.hash === held ? undefined : true));
});

test('after a stop it serves what it stored; a fresh one has another id and the old row stays', async () => {
  await database.insert('services', serviceRow(10, 80));
  await database.insert('routes', routeRow(11, 10, '/a'));
  const link = await controlPlane();
  const plane = dataPlane(link);
  plane.start();
  await until('the row', async () => (await rows()).find((row) => row.config_hash !== EMPTY_HASH));
  const { id, hash } = plane;
  await plane.stop();
  plane.start();
  assert.deepEqual([plane.id, plane.hash, serves(plane, '/a')], [id, hash, true]);
  await plane.stop();
  plane.start(true);
  assert.notEqual(plane.id, id);
  assert.equal(serves(plane, '/a'), false);
  await until('both rows', async () => {
    const found = await rows();
    return found.length === 2 && found.every((row) => row.config_hash === hash) ? true : undefined;
  });
});

test('a newer data plane is turned away with a row that says so', async () => {
  const plane = dataPlane(await controlPlane());
  plane.version = '3.10.0';
  plane.start();
  const row = await until('the row', async () => (await rows())[0]);
  assert.deepEqual([row.sync_status, row.config_hash], ['kong_version_incompatible', EMPTY_HASH]);
  assert.equal(plane.hash, EMPTY_HASH);
  plane.version = '3.8.1';
  await until('let in', async () => ((await rows())[0]?.sync_status === 'normal' ? true : undefined));
});

const told = (): string[] => logged.filter((line) => line.includes('zipkin'));

test('a plugin that the stand-in does not run is told of once', async () => {
  await database.insert('plugins', { id: uuid(40), name: 'zipkin', config: {}, enabled: true });
  const link = await controlPlane({ ...SETTINGS, dbUpdateFrequencySeconds: 0.05 });
  const plane = dataPlane(link);
  plane.start();
  await until('the log line', () => told()[0]);
  const held = plane.hash;
  await database.insert('services', serviceRow(10, 80));
  link.written();
  await until('stored', () => (plane.hash === held ? undefined : true));
  assert.equal(told().length, 1);
});

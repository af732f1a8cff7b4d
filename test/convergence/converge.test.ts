import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { startKong } from '../../infra/local/kong/index.ts';
import type { KongStandIn, NodeSettings } from '../../infra/local/kong/index.ts';
import type { KongConfig } from '../../shared/config.ts';
import type { Pod } from '../../shared/convergence/live-verdict.ts';
import type { ClusterConfig } from '../../shared/convergence/shadow.ts';
import { AppError } from '../../shared/errors.ts';
import type { ConvergenceConfig } from '../../shared/convergence/config.ts';
import { converge } from '../../shared/convergence/converge.ts';
import type { Converged, Convergence } from '../../shared/convergence/converge.ts';
import { measurements } from '../../shared/convergence/metrics.ts';
import { migrate } from '../../shared/index/migrate.ts';
import { adminClient } from '../../shared/kong/admin.ts';
import { convergenceSettings } from '../support/convergence.ts';
import { temporaryPostgres } from '../support/postgres.ts';
import type { TemporaryPostgres } from '../support/postgres.ts';

let server: TemporaryPostgres;
const stop: (() => Promise<void>)[] = [];

before(async () => {
  server = await temporaryPostgres();
});

after(async () => {
  for (const step of stop.toReversed()) await step();
  await server.stop();
});

interface Bed {
  readonly kong: KongStandIn;
  readonly pool: pg.Pool;
  readonly run: Convergence;
  /** Writes a service and two routes, and records the revision as a slice does. */
  readonly write: (name: string) => Promise<string>;
}

const FAST = {
  dbUpdateFrequencySeconds: 0.3,
  workerStateUpdateFrequencySeconds: 0.3,
  pingSeconds: 2,
  reconnectSeconds: 1,
};

async function bed(
  topology: 'hybrid' | 'traditional',
  more: Partial<KongConfig & ConvergenceConfig> = {},
  settings: Partial<NodeSettings> = FAST,
): Promise<Bed> {
  const databaseUrl = await server.createDatabase(`kong_${randomUUID().slice(0, 8)}`);
  const kong = await startKong({ databaseUrl, topology, settings, log: () => undefined });
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 4 });
  pool.on('error', () => undefined);
  await migrate(pool);
  const config: KongConfig & ConvergenceConfig = {
    ...convergenceSettings(kong.adminUrls, databaseUrl),
    ...more,
  };
  const admin = adminClient(config);
  stop.push(async () => {
    admin.close();
    await kong.stop();
    await pool.end();
  });
  const write = async (name: string): Promise<string> => {
    const service = randomUUID();
    await admin.put('services', service, { name, host: 'h', tags: ['ours'] });
    for (const n of [1, 2]) {
      await admin.put('routes', randomUUID(), {
        name: `${name}-${n}`,
        paths: [`/${name}/${n}`],
        service: { id: service },
      });
    }
    const { rows } = await pool.query<{ id: string }>(
      `INSERT INTO kong_ingress.revisions (written_at, snapshot_xmax, changes)
       VALUES (clock_timestamp(), pg_snapshot_xmax(pg_current_snapshot())::text, 3) RETURNING id::text AS id`,
    );
    return rows[0]?.id ?? '';
  };
  return { kong, pool, run: { kong: pool, index: pool, config }, write };
}

const DEADLINE_MS = 40_000;

/** Runs converge until it says what is waited for, and gives every run. */
async function until(run: Convergence, done: (found: Converged) => boolean): Promise<readonly Converged[]> {
  const deadline = Date.now() + DEADLINE_MS;
  const runs: Converged[] = [];
  for (;;) {
    const found = await converge(run);
    runs.push(found);
    if (done(found)) return runs;
    assert.ok(Date.now() < deadline, `still ${JSON.stringify(found.verdicts)}`);
    await delay(100);
  }
}

const states = ({ verdicts }: Converged): readonly string[] => verdicts.map(({ state }) => state);
const allConverged = (found: Converged): boolean =>
  found.verdicts.length === 2 && states(found).every((state) => state === 'converged');

test('hybrid: nothing written proves nothing', async () => {
  const { run } = await bed('hybrid');
  const [found] = (await until(run, ({ verdicts }) => verdicts.length === 2)).slice(-1);
  assert.ok(found !== undefined);
  assert.equal(found.topology, 'hybrid');
  assert.deepEqual(states(found), ['unknown', 'unknown']);
  assert.equal(found.newest, undefined);
});

test('hybrid: an adopted database has a baseline, which converges without a write', async () => {
  const { run, pool } = await bed('hybrid');
  await until(run, ({ verdicts }) => verdicts.length === 2);
  await pool.query(
    `INSERT INTO kong_ingress.entities (slot, type, id, proposed_id, root, body_hash, hash, row_version)
     VALUES ('s', 'services', $1, $1, 'r', 'b', 'h', '1')`,
    [randomUUID()],
  );
  const last = (await until(run, allConverged)).at(-1);
  assert.equal(last?.newest?.changes, 0);
  assert.deepEqual([last?.converged, last?.proven], [[last?.newest?.id], last?.newest?.id]);
  const again = await converge(run);
  assert.deepEqual([again.converged, again.proven, again.newest?.id], [[], last?.proven, last?.proven]);
});

test('hybrid: a change converges once both data planes hold all of it, and is marked with its time', async () => {
  const { run, write, kong, pool } = await bed('hybrid');
  await until(run, ({ verdicts }) => verdicts.length === 2);
  const revision = await write('shop');
  const runs = await until(run, allConverged);
  const last = runs.at(-1);
  assert.ok(last !== undefined);
  const routes = kong.nodes.map((node) => node.dataPlane?.hash);
  const { rows } = await pool.query<{ hash: string }>('SELECT config_hash AS hash FROM clustering_data_planes');
  assert.deepEqual(new Set(rows.map((row) => row.hash)), new Set(routes));
  assert.deepEqual(last.converged, [revision]);
  for (const verdict of last.verdicts) {
    assert.deepEqual([verdict.revision, verdict.evidence, verdict.proof], [revision, 'agreement', 'stored']);
    assert.ok((verdict.marginMs ?? 0) >= 500 && (verdict.sinceWriteMs ?? 0) > 0);
  }
  assert.ok(runs.slice(0, -1).every((found) => found.converged.length === 0));
  assert.ok(
    runs.some((found) => states(found).includes('applying')),
    'it was not there at once',
  );
  const again = await converge(run);
  assert.ok(allConverged(again), 'what was proven stays proven');
  assert.deepEqual(again.converged, []);
  const marked = await pool.query('SELECT id FROM kong_ingress.revisions WHERE converged_at IS NULL');
  assert.deepEqual(marked.rows, []);
});

test('hybrid: with the cluster port and the Status APIs the shadow decides, within seconds, and says so', async () => {
  const { run, write, kong } = await bed('hybrid');
  assert.ok(kong.cluster !== undefined);
  const { certificate, key } = kong.cluster.pair;
  const cluster: ClusterConfig = {
    urls: [kong.cluster.url],
    certificate,
    key,
    ca: certificate,
    serverName: 'kong_clustering',
    maxFrameBytes: 1 << 24,
  };
  const status = { urls: new Map(kong.nodes.map(({ name, statusUrl }) => [name, statusUrl])), podPort: undefined };
  const shadowed = { ...run, config: { ...run.config, cluster, status } };
  await until(shadowed, ({ verdicts }) => verdicts.length === 2);
  const revision = await write('shop');
  const last = (await until(shadowed, allConverged)).at(-1);
  assert.deepEqual(last?.converged, [revision]);
  assert.ok(last?.verdicts.every(({ evidence, proof }) => evidence === 'shadow' && proof === 'stored'));
  // Rows of the shadow itself there are none.
  assert.equal(last?.verdicts.length, 2);

  // Where the cluster port does not take us, agreement decides, and the verdict says why not the shadow.
  const wrong = {
    ...shadowed,
    config: { ...shadowed.config, cluster: { ...cluster, maxFrameBytes: 100 }, status: run.config.status },
  };
  await write('other');
  const weaker = (await until(wrong, allConverged)).at(-1);
  assert.ok(weaker?.verdicts.every(({ evidence }) => evidence === 'agreement'));
  assert.match(weaker?.verdicts[0]?.reason ?? '', /shadow.*KONG_CLUSTER_MAX_FRAME_BYTES/);
});

test('hybrid: a Status API that does not answer is said, and a pod without a row is partitioned', async () => {
  const { run, write, kong } = await bed('hybrid');
  const [first] = kong.nodes;
  const status = { urls: new Map([[first?.name ?? '', 'http://127.0.0.1:1']]), podPort: undefined };
  const names = kong.nodes.map(({ name }, n) => ({ name, ip: `10.0.0.${n}` }));
  const pods = async (): Promise<readonly Pod[]> => [...names, { name: 'dp-cut', ip: '10.0.0.9' }];
  const listed = { ...run, config: { ...run.config, status }, pods };
  await until(listed, ({ verdicts }) => verdicts.length === 3);
  await write('shop');
  const found = (await until(listed, (item) => states(item).includes('converged'))).at(-1);
  assert.deepEqual(states(found ?? assert.fail()).toSorted(), ['converged', 'converged', 'partitioned']);
  assert.deepEqual(found?.converged, []);
  assert.ok(found?.verdicts.some(({ reason }) => /Status API does not answer/.test(reason)));
  const failing = { ...listed, pods: () => Promise.reject(new AppError('KUBERNETES_UNAVAILABLE', 'gone')) };
  const unlisted = await converge(failing);
  assert.ok(unlisted.verdicts.some(({ state, reason }) => state === 'unknown' && /could not be listed/.test(reason)));
  assert.deepEqual(unlisted.converged, []);
});

test('hybrid: a data plane that is cut off is partitioned, blocks the revision, and converges when it is back', async () => {
  const { run, write, kong, pool } = await bed('hybrid');
  await until(run, ({ verdicts }) => verdicts.length === 2);
  const [, cut] = kong.nodes;
  assert.ok(cut !== undefined);
  await cut.pause();
  const revision = await write('shop');
  // Time passes for its row alone.
  await converge(run);
  await pool.query(`UPDATE clustering_data_planes SET last_seen = last_seen - interval '1 minute' WHERE id = $1`, [
    cut.id,
  ]);
  await converge(run);
  await pool.query(`UPDATE kong_ingress.data_planes SET row_since = row_since - interval '1 minute' WHERE node = $1`, [
    cut.id,
  ]);
  const runs = await until(run, (found) => states(found).includes('converged'));
  const last = runs.at(-1);
  assert.deepEqual(last?.verdicts.map(({ node, state }) => [node === cut.id, state]).toSorted(), [
    [false, 'converged'],
    [true, 'partitioned'],
  ]);
  assert.deepEqual(last?.converged, []);
  cut.resume();
  const healed = (await until(run, allConverged)).at(-1);
  assert.deepEqual(healed?.converged, [revision]);
});

test('hybrid: a data plane of another version is incompatible, whatever its hash', async () => {
  const { run, write, kong } = await bed('hybrid');
  const [first] = kong.nodes;
  assert.ok(first?.dataPlane !== undefined);
  await first.stop();
  first.dataPlane.version = '3.10.0';
  await first.start();
  await write('shop');
  const found = (await until(run, (item) => states(item).includes('incompatible'))).at(-1);
  assert.match(found?.verdicts.find(({ state }) => state === 'incompatible')?.reason ?? '', /3\.10\.0/);
});

test('hybrid: a data plane of the list that nobody has heard of is unknown and blocks', async () => {
  const { run, write, kong } = await bed('hybrid');
  const names = kong.nodes.map((node) => node.name);
  await write('shop');
  const config = { ...run.config, live: { kind: 'list' as const, nodes: [...names, 'dp-missing'] } };
  const found = (await until({ ...run, config }, (item) => states(item).includes('converged'))).at(-1);
  assert.deepEqual(found?.verdicts.find(({ node }) => node === 'dp-missing')?.state, 'unknown');
  assert.deepEqual(found?.converged, []);
});

test('traditional: converged when the timers have run, not before, and it says that it is only waited for', async () => {
  const { run, write, pool } = await bed('traditional');
  const revision = await write('shop');
  const runs = await until(run, allConverged);
  const last = runs.at(-1);
  assert.deepEqual(last?.converged, [revision]);
  assert.ok(last?.verdicts.every(({ proof }) => proof === 'bounded'));
  assert.ok(last?.verdicts.every(({ evidence }) => evidence === 'cache' || evidence === 'bound'));
  const { rows } = await pool.query<{ seconds: number }>(
    'SELECT extract(epoch FROM converged_at - written_at)::float8 AS seconds FROM kong_ingress.revisions',
  );
  assert.ok((rows[0]?.seconds ?? 0) >= 0.3 + 1.5, `after ${rows[0]?.seconds} s`);
  assert.ok(runs.some((found) => states(found).every((state) => state === 'applying')));
});

test('traditional: told through its cache, the other node serves a change long before it would look for it', async () => {
  const slow = { ...FAST, dbUpdateFrequencySeconds: 300 };
  const { run, write, kong, pool } = await bed('traditional', { pushInvalidate: true }, slow);
  await converge(run);
  const [, other] = kong.nodes;
  const answers = async (): Promise<number> => (await fetch(`${other?.proxyUrl}/shop/1`)).status;
  const revision = await write('shop');
  assert.equal(await answers(), 404);
  const judge = async (): Promise<string | undefined> =>
    (await converge(run)).verdicts.find(({ node }) => node === new URL(other?.adminUrl ?? '').host)?.evidence;
  const deadline = Date.now() + DEADLINE_MS;
  while ((await judge()) !== 'cache' || (await answers()) === 404) assert.ok(Date.now() < deadline);
  const told = await pool.query('SELECT FROM kong_ingress.revisions WHERE id = $1 AND told_at IS NOT NULL', [revision]);
  assert.equal(told.rowCount, 1);
});

test('traditional: a node that is cut off from the others is partitioned by its cache, and converges when it is back', async () => {
  const { run, write, kong } = await bed('traditional');
  await write('first');
  await until(run, allConverged);
  const [, cut] = kong.nodes;
  await cut?.pause();
  const revision = await write('shop');
  const found = (await until(run, (item) => states(item).includes('partitioned'))).at(-1);
  assert.deepEqual(states(found ?? assert.fail()).toSorted(), ['converged', 'partitioned']);
  assert.deepEqual([found?.converged, found?.newest?.id], [[], revision]);
  cut?.resume();
  const healed = (await until(run, allConverged)).at(-1);
  assert.deepEqual(healed?.converged, [revision]);
});

test('hybrid: a slow data plane is waited for, and one that refuses is not taken for converged', async () => {
  const { run, write, kong } = await bed('hybrid');
  const [slow, refusing] = kong.nodes;
  assert.ok(slow?.dataPlane !== undefined && refusing?.dataPlane !== undefined);
  await until(run, ({ verdicts }) => verdicts.length === 2);
  slow.dataPlane.applyDelayMs = 2_000;
  const revision = await write('shop');
  const runs = await until(run, allConverged);
  assert.deepEqual(runs.at(-1)?.converged, [revision]);
  slow.dataPlane.applyDelayMs = 0;
  refusing.dataPlane.refusing = true;
  await write('more');
  // Longer than any push may take.
  const deadline = Date.now() + 8_000;
  const later = await until(run, () => Date.now() > deadline);
  assert.ok(later.every((found) => found.converged.length === 0 && !allConverged(found)));
});

test('traditional: a write that Kong did not announce is never converged', async () => {
  const { run, write, pool } = await bed('traditional');
  await write('shop');
  await pool.query(`UPDATE kong_ingress.revisions SET written_at = written_at - interval '1 hour'`);
  const found = await converge(run);
  assert.deepEqual(states(found), ['unknown', 'unknown']);
  assert.match(found.verdicts[0]?.reason ?? '', /announced/);
});

test('hybrid: after a failover nothing counts that was proven, until it is proven anew', async () => {
  const { run, write, pool } = await bed('hybrid');
  await write('shop');
  const earlier = (await until(run, allConverged)).at(-1);
  await pool.query(`UPDATE kong_ingress.meta SET value = '0' WHERE name = 'timeline'`);
  const failed = await converge(run);
  assert.ok(failed.verdicts.every(({ state, reason }) => state === 'unknown' && /failed over/.test(reason)));
  const again = (await until(run, (found) => allConverged(found) && found.converged.length > 0)).at(-1);
  assert.ok(Number(again?.proven) > Number(earlier?.proven));
  assert.equal(again?.newest?.changes, 0);
});

test('a role without the grant, and an Admin API that is gone: unknown with the reason', async () => {
  const { run, write, kong, pool } = await bed('hybrid');
  await write('shop');
  const role = `r${randomUUID().slice(0, 8)}`;
  await pool.query(`CREATE ROLE ${role} LOGIN PASSWORD 'p'`);
  const url = new URL(run.config.databaseUrl);
  url.username = role;
  url.password = 'p';
  const poor = new pg.Pool({ connectionString: url.href, max: 1 });
  poor.on('error', () => undefined);
  const denied = await converge({ ...run, kong: poor });
  await poor.end();
  assert.deepEqual(states(denied), ['unknown']);
  assert.match(denied.verdicts[0]?.reason ?? '', /clustering_data_planes.*42501|cluster_events.*42501/);
  await kong.stop();
  const gone = await converge(run);
  assert.equal(gone.topology, 'unknown');
  assert.deepEqual(states(gone), ['unknown']);
  assert.deepEqual(gone.converged, []);
});

test('every metric is there in every run', () => {
  const none = measurements({
    topology: 'unknown',
    verdicts: [],
    newest: undefined,
    converged: [],
    proven: undefined,
    warnings: [],
  });
  assert.equal(none.length, 7);
  assert.ok(none.every(({ value }) => value === 0));
});

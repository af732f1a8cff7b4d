import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { selfSigned } from '../../infra/local/certificate.ts';
import { startKong } from '../../infra/local/kong/index.ts';
import type { KongStandIn } from '../../infra/local/kong/index.ts';
import { holds } from '../../shared/convergence/content.ts';
import { takeFrame } from '../../shared/convergence/shadow.ts';
import type { ClusterConfig, Frame, NoFrame } from '../../shared/convergence/shadow.ts';
import { adminClient } from '../../shared/kong/admin.ts';
import type { AdminClient } from '../../shared/kong/admin.ts';
import type { KongRoot } from '../../shared/kong/root.ts';
import { temporaryPostgres } from '../support/postgres.ts';
import type { TemporaryPostgres } from '../support/postgres.ts';

let server: TemporaryPostgres;
let kong: KongStandIn;
let pool: pg.Pool;
let admin: AdminClient;
let root: KongRoot;
let config: ClusterConfig;

/** So long that a frame during the pause is the one pushed before. */
const PAUSE_S = 3;

before(async () => {
  server = await temporaryPostgres();
  const databaseUrl = await server.createDatabase('kong_shadow');
  const settings = { dbUpdateFrequencySeconds: PAUSE_S };
  kong = await startKong({ databaseUrl, topology: 'hybrid', settings, log: () => undefined });
  pool = new pg.Pool({ connectionString: databaseUrl, max: 2 });
  pool.on('error', () => undefined);
  admin = adminClient({
    adminUrls: kong.adminUrls,
    adminToken: undefined,
    adminConcurrency: 2,
    adminTimeoutMs: 5_000,
    workspace: '',
    filterTags: ['t'],
    databaseUrl,
    stateDatabaseUrl: databaseUrl,
  });
  root = await admin.root();
  assert.ok(kong.cluster !== undefined);
  const { certificate, key } = kong.cluster.pair;
  config = {
    urls: [kong.cluster.url],
    certificate,
    key,
    ca: certificate,
    serverName: 'kong_clustering',
    maxFrameBytes: 1 << 20,
  };
});

after(async () => {
  admin.close();
  await kong.stop();
  await pool.end();
  await server.stop();
});

const url = (): string => config.urls[0] ?? '';

async function frame(): Promise<Frame> {
  const taken = await takeFrame(url(), config, root);
  assert.ok('hash' in taken, JSON.stringify(taken));
  return taken;
}

async function mark(): Promise<string> {
  const found = await pool.query<{ mark: string }>('SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS mark');
  return found.rows[0]?.mark ?? '';
}

async function rows(): Promise<readonly { readonly hostname: string; readonly hash: string }[]> {
  const found = await pool.query<{ hostname: string; hash: string }>(
    'SELECT hostname, config_hash AS hash FROM clustering_data_planes ORDER BY hostname',
  );
  return found.rows;
}

async function until(done: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await done())) {
    assert.ok(Date.now() < deadline, 'it never came');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test('a frame is what the data planes hold, and nobody finds a row of who took it', async () => {
  await until(async () => (await rows()).length === 2 && (await rows()).every(({ hash }) => !/^0+$/.test(hash)));
  const { hash } = await frame();
  assert.deepEqual(await rows(), [
    { hostname: 'dp1', hash },
    { hostname: 'dp2', hash },
  ]);
});

test('during the pause a frame is the old one, and the content says so; deletes, disabled and foreign rows too', async () => {
  await new Promise((resolve) => setTimeout(resolve, PAUSE_S * 1000));
  const start = await mark();
  const [service, route] = [randomUUID(), randomUUID()];
  await admin.put('services', service, { name: 'shop', host: 'h', tags: ['t'] });
  const afterService = await mark();
  await until(async () => holds(pool, await frame(), start, afterService));
  // The pause began with that push.
  await admin.put('routes', route, { name: 'shop', paths: ['/shop'], service: { id: service } });
  const afterRoute = await mark();
  const cached = await frame();
  assert.equal(await holds(pool, cached, start, afterService), true);
  assert.equal(await holds(pool, cached, start, afterRoute), false);
  assert.equal(await holds(pool, cached, undefined, afterRoute), false, 'from the beginning');
  await until(async () => holds(pool, await frame(), start, afterRoute));
  const whole = await frame();
  assert.equal(await holds(pool, whole, undefined, afterRoute), true);

  await admin.put('routes', route, { name: 'shop', paths: ['/other'], service: { id: service } });
  const moved = await mark();
  assert.equal(await holds(pool, whole, afterRoute, moved), false, 'an update, maybe in the same second');
  await admin.remove('routes', route);
  assert.equal(await holds(pool, whole, start, afterService), false, 'a delete');
  await admin.put('services', randomUUID(), { name: 'off', host: 'h', enabled: false });
  const disabled = await mark();
  await until(async () => holds(pool, await frame(), start, disabled));
});

const broken: readonly (readonly [title: string, change: () => Promise<Partial<ClusterConfig>>, reason: RegExp])[] = [
  ['a wrong certificate', async () => foreign(), /CERT|alert|ECONNRESET|SELF_SIGNED|EPROTO|SSL/i],
  [
    'a control plane that somebody else signed',
    async () => ({ ca: (await selfSigned(['kong_clustering'])).certificate }),
    /CERT|SELF_SIGNED/,
  ],
  ['a frame over the limit', async () => ({ maxFrameBytes: 100 }), /KONG_CLUSTER_MAX_FRAME_BYTES/],
  ['nobody there', async () => ({ urls: ['wss://127.0.0.1:1'] }), /nothing listens/],
  ['a key that is none', async () => ({ key: 'secret' }), /^(?!.*secret)/],
];

async function foreign(): Promise<Partial<ClusterConfig>> {
  const { certificate, key } = await selfSigned(['kong_clustering']);
  return { certificate, key };
}

for (const [title, change, reason] of broken) {
  test(`no frame: ${title}`, async () => {
    const changed = { ...config, ...(await change()) };
    const taken: Frame | NoFrame = await takeFrame(changed.urls[0] ?? '', changed, root);
    assert.ok('unavailable' in taken);
    assert.match(taken.unavailable, reason);
  });
}

test('no frame for a newer version, which leaves a row: the version has to be that of the control plane', async () => {
  const taken = await takeFrame(url(), config, { ...root, version: '3.10.0' });
  assert.ok('unavailable' in taken && /closed/.test(taken.unavailable), JSON.stringify(taken));
  const { rows: found } = await pool.query(
    `SELECT FROM clustering_data_planes WHERE sync_status = 'kong_version_incompatible' AND hostname = 'kong-ingress-functions'`,
  );
  assert.equal(found.length, 1);
  const none = await takeFrame(url(), config, { ...root, version: '' });
  assert.deepEqual(none, { unavailable: 'it answered 400' });
});

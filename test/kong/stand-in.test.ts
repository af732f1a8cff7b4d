import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, beforeEach, test } from 'node:test';
import pg from 'pg';
import { selfSigned } from '../../infra/local/certificate.ts';
import { startKong } from '../../infra/local/kong/index.ts';
import type { Faults, KongStandIn } from '../../infra/local/kong/index.ts';
import { hashOf } from '../../shared/hash.ts';
import { actualState } from '../../shared/kong/actual.ts';
import type { ActualState } from '../../shared/kong/actual.ts';
import { adminClient } from '../../shared/kong/admin.ts';
import type { AdminClient } from '../../shared/kong/admin.ts';
import { compare } from '../../shared/kong/compare.ts';
import type { Comparison } from '../../shared/kong/compare.ts';
import type { Body, EntityType, Json } from '../../shared/kong/entities.ts';
import { apply, ApplyInterrupted } from '../../shared/plan/apply.ts';
import type { Writer } from '../../shared/plan/apply.ts';
import { plan } from '../../shared/plan/plan.ts';
import type { Desired, KnownEntity } from '../../shared/plan/types.ts';
import { temporaryPostgres } from '../support/postgres.ts';
import type { TemporaryPostgres } from '../support/postgres.ts';

const TAG = 'managed-by-ingress-controller';
const ROOT = { cluster: 't', group: '', version: 'v1', kind: 'Ingress', namespace: 'default', name: 'shop' };

let server: TemporaryPostgres;
let pool: pg.Pool;
let kong: KongStandIn;
let admin: AdminClient;
let actual: ActualState;
let writer: Writer;
let fault: Faults | undefined;

function connect(): void {
  admin = adminClient({
    adminUrls: kong.adminUrls,
    adminToken: undefined,
    workspace: '',
    filterTags: [TAG],
    databaseUrl: '',
    stateDatabaseUrl: '',
    adminConcurrency: 10,
    adminTimeoutMs: 5_000,
  });
  writer = { admin, actual, concurrency: 10 };
}

before(async () => {
  server = await temporaryPostgres();
  const databaseUrl = await server.createDatabase('kong');
  pool = new pg.Pool({ connectionString: databaseUrl, max: 4 });
  pool.on('error', () => undefined);
  kong = await startKong({
    databaseUrl,
    topology: 'traditional',
    faults: (method, path) => fault?.(method, path),
    log: () => undefined,
  });
  actual = actualState(pool, { filterTags: [TAG], workspace: '' });
  connect();
});

beforeEach(async () => {
  fault = undefined;
  await pool.query('TRUNCATE services, routes, upstreams, consumers, certificates, ca_certificates, sm_vaults CASCADE');
});

after(async () => {
  admin.close();
  await kong.stop();
  await pool.end();
  await server.stop();
});

function want(type: EntityType, body: Body, id: string = randomUUID()): Desired {
  const tags = ['k8s-name:shop', 'k8s-kind:Ingress', TAG];
  return { slot: `${type}/${id}`, entity: { type, id, body, tags }, hash: hashOf({ body, tags }), root: ROOT };
}

const ref = (of: Desired): Json => ({ id: of.entity.id });

/** One of every type that OSS Kong knows, written as this project writes them: only what is asked for. */
async function everything(): Promise<readonly Desired[]> {
  const pair = await selfSigned(['shop.example.com']);
  const certificate = want('certificates', { cert: `${pair.certificate}\n`, key: pair.key });
  const consumer = want('consumers', { username: 'alice', custom_id: 'c-1' });
  const upstream = want('upstreams', { name: 'echo.default.80.svc', algorithm: 'round-robin' });
  const hashing = want('upstreams', {
    name: 'hash.default.80.svc',
    algorithm: 'round-robin',
    hash_on: 'header',
    hash_on_header: 'X-User',
    healthchecks: { active: { http_path: '/healthz', healthy: { interval: 5 } } },
  });
  const service = want('services', { name: 'default.echo.80', host: 'echo.default.80.svc', port: 80, path: '/' });
  const route = want('routes', {
    name: 'default.shop.00',
    paths: ['/b', '/a'],
    protocols: ['https', 'http'],
    headers: { 'x-v': ['2'] },
    service: ref(service),
  });
  return [
    certificate,
    consumer,
    upstream,
    hashing,
    service,
    want('snis', { name: 'shop.example.com', certificate: ref(certificate) }),
    want('snis', { name: 'www.example.com', certificate: ref(certificate) }),
    want('targets', { upstream: ref(upstream), target: '10.0.0.1:8080', weight: 50 }),
    want('targets', { upstream: ref(upstream), target: '[fd00::1]:8080' }),
    want('keyauth_credentials', { key: 'apikey', consumer: ref(consumer) }),
    want('basicauth_credentials', { username: 'al', password: 'pw', consumer: ref(consumer) }),
    want('hmacauth_credentials', { username: 'al', secret: 's', consumer: ref(consumer) }),
    want('jwt_secrets', { key: 'iss', consumer: ref(consumer) }),
    want('acls', { group: 'gold', consumer: ref(consumer) }),
    route,
    want('plugins', { name: 'key-auth', route: ref(route), config: { key_names: ['token'] } }),
    want('plugins', {
      name: 'rate-limiting',
      service: ref(service),
      protocols: ['http', 'https'],
      config: { minute: 5, policy: 'local', redis_host: 'redis.example.com' },
    }),
    want('plugins', { name: 'request-transformer', route: ref(route), config: { add: { headers: ['x:1'] } } }),
  ];
}

async function create(items: readonly Desired[]): Promise<void> {
  const outcome = await apply(plan({ creates: items, updates: [], deletes: [] }), writer);
  assert.deepEqual(
    outcome.rejected.map(({ finding }) => finding.message),
    [],
  );
  assert.equal(outcome.applied.length, items.length);
}

const NOTHING: ReadonlyMap<string, KnownEntity> = new Map();

function known(comparisons: readonly Comparison[]): ReadonlyMap<string, KnownEntity> {
  return new Map(
    comparisons.map((item) => {
      const { slot, entity, hash } = item.desired;
      const xmin = 'xmin' in item ? item.xmin : undefined;
      return [entity.id, { type: entity.type, id: entity.id, slot, hash, xmin }];
    }),
  );
}

const states = (comparisons: readonly Comparison[]): readonly string[] =>
  comparisons.map(
    (item) => `${item.desired.entity.type} ${item.state}${item.state === 'drift' ? ` ${item.fields.join()}` : ''}`,
  );

test('a database that the same entities were written to is adopted without a write; then nothing is even asked', async () => {
  const all = await everything();
  assert.ok((await compare(all, NOTHING, actual, admin)).every(({ state }) => state === 'missing'));
  await create(all);
  const written = await pool.query('SELECT xmin::text FROM plugins UNION ALL SELECT xmin::text FROM routes');
  const adopted = await compare(all, NOTHING, actual, admin);
  assert.deepEqual(
    states(adopted),
    all.map(({ entity }) => `${entity.type} adopt`),
  );
  const requests = admin.requests();
  const again = await compare(all, known(adopted), actual, admin);
  assert.ok(again.every(({ state }) => state === 'unchanged'));
  assert.equal(admin.requests(), requests, 'no Admin API request when nothing was touched');
  const untouched = await pool.query('SELECT xmin::text FROM plugins UNION ALL SELECT xmin::text FROM routes');
  assert.deepEqual(untouched.rows, written.rows);
});

test('a row that was rewritten but not changed is adopted again, one that was changed is drift with its fields', async () => {
  const all = await everything();
  await create(all);
  const index = known(await compare(all, NOTHING, actual, admin));
  await pool.query('UPDATE services SET name = name');
  await pool.query(`UPDATE routes SET paths = '{/other}', strip_path = false`);
  await pool.query(`UPDATE targets SET weight = 1 WHERE target = '10.0.0.1:8080'`);
  const compared = await compare(all, index, actual, admin);
  const touched = states(compared).filter((line) => !line.endsWith('unchanged'));
  assert.deepEqual(touched.toSorted(), ['routes drift paths,strip_path', 'services adopt', 'targets drift weight']);
});

test('another password is seen, the same one is not taken for a change', async () => {
  const consumer = want('consumers', { username: 'bob' });
  const login = want('basicauth_credentials', { username: 'bob', password: 'first', consumer: ref(consumer) });
  await create([consumer, login]);
  assert.deepEqual(states(await compare([login], NOTHING, actual, admin)), ['basicauth_credentials adopt']);
  const other = want('basicauth_credentials', { ...login.entity.body, password: 'second' }, login.entity.id);
  assert.deepEqual(states(await compare([other], NOTHING, actual, admin)), ['basicauth_credentials changed']);
});

test('another hash is written without asking', async () => {
  const service = want('services', { name: 's', host: 'h' });
  await create([service]);
  const index = known(await compare([service], NOTHING, actual, admin));
  const requests = admin.requests();
  const edited = want('services', { name: 's', host: 'other' }, service.entity.id);
  assert.deepEqual(states(await compare([edited], index, actual, admin)), ['services changed']);
  assert.equal(admin.requests(), requests);
});

test('what is not ours is never touched, neither by id nor by name', async () => {
  const byId = want('services', { name: 'theirs', host: 'h' });
  await admin.put('services', byId.entity.id, { name: 'theirs', host: 'h' });
  const byName = want('routes', { name: 'their-route', paths: ['/'] });
  await admin.put('routes', randomUUID(), { name: 'their-route', paths: ['/'], tags: ['someone'] });
  const result = await compare([byId, byName], NOTHING, actual, admin);
  assert.deepEqual(states(result), ['services foreign', 'routes foreign']);
  for (const item of result) {
    assert.ok(item.state === 'foreign');
    assert.equal(item.finding.reason, 'KongEntityNotOurs');
    assert.deepEqual(item.finding.object, ROOT);
  }
});

test('an upstream and a target of ours under other ids keep them; a route has to make way', async () => {
  const upstream = want('upstreams', { name: 'echo.default.80.svc' });
  const target = want('targets', { upstream: ref(upstream), target: '10.0.0.1:80' });
  const route = want('routes', { name: 'r', paths: ['/'] });
  await create([upstream, target, route]);
  const wanted = want('upstreams', { name: 'echo.default.80.svc' });
  const result = await compare(
    [
      wanted,
      want('targets', { upstream: ref(wanted), target: '10.0.0.1:80' }),
      want('routes', { name: 'r', paths: ['/'] }),
    ],
    NOTHING,
    actual,
    admin,
  );
  assert.deepEqual(
    result.map((item) => (item.state === 'moved' ? [item.holder.id, item.adopt] : item.state)),
    [
      [upstream.entity.id, true],
      [target.entity.id, true],
      [route.entity.id, false],
    ],
  );
});

test('a type that this Kong does not have is a finding, and the rest is compared', async () => {
  const service = want('services', { name: 's', host: 'h' });
  const result = await compare([want('consumer_groups', { name: 'gold' }), service], NOTHING, actual, admin);
  assert.deepEqual(states(result), ['consumer_groups foreign', 'services missing']);
  assert.ok(result[0]?.state === 'foreign');
  assert.equal(result[0].finding.reason, 'KongTypeMissing');
});

test('many entities are read in pages, not one by one', async () => {
  const services = Array.from({ length: 60 }, (_item, n) => want('services', { name: `s${n}`, host: 'h' }));
  await create(services);
  connect();
  assert.ok((await compare(services, NOTHING, actual, admin)).every(({ state }) => state === 'adopt'));
  assert.equal(admin.requests(), 2, 'one schema, one page');
});

test('updating a certificate keeps SNIs that others made; a certificate in use stays with its SNIs', async () => {
  const pair = await selfSigned(['a.test']);
  const certificate = want('certificates', { cert: pair.certificate, key: pair.key });
  const client = want('services', {
    name: 'mtls',
    host: 'h',
    protocol: 'https',
    port: 443,
    client_certificate: ref(certificate),
  });
  await create([certificate, client]);
  await admin.put('snis', randomUUID(), { name: 'by-hand.test', certificate: ref(certificate) });
  await apply(plan({ creates: [], updates: [certificate], deletes: [] }), writer);
  const { type, id } = certificate.entity;
  const outcome = await apply(
    plan({ creates: [], updates: [], deletes: [{ type, id, slot: certificate.slot }] }),
    writer,
  );
  assert.deepEqual(
    outcome.rejected.map(({ finding }) => finding.reason),
    ['KongEntityInUse'],
  );
  assert.deepEqual((await actual.snisOf([id])).get(id), ['by-hand.test']);
});

test('everything is deleted again, children first, and deleting twice is no error', async () => {
  const all = await everything();
  await create(all);
  const deletes = all.map(({ slot, entity: { type, id } }) => ({ type, id, slot }));
  for (const round of ['first', 'second']) {
    const outcome = await apply(plan({ creates: [], updates: [], deletes }), writer);
    assert.deepEqual(
      outcome.rejected.map(({ finding }) => finding.message),
      [],
      round,
    );
  }
  assert.deepEqual([...(await actual.managed()).values()].flat(), []);
});

test('answers that are lost after the work was done leave no duplicate and no error', async () => {
  const all = await everything();
  const seen = new Set<string>();
  // Every first write of a path is done and its answer cut off.
  fault = (method, path) => {
    if (method === 'GET' || seen.has(`${method} ${path}`)) return undefined;
    seen.add(`${method} ${path}`);
    return 'cut-after';
  };
  await create(all);
  fault = undefined;
  assert.ok((await compare(all, NOTHING, actual, admin)).every(({ state }) => state === 'adopt'));
});

test('a Kong that is gone interrupts with what was written; the next run writes the rest', async () => {
  const all = await everything();
  fault = (_method, path) => (path.startsWith('/routes') ? 'cut' : undefined);
  await assert.rejects(apply(plan({ creates: all, updates: [], deletes: [] }), writer), (error: unknown) => {
    assert.ok(error instanceof ApplyInterrupted);
    assert.ok(error.outcome.applied.length > 0 && error.outcome.applied.length < all.length);
    return true;
  });
  fault = undefined;
  const left = (await compare(all, NOTHING, actual, admin)).filter(({ state }) => state !== 'adopt');
  assert.ok(left.length > 0 && left.every(({ state }) => state === 'missing'));
  await create(left.map(({ desired }) => desired));
});

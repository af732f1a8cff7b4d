import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, beforeEach, test } from 'node:test';
import type { FaultAnswer } from '../../../infra/local/kong/admin/faults.ts';
import { startAdmin } from '../../../infra/local/kong/admin/server.ts';
import { migrate } from '../../../infra/local/kong/database/migrate.ts';
import { call, rows, standIns } from './support.ts';

const local = await standIns();
after(() => local.stop());

let fault: FaultAnswer | 'cut' | 'cut-after' | undefined;
const node = await local.start({ faults: (method) => (method === 'PUT' ? fault : undefined) });
beforeEach(async () => {
  fault = undefined;
  await node.pool.query('DELETE FROM routes');
  await node.pool.query('DELETE FROM services');
});

async function service(name: string, tags?: readonly string[]): Promise<string> {
  const { body } = await call(node.url, 'POST', '/services', {
    name,
    host: 'h',
    ...(tags === undefined ? {} : { tags }),
  });
  return String(body['id']);
}

/** All pages, with the number of pages. */
async function everything(path: string): Promise<{ ids: string[]; pages: number }> {
  const ids: string[] = [];
  let pages = 0;
  for (let next: unknown = path; typeof next === 'string'; pages += 1) {
    const answer = await call(node.url, 'GET', next);
    ids.push(...rows(answer).map(({ id }) => String(id)));
    next = answer.body['next'];
  }
  return { ids, pages };
}

test('pages follow the ids, and `next` leads through all of them', async () => {
  const made = await Promise.all(Array.from({ length: 7 }, (_, i) => service(`s${i}`)));
  for (const [size, pages] of [
    [3, 3],
    [7, 1],
    [6, 2],
    [1000, 1],
  ] as const) {
    assert.deepEqual(await everything(`/services?size=${size}`), { ids: made.toSorted(), pages });
  }
});

test('tags filter with AND and OR, on every page', async () => {
  const ab = await service('ab', ['a', 'b']);
  const a = await service('a', ['a', 'c d']);
  const b = await service('b', ['b']);
  await service('none');
  const cases: readonly (readonly [query: string, ids: readonly string[]])[] = [
    ['a', [ab, a]],
    ['a,b', [ab]],
    ['a%2Cb', [ab]],
    ['a/b', [ab, a, b]],
    ['c%20d', [a]],
    ['nobody', []],
  ];
  for (const [query, ids] of cases) {
    assert.deepEqual((await everything(`/services?tags=${query}&size=1`)).ids, ids.toSorted(), query);
  }
  const five = await call(node.url, 'GET', '/services?tags=a,b,c,d,e');
  const six = await call(node.url, 'GET', '/services?tags=a,b,c,d,e,f');
  assert.deepEqual([five.status, six.status, six.body['code']], [200, 400, 11]);
});

test('the tags table follows each write', async () => {
  const id = await service('s', ['t', 'u']);
  const tagged = async (): Promise<unknown> => rows(await call(node.url, 'GET', '/tags/t'));
  assert.deepEqual(await tagged(), [{ tag: 't', entity_name: 'services', entity_id: id }]);
  await call(node.url, 'PATCH', `/services/${id}`, { tags: ['u'] });
  assert.deepEqual(await tagged(), []);
  await call(node.url, 'DELETE', `/services/${id}`);
  assert.equal((await node.pool.query('SELECT 1 FROM tags WHERE entity_id = $1', [id])).rowCount, 0);
});

test('of many creations of one name, one wins', async () => {
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => call(node.url, 'PUT', `/services/${randomUUID()}`, { name: 'same', host: 'h' })),
  );
  assert.deepEqual(
    answers.map(({ status }) => status).toSorted((a, b) => a - b),
    [200, 409, 409, 409, 409, 409, 409, 409],
  );
});

test('of many creations of one id, all are the same entity', async () => {
  const id = randomUUID();
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, i) => call(node.url, 'PUT', `/services/${id}`, { name: 'one', host: `h${i}` })),
  );
  assert.ok(answers.every(({ status, body }) => status === 200 && body['id'] === id));
  assert.equal(rows(await call(node.url, 'GET', '/services')).length, 1);
});

test('a no-op PUT is a write: the row version changes', async () => {
  const id = await service('s');
  const version = async (): Promise<unknown> =>
    (await node.pool.query<{ xmin: string }>('SELECT xmin FROM services WHERE id = $1', [id])).rows[0]?.xmin;
  const before = await version();
  await call(node.url, 'PUT', `/services/${id}`, { name: 's', host: 'h' });
  assert.notEqual(await version(), before);
});

test('a fault answers in place of Kong, and nothing is done', async () => {
  const answers: readonly FaultAnswer[] = [
    { status: 500, body: { message: 'An unexpected error occurred' } },
    { status: 429, headers: { 'Retry-After': '1' }, body: { message: 'API rate limit exceeded' } },
    { status: 409, body: { code: 5 } },
  ];
  for (const answer of answers) {
    fault = answer;
    const got = await call(node.url, 'PUT', '/services/s', { host: 'h' });
    assert.equal(got.status, answer.status);
    assert.deepEqual(got.body, answer.body);
    assert.equal(got.headers.get('retry-after'), answer.headers?.['Retry-After'] ?? null);
  }
  assert.deepEqual(rows(await call(node.url, 'GET', '/services')), []);
});

test('a connection is cut before the work, or after it', async () => {
  for (const [kind, written] of [
    ['cut', 0],
    ['cut-after', 1],
  ] as const) {
    fault = kind;
    await assert.rejects(call(node.url, 'PUT', '/services/s', { host: 'h' }));
    assert.equal(rows(await call(node.url, 'GET', '/services')).length, written, kind);
  }
});

test('PostgreSQL gone: 500, and the reason is told; back: all is well', async () => {
  const errors: unknown[] = [];
  const other = await local.start({ onError: (error) => errors.push(error) });
  const name = new URL(String(other.pool.options.connectionString)).pathname.slice(1);
  await node.pool.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
  await node.pool.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name]);
  const gone = await call(other.url, 'PUT', '/services/s', { host: 'h' });
  assert.deepEqual([gone.status, gone.body], [500, { message: 'An unexpected error occurred' }]);
  assert.deepEqual((await call(other.url, 'GET', '/status')).body['database'], { reachable: false });
  assert.ok(errors.length > 0);
  await node.pool.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
  assert.equal((await call(other.url, 'PUT', '/services/s', { host: 'h' })).status, 200);
});

test('a key with a time to live goes away by itself', async () => {
  await call(node.url, 'PUT', '/consumers/carol', {});
  const made = await call(node.url, 'POST', '/consumers/carol/key-auth', { key: 'k', ttl: 3600 });
  assert.ok(Number(made.body['ttl']) > 3590);
  await node.pool.query(`UPDATE keyauth_credentials SET ttl = now() - interval '1 second'`);
  assert.equal((await call(node.url, 'GET', '/key-auths/k')).status, 404);
  assert.deepEqual(rows(await call(node.url, 'GET', '/key-auths')), []);
  await call(node.url, 'POST', '/consumers/carol/key-auth', { key: 'other' });
  assert.equal((await node.pool.query(`SELECT 1 FROM keyauth_credentials WHERE key = 'k'`)).rowCount, 0);
  await call(node.url, 'DELETE', '/consumers/carol');
  assert.deepEqual(rows(await call(node.url, 'GET', '/key-auths')), []);
});

test('a control plane lists its data planes', async () => {
  const controlPlane = await local.start({ role: 'control_plane' });
  const id = randomUUID();
  await controlPlane.pool.query(
    `INSERT INTO clustering_data_planes (id, hostname, ip, last_seen, config_hash, ttl, version, sync_status)
     VALUES ($1, 'dp-1', '127.0.0.1', to_timestamp(1800000000), 'abc', now() + interval '14 days', '3.9.3', 'normal')`,
    [id],
  );
  const [row] = rows(await call(controlPlane.url, 'GET', '/clustering/data-planes'));
  assert.partialDeepStrictEqual(row, {
    id,
    hostname: 'dp-1',
    last_seen: 1800000000,
    config_hash: 'abc',
    sync_status: 'normal',
  });
  assert.ok(Number(row?.['ttl']) > 13 * 86_400);
  const status = await call(controlPlane.url, 'GET', '/clustering/status');
  assert.equal(status.headers.get('deprecation'), 'true');
  assert.deepEqual(status.body, {
    [id]: { config_hash: 'abc', last_seen: 1800000000, ip: '127.0.0.1', hostname: 'dp-1' },
  });
  assert.equal((await call(node.url, 'GET', '/clustering/data-planes')).status, 400);
});

test('an expressions router takes expressions', async () => {
  const expressions = await local.start({ settings: { router_flavor: 'expressions', db_update_frequency: 0.2 } });
  const route = await call(expressions.url, 'PUT', '/routes/e', { expression: 'http.path == "/"', priority: 5 });
  assert.partialDeepStrictEqual(route.body, { expression: 'http.path == "/"', priority: 5 });
  const root = await call(expressions.url, 'GET', '/');
  assert.partialDeepStrictEqual(root.body, {
    node_id: expressions.nodeId,
    configuration: { router_flavor: 'expressions', db_update_frequency: 0.2, role: 'traditional' },
  });
});

test('migrating again changes nothing, and two may migrate at once', async () => {
  const before = await node.pool.query('SELECT id, name FROM workspaces');
  await Promise.all([migrate(node.pool), migrate(node.pool)]);
  assert.deepEqual((await node.pool.query('SELECT id, name FROM workspaces')).rows, before.rows);
});

test('a database without a workspace is refused', async () => {
  const empty = await local.start();
  await empty.pool.query('DELETE FROM workspaces');
  const starting = startAdmin({ pool: empty.pool, role: 'traditional', nodeId: randomUUID() });
  await assert.rejects(starting, { code: 'KONG_STAND_IN_FAILED' });
});

test('the stand-in says what it is', async () => {
  const { headers, body } = await call(node.url, 'GET', '/');
  assert.match(headers.get('server') ?? '', /stand-in/);
  assert.match(String(body['tagline']), /stand-in/);
});

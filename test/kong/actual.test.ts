import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { actualState } from '../../shared/kong/actual.ts';
import type { ActualState } from '../../shared/kong/actual.ts';
import type { Body, Entity, EntityType } from '../../shared/kong/entities.ts';
import { AppError } from '../../shared/errors.ts';
import { temporaryPostgres } from '../support/postgres.ts';
import type { TemporaryPostgres } from '../support/postgres.ts';
import { kongTables, OURS } from './rows.ts';
import type { KongTables } from './rows.ts';

let server: TemporaryPostgres;
let kong: KongTables;
let actual: ActualState;

before(async () => {
  server = await temporaryPostgres();
  kong = await kongTables(server, 'actual');
  actual = actualState(kong.pool, { filterTags: OURS, workspace: '' });
});

after(async () => {
  await kong.end();
  await server.stop();
});

const entity = (type: EntityType, body: Body, id: string = randomUUID()): Entity => ({ type, id, body, tags: OURS });
const service = (columns: Record<string, unknown>): Promise<string> =>
  kong.insert('services', { host: 'h', ...columns });
const upstream = (name: string, more: Record<string, unknown> = {}): Promise<string> =>
  kong.insert('upstreams', { name, slots: 10, ...more });
const target = (upstreamId: string, address: string, more: Record<string, unknown> = {}): Promise<string> =>
  kong.insert('targets', {
    upstream_id: upstreamId,
    target: address,
    weight: 5,
    cache_key: address + upstreamId,
    ...more,
  });

test('versions: what exists has an xmin that every write changes; foreign means no tag, part of the tags, or another workspace', async () => {
  const ours = await service({ name: 'v-ours' });
  const untagged = await service({ name: 'v-untagged', tags: null });
  const other = await service({ name: 'v-other', tags: ['someone'] });
  const workspace = randomUUID();
  await kong.pool.query(`INSERT INTO workspaces (id, name) VALUES ($1, 'team')`, [workspace]);
  const elsewhere = await service({ name: 'v-ours', ws_id: workspace });
  const ca = await kong.insert('ca_certificates', { cert: 'c', cert_digest: 'v' });
  const gone = randomUUID();
  const refs = [ours, untagged, other, elsewhere, gone].map((id) => ({ type: 'services' as const, id }));
  const first = await actual.versions([...refs, { type: 'ca_certificates', id: ca }]);
  assert.deepEqual(
    [ours, untagged, other, elsewhere, gone, ca].map((id) => first.get(id)?.managed),
    [true, false, false, false, undefined, true],
  );
  await kong.pool.query('UPDATE services SET name = name WHERE id = $1', [ours]);
  const second = await actual.versions(refs);
  assert.notEqual(second.get(ours)?.xmin, first.get(ours)?.xmin);
  assert.equal(second.get(other)?.xmin, first.get(other)?.xmin);
  const both = actualState(kong.pool, { filterTags: [...OURS, 'second'], workspace: '' });
  assert.equal((await both.versions(refs)).get(ours)?.managed, false);
  const team = actualState(kong.pool, { filterTags: OURS, workspace: 'team' });
  assert.equal((await team.versions(refs)).get(elsewhere)?.managed, true);
});

test('versions asks once, whatever the number of types; nothing asked is no statement', async () => {
  let statements = 0;
  const counting = actualState(
    { query: (text, values) => ((statements += 1), kong.pool.query(text, values)) },
    { filterTags: OURS, workspace: '' },
  );
  await counting.versions([]);
  await counting.findUnique([]);
  await counting.children([]);
  // Nothing can refer to these.
  await counting.children([
    { type: 'targets', id: randomUUID() },
    { type: 'plugins', id: randomUUID() },
  ]);
  assert.equal(statements, 0);
  const types: EntityType[] = ['routes', 'services', 'plugins', 'acls', 'vaults', 'ca_certificates'];
  await counting.versions(types.map((type) => ({ type, id: randomUUID() })));
  assert.equal(statements, 1);
});

test('findUnique finds rows under another id by every unique key, and not the entity itself', async () => {
  const consumer = await kong.insert('consumers', { username: 'alice', custom_id: 'c-1' });
  const svc = await service({ name: 'unique' });
  const route = await kong.insert('routes', { name: 'r', service_id: svc });
  const plugin = { name: 'cors', config: {}, enabled: true };
  const held: readonly (readonly [string, Entity])[] = [
    [svc, entity('services', { name: 'unique' })],
    [consumer, entity('consumers', { username: 'alice' })],
    [consumer, entity('consumers', { username: 'bob', custom_id: 'c-1' })],
    [await upstream('u-1'), entity('upstreams', { name: 'u-1' })],
    [await kong.insert('snis', { name: 'a.example.com' }), entity('snis', { name: 'a.example.com' })],
    [
      await kong.insert('vaults', { name: 'env', prefix: 'p', config: {} }),
      entity('vaults', { name: 'env', prefix: 'p' }),
    ],
    [
      await kong.insert('acls', { consumer_id: consumer, group: 'g' }),
      entity('acls', { group: 'g', consumer: { id: consumer } }),
    ],
    [
      await kong.insert('keyauth_credentials', { consumer_id: consumer, key: 'k' }),
      entity('keyauth_credentials', { key: 'k', consumer: { id: consumer } }),
    ],
    [
      await kong.insert('oauth2_credentials', { consumer_id: consumer, client_id: 'app' }),
      entity('oauth2_credentials', { client_id: 'app', consumer: { id: consumer } }),
    ],
    [
      await kong.insert('plugins', { ...plugin, service_id: svc, cache_key: '1' }),
      entity('plugins', { name: 'cors', service: { id: svc } }),
    ],
    [
      await kong.insert('plugins', { ...plugin, route_id: route, consumer_id: consumer, cache_key: '2' }),
      entity('plugins', { name: 'cors', route: { id: route }, consumer: { id: consumer } }),
    ],
    [await kong.insert('plugins', { ...plugin, cache_key: '3' }), entity('plugins', { name: 'cors' })],
    [
      await kong.insert('plugins', { name: 'acl', config: {}, enabled: true, instance_name: 'i', cache_key: '4' }),
      entity('plugins', { name: 'jwt', instance_name: 'i' }),
    ],
  ];
  const found = await actual.findUnique(held.map(([, wanted]) => wanted));
  for (const [id, wanted] of held) assert.equal(found.get(wanted.id)?.id, id, JSON.stringify(wanted));
  const free = [
    entity('services', { name: 'unique' }, svc),
    entity('services', { name: 'free' }),
    entity('acls', { group: 'g', consumer: { id: randomUUID() } }),
    entity('plugins', { name: 'cors', route: { id: route } }),
    entity('plugins', { name: 'cors', consumer: { id: consumer } }),
    entity('certificates', { cert: 'c', key: 'k' }),
  ];
  assert.deepEqual([...(await actual.findUnique(free)).keys()], []);
});

test('findUnique: a foreign holder comes before a managed one, and names are unique per workspace only', async () => {
  await kong.insert('consumers', { username: 'both', custom_id: null });
  const foreign = await kong.insert('consumers', { username: null, custom_id: 'both', tags: null });
  const wanted = entity('consumers', { username: 'both', custom_id: 'both' });
  const holder = (await actual.findUnique([wanted])).get(wanted.id);
  assert.deepEqual({ id: holder?.id, managed: holder?.managed }, { id: foreign, managed: false });
  const workspace = randomUUID();
  await kong.pool.query(`INSERT INTO workspaces (id, name) VALUES ($1, 'other')`, [workspace]);
  await service({ name: 'elsewhere', ws_id: workspace });
  assert.equal((await actual.findUnique([entity('services', { name: 'elsewhere' })])).size, 0);
});

test('findUnique looks for targets under the upstream that will be adopted, IPv6 as Kong writes it', async () => {
  const there = await upstream('echo.default.80.svc');
  const v4 = await target(there, '10.0.0.1:8080');
  const v6 = await target(there, '[fd00:0000:0000:0000:0000:0000:0000:0001]:80');
  const wanted = entity('upstreams', { name: 'echo.default.80.svc' });
  const under = (address: string): Entity => entity('targets', { target: address, upstream: { id: wanted.id } });
  const [a, b, c] = [under('10.0.0.1:8080'), under('[fd00::1]:80'), under('10.0.0.2:8080')];
  const found = await actual.findUnique([wanted, a, b, c]);
  assert.deepEqual(
    [wanted, a, b, c].map((item) => found.get(item.id)?.id),
    [there, v4, v6, undefined],
  );
});

test('managed lists what carries the tag, of every type', async () => {
  const fresh = await kongTables(server, 'managed');
  const mine = actualState(fresh.pool, { filterTags: OURS, workspace: '' });
  const id = await fresh.insert('services', { name: 'ours', host: 'h' });
  await fresh.insert('services', { name: 'foreign', host: 'h', tags: ['x'] });
  const managed = await mine.managed();
  await fresh.end();
  assert.ok(managed.has('plugins') && managed.has('filter_chains'), 'what this Kong has');
  assert.ok(!managed.has('consumer_groups'), 'Enterprise has a table for these, this database has not');
  assert.deepEqual(
    managed.get('services')?.map((row) => row.id),
    [id],
  );
  assert.match(managed.get('services')?.[0]?.xmin ?? '', /^\d+$/);
  assert.deepEqual(managed.get('routes'), []);
});

test("managed says which rows may be another workspace's: CA certificates, once there is another one", async () => {
  const fresh = await kongTables(server, 'workspaces');
  const mine = actualState(fresh.pool, { filterTags: OURS, workspace: '' });
  const ca = await fresh.insert('ca_certificates', { cert: 'c', cert_digest: 'd' });
  const id = await fresh.insert('services', { name: 'ours', host: 'h' });
  const shared = async (): Promise<unknown> => {
    const rows = [...(await mine.managed()).values()].flat();
    return [id, ca].map((wanted) => rows.find((row) => row.id === wanted)?.shared);
  };
  assert.deepEqual(await shared(), [false, false]);
  await fresh.pool.query(`INSERT INTO workspaces (id, name) VALUES ($1, 'team')`, [randomUUID()]);
  assert.deepEqual(await shared(), [false, true]);
  await fresh.end();
});

test('types that this Kong lacks are named, and never make the others unreadable', async () => {
  assert.equal(await actual.lacks('consumer_groups'), true);
  assert.equal(await actual.lacks('filter_chains'), false);
  assert.equal(await actual.lacks('routes'), false);
  const id = await service({ name: 'beside' });
  const group = entity('consumer_groups', { name: 'gold' });
  const versions = await actual.versions([group, { type: 'services', id }]);
  assert.deepEqual([...versions.keys()], [id]);
  assert.equal((await actual.findUnique([group, entity('services', { name: 'beside' })])).size, 1);
});

test('snisOf, upstreamsOf and targets read what the writer needs', async () => {
  const certificate = await kong.insert('certificates', { cert: 'c', key: 'secret' });
  await kong.insert('snis', { name: 'b.test', certificate_id: certificate, tags: null });
  await kong.insert('snis', { name: 'a.test', certificate_id: certificate });
  assert.deepEqual(await actual.snisOf([certificate, randomUUID()]), new Map([[certificate, ['a.test', 'b.test']]]));
  const there = await upstream('with-targets');
  const id = await target(there, '10.1.0.1:80');
  assert.deepEqual(await actual.upstreamsOf([id, randomUUID()]), new Map([[id, there]]));
  assert.deepEqual(
    await actual.targets([id]),
    new Map([[id, { id, upstream: { id: there }, target: '10.1.0.1:80', weight: 5, tags: OURS }]]),
  );
});

test('children: what blocks a delete and what would go with it, with its owner', async () => {
  const certificate = await kong.insert('certificates', { cert: 'c', key: 'k' });
  const ca = await kong.insert('ca_certificates', { cert: 'c', cert_digest: 'children' });
  const svc = await service({ name: 'parent', client_certificate_id: certificate, ca_certificates: [ca] });
  const route = await kong.insert('routes', { name: 'child', service_id: svc });
  const plugin = await kong.insert('plugins', {
    name: 'cors',
    config: {},
    enabled: true,
    service_id: svc,
    tags: null,
    cache_key: 'c1',
  });
  const sni = await kong.insert('snis', { name: 'child.test', certificate_id: certificate });
  const chain = randomUUID();
  await kong.pool.query(`INSERT INTO filter_chains (id, name, route_id, tags) VALUES ($1, 'chain', $2, $3)`, [
    chain,
    route,
    OURS,
  ]);
  const found = await actual.children([
    { type: 'services', id: svc },
    { type: 'certificates', id: certificate },
    { type: 'ca_certificates', id: ca },
    { type: 'routes', id: route },
  ]);
  const lines = found.map((c) => [c.parentId, c.table, c.id, c.managed, c.cascades].join(' ')).toSorted();
  assert.deepEqual(
    lines,
    [
      [svc, 'routes', route, true, false].join(' '),
      [svc, 'plugins', plugin, false, true].join(' '),
      [route, 'filter_chains', chain, false, true].join(' '),
      [certificate, 'services', svc, true, false].join(' '),
      [certificate, 'snis', sni, true, false].join(' '),
      [ca, 'services', svc, true, false].join(' '),
    ].toSorted(),
  );
});

function isReadError(error: unknown): boolean {
  return (
    error instanceof AppError &&
    error.code === 'KONG_DATABASE_UNAVAILABLE' &&
    error.message.includes('42501') &&
    !error.message.includes('secret')
  );
}

test('a database that cannot be read is an error, never an empty answer, and shows no values', async () => {
  const broken = actualState(
    { query: () => Promise.reject(Object.assign(new Error('password secret-dsn'), { code: '42501' })) },
    { filterTags: OURS, workspace: '' },
  );
  const id = randomUUID();
  await assert.rejects(broken.managed(), isReadError);
  await assert.rejects(broken.versions([{ type: 'routes', id }]), isReadError);
  await assert.rejects(broken.children([{ type: 'services', id }]), isReadError);
  await assert.rejects(broken.findUnique([entity('services', { name: 'n' })]), isReadError);
});

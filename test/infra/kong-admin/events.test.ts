import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { selfSigned } from '../../../infra/local/certificate.ts';
import type { AdminWrite } from '../../../infra/local/kong/admin/server.ts';
import { call, standIns } from './support.ts';
import type { StandIn } from './support.ts';

const local = await standIns();
after(() => local.stop());

const SERVICE = '1c9f3c1e-7d4e-5c43-8a11-2f60b8a1d001';
const ROUTE = '1c9f3c1e-7d4e-5c43-8a11-2f60b8a1d002';
const PLUGIN = '1c9f3c1e-7d4e-5c43-8a11-2f60b8a1d003';
const UPSTREAM = '1c9f3c1e-7d4e-5c43-8a11-2f60b8a1d004';
const CONSUMER = '1c9f3c1e-7d4e-5c43-8a11-2f60b8a1d005';
const CERTIFICATE = '1c9f3c1e-7d4e-5c43-8a11-2f60b8a1d006';

interface Event {
  readonly channel: string;
  readonly data: string;
  readonly node_id: string;
}

/** The events that a request leaves, with the workspace's id written as `WS`. */
async function eventsOf(standIn: StandIn, method: string, path: string, body?: unknown): Promise<string[]> {
  await standIn.pool.query('TRUNCATE cluster_events');
  const { status } = await call(standIn.url, method, path, body);
  assert.ok(status < 300, `${method} ${path}: ${status}`);
  await standIn.settled();
  const { rows: workspaces } = await standIn.pool.query<{ id: string }>('SELECT id FROM workspaces');
  const { rows } = await standIn.pool.query<Event>(
    'SELECT channel, data, node_id FROM cluster_events ORDER BY at, channel',
  );
  assert.ok(rows.every(({ node_id: nodeId }) => nodeId === standIn.nodeId));
  return rows.map(({ channel, data }) => `${channel} ${data.replaceAll(workspaces[0]?.id ?? '', 'WS')}`).toSorted();
}

const core = (data: string): string => `invalidations_kong_core_db_cache ${data}`;
const push = (data: string): string => `clustering:push_config ${data}`;
const other = (data: string): string => `invalidations ${data}`;

const traditional = await local.start();
const pair = await selfSigned(['shop.example']);

const SERVICE_BODY = { name: 's', host: 'h' };
const ROUTE_BODY = { name: 'r', paths: ['/'], service: { id: SERVICE } };

/** In order; each row says what the write tells the other traditional nodes. */
const WRITES: readonly (readonly [
  request: readonly [method: string, path: string, body?: unknown],
  events: readonly string[],
])[] = [
  [['PUT', `/services/${SERVICE}`, SERVICE_BODY], [core(`services:${SERVICE}:::::WS`)]],
  [
    ['PUT', `/services/${SERVICE}`, SERVICE_BODY],
    [core('router:version'), core(`services:${SERVICE}:::::WS`)],
  ],
  [
    ['PUT', `/routes/${ROUTE}`, ROUTE_BODY],
    [core('router:version'), core(`routes:${ROUTE}:::::WS`)],
  ],
  [
    ['PATCH', `/routes/${ROUTE}`, {}],
    [core('router:version'), core(`routes:${ROUTE}:::::WS`)],
  ],
  [
    ['PUT', `/plugins/${PLUGIN}`, { name: 'cors', route: { id: ROUTE } }],
    [core(`plugins:cors:${ROUTE}::::WS`), core('plugins_iterator:version')],
  ],
  [
    ['PUT', `/plugins/${PLUGIN}`, { name: 'cors', service: { id: SERVICE } }],
    [core(`plugins:cors:${ROUTE}::::WS`), core(`plugins:cors::${SERVICE}:::WS`), core('plugins_iterator:version')],
  ],
  [
    ['PUT', `/upstreams/${UPSTREAM}`, { name: 'u' }],
    [`balancer:upstreams create:WS:${UPSTREAM}:u`, core(`upstreams:${UPSTREAM}:::::WS`)],
  ],
  [
    ['POST', '/upstreams/u/targets', { target: 'a:80' }],
    [`balancer:targets create:${UPSTREAM}`, core(`targets:${UPSTREAM}:a:80::::WS`)],
  ],
  [
    ['DELETE', '/upstreams/u'],
    [
      `balancer:targets delete:${UPSTREAM}`,
      `balancer:upstreams delete:WS:${UPSTREAM}:u`,
      core(`targets:${UPSTREAM}:a:80::::WS`),
      core(`upstreams:${UPSTREAM}:::::WS`),
    ],
  ],
  [
    ['PUT', `/consumers/${CONSUMER}`, { username: 'carol' }],
    [other('consumers:carol:::::WS'), core(`consumers:${CONSUMER}:::::WS`)],
  ],
  [['POST', '/consumers/carol/key-auth', { key: 'k' }], [other('keyauth_credentials:k:::::WS')]],
  [['POST', '/consumers/carol/acls', { group: 'g' }], [other(`acls:${CONSUMER}:g::::WS`)]],
  [
    ['PUT', `/certificates/${CERTIFICATE}`, { cert: pair.certificate, key: pair.key, snis: ['a.shop.example'] }],
    [
      core(`certificates:${CERTIFICATE}:::::WS`),
      core('snis:*.shop.example'),
      core('snis:a.shop.*'),
      core('snis:a.shop.example'),
      core('snis:a.shop.example:::::'),
    ],
  ],
  [['DELETE', `/services/${PLUGIN}`], []],
  [
    ['DELETE', `/routes/${ROUTE}`],
    [core('router:version'), core(`routes:${ROUTE}:::::WS`)],
  ],
  [
    ['DELETE', `/services/${SERVICE}`],
    [core(`plugins:cors::${SERVICE}:::WS`), core('plugins_iterator:version'), core(`services:${SERVICE}:::::WS`)],
  ],
];

for (const [[method, path, body], expected] of WRITES) {
  test(`traditional: ${method} ${path.replaceAll(/[0-9a-f-]{36}/g, '{id}')}`, async () => {
    assert.deepEqual(await eventsOf(traditional, method, path, body), expected.toSorted());
  });
}

test('a refused write tells nobody anything', async () => {
  await traditional.pool.query('TRUNCATE cluster_events');
  assert.equal((await call(traditional.url, 'POST', '/services', { name: 'x' })).status, 400);
  await traditional.settled();
  assert.equal((await traditional.pool.query('SELECT 1 FROM cluster_events')).rowCount, 0);
});

test('events are good for one hour', async () => {
  await eventsOf(traditional, 'PUT', '/services/hour', { host: 'h' });
  const { rows } = await traditional.pool.query<{ hour: boolean }>(
    `SELECT expire_at - at = interval '1 hour' AND at <= clock_timestamp() AS hour FROM cluster_events`,
  );
  assert.deepEqual(rows, [{ hour: true }]);
});

test('a control plane says that something of a type changed, and no more', async () => {
  const writes: AdminWrite[] = [];
  const controlPlane = await local.start({ role: 'control_plane', onWrite: (write) => writes.push(write) });
  assert.deepEqual(await eventsOf(controlPlane, 'PUT', `/services/${SERVICE}`, SERVICE_BODY), [
    push('services:create'),
  ]);
  assert.deepEqual(await eventsOf(controlPlane, 'PUT', `/routes/${ROUTE}`, ROUTE_BODY), [push('routes:create')]);
  assert.deepEqual(await eventsOf(controlPlane, 'PUT', `/routes/${ROUTE}`, ROUTE_BODY), [push('routes:update')]);
  assert.deepEqual(await eventsOf(controlPlane, 'DELETE', `/routes/${ROUTE}`), [push('routes:delete')]);
  assert.deepEqual(writes, [
    { entity: 'services', operation: 'create', id: SERVICE },
    { entity: 'routes', operation: 'create', id: ROUTE },
    { entity: 'routes', operation: 'update', id: ROUTE },
    { entity: 'routes', operation: 'delete', id: ROUTE },
  ]);
});

test('a traditional node drops its own cached keys at once, and others on request', async () => {
  const cached = new Map<string, unknown>([
    ['router:version', 'v1'],
    ['services:1', { id: '1' }],
  ]);
  const node = await local.start({ cache: { peek: (key) => cached.get(key), delete: (key) => cached.delete(key) } });
  assert.deepEqual((await call(node.url, 'GET', '/cache/router:version')).body, { message: 'v1' });
  assert.deepEqual((await call(node.url, 'GET', '/cache/services:1')).body, { id: '1' });
  assert.equal((await call(node.url, 'DELETE', '/cache/services:1')).status, 204);
  assert.equal((await call(node.url, 'GET', '/cache/services:1')).status, 404);
  await call(node.url, 'PUT', '/routes/r', { paths: ['/'] });
  assert.equal((await call(node.url, 'GET', '/cache/router:version')).status, 404);
});

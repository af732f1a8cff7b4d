import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { afterEach, test } from 'node:test';
import { AppError } from '../../shared/errors.ts';
import { adminClient } from '../../shared/kong/admin.ts';
import type { AdminClient } from '../../shared/kong/admin.ts';
import { nodesAt } from '../../shared/kong/admin-nodes.ts';
import type { AdminNodes } from '../../shared/kong/admin-nodes.ts';
import type { KongConfig } from '../../shared/config.ts';

interface Received {
  readonly method: string;
  readonly url: string;
  readonly token: string | undefined;
  readonly body: string;
}

interface FakeNode {
  readonly url: string;
  readonly received: Received[];
  /** Connections that were opened. */
  readonly connections: () => number;
}

type Answer = (request: Received, count: number, response: ServerResponse) => void;

const servers: Server[] = [];
const clients: AdminClient[] = [];

afterEach(async () => {
  for (const made of clients.splice(0)) made.close();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
});

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString();
}

async function node(answer: Answer): Promise<FakeNode> {
  const received: Received[] = [];
  let connections = 0;
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const token = request.headers['kong-admin-token'];
      const entry = {
        method: request.method ?? '',
        url: request.url ?? '',
        token: typeof token === 'string' ? token : undefined,
        body,
      };
      received.push(entry);
      answer(entry, received.length, response);
    });
  });
  server.on('connection', () => (connections += 1));
  server.listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return { url: `http://127.0.0.1:${address.port}`, received, connections: () => connections };
}

function json(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

function client(nodes: readonly FakeNode[], more: Partial<KongConfig> = {}, found?: AdminNodes): AdminClient {
  const config: KongConfig = {
    adminUrls: nodes.map((item) => item.url),
    adminToken: undefined,
    workspace: '',
    filterTags: ['ours'],
    databaseUrl: 'postgres://unused',
    stateDatabaseUrl: 'postgres://unused',
    adminConcurrency: 4,
    adminTimeoutMs: 2_000,
    ...more,
  };
  const made = found === undefined ? adminClient(config) : adminClient(config, undefined, found);
  clients.push(made);
  return made;
}

const hasCode =
  (code: string) =>
  (error: unknown): boolean =>
    error instanceof AppError && error.code === code;

const ID = '11111111-2222-5333-8444-555555555555';

test('requests carry the token, the workspace and Kong’s own paths, on few kept connections', async () => {
  const kong = await node((_request, _count, response) => json(response, 200, { id: ID }));
  const admin = client([kong], { adminToken: 'top-secret', workspace: 'team a', adminConcurrency: 2 });
  await Promise.all([
    admin.put('keyauth_credentials', ID, { key: 'k' }),
    admin.put('routes', ID, { name: 'r' }),
    admin.createTarget('u', { target: 't' }),
    admin.updateTarget('u', ID, { weight: 1 }),
    admin.remove('targets', ID, 'u'),
    admin.get('basicauth_credentials', ID),
  ]);
  assert.deepEqual(kong.received.map((r) => `${r.method} ${r.url}`).toSorted(), [
    `DELETE /team%20a/upstreams/u/targets/${ID}`,
    `GET /team%20a/basic-auths/${ID}`,
    `PATCH /team%20a/upstreams/u/targets/${ID}`,
    'POST /team%20a/upstreams/u/targets',
    `PUT /team%20a/key-auths/${ID}`,
    `PUT /team%20a/routes/${ID}`,
  ]);
  assert.ok(kong.received.every((r) => r.token === 'top-secret'));
  assert.equal(kong.connections(), 2);
  assert.equal(admin.requests(), 6);
});

for (const status of [429, 500, 503]) {
  test(`${status} is repeated until it passes`, async () => {
    const kong = await node((_request, count, response) =>
      count < 3
        ? json(response, status, { message: 'later' }, { 'retry-after': '0' })
        : json(response, 200, { id: ID }),
    );
    const admin = client([kong]);
    assert.deepEqual(await admin.put('services', ID, { host: 'h' }), { ok: true, body: { id: ID } });
    assert.equal(admin.requests(), 3);
  });
}

test('what never passes is KONG_UNAVAILABLE after a bounded number of requests', async () => {
  const kong = await node((_request, _count, response) => json(response, 503, {}, { 'retry-after': '0' }));
  const admin = client([kong]);
  await assert.rejects(admin.put('services', ID, { host: 'h' }), hasCode('KONG_UNAVAILABLE'));
  assert.equal(admin.requests(), 5);
});

test('a node that cuts the connection is left for the next one, which is then kept', async () => {
  const broken = await node((_request, _count, response) => response.destroy());
  const good = await node((_request, _count, response) => json(response, 200, { id: ID }));
  const admin = client([broken, good]);
  await admin.put('services', ID, { host: 'h' });
  await admin.put('services', ID, { host: 'h' });
  assert.equal(broken.received.length, 1);
  assert.equal(good.received.length, 2);
});

test('a node whose proxy or database fails is left for the next one', async () => {
  const failing = await node((_request, _count, response) => json(response, 503, {}, { 'retry-after': '0' }));
  const good = await node((_request, _count, response) => json(response, 200, { id: ID }));
  const admin = client([failing, good]);
  await admin.put('services', ID, { host: 'h' });
  await admin.put('services', ID, { host: 'h' });
  assert.deepEqual([failing.received.length, good.received.length], [1, 2]);
});

function takesAll(_request: Received, _count: number, response: ServerResponse): void {
  json(response, 200, { id: ID });
}

test('one node takes all requests, also after others appeared before it, until it is gone', async () => {
  const [a, b, c] = await Promise.all([node(takesAll), node(takesAll), node(takesAll)]);
  let listed = [b];
  const nodes = { list: () => Promise.resolve(nodesAt(listed.map(({ url }) => url))), unanswered: () => undefined };
  const admin = client([], {}, nodes);
  for (const now of [[b], [a, b, c], [a, c]]) {
    listed = now;
    await Promise.all([admin.put('services', ID, {}), admin.put('services', ID, {})]);
  }
  assert.deepEqual([a.received.length, b.received.length, c.received.length], [2, 4, 0]);
});

test('no node at all is KONG_UNREACHABLE, with neither token nor body in the error', async () => {
  const broken = await node((_request, _count, response) => response.destroy());
  const admin = client([broken], { adminToken: 'top-secret' });
  await assert.rejects(admin.put('basicauth_credentials', ID, { password: 'hunter2' }), (error: unknown) => {
    assert.ok(error instanceof AppError);
    assert.equal(error.code, 'KONG_UNREACHABLE');
    assert.equal(error.info.retryable, true);
    assert.doesNotMatch(JSON.stringify(error, Object.getOwnPropertyNames(error)), /top-secret|hunter2/);
    assert.equal(error.cause, undefined);
    return true;
  });
});

test('a node that does not answer in time counts as unreachable', async () => {
  const silent = await node(() => undefined);
  const good = await node((_request, _count, response) => json(response, 200, { id: ID }));
  const admin = client([silent, good], { adminTimeoutMs: 50 });
  assert.equal((await admin.put('services', ID, { host: 'h' })).ok, true);
});

const refusals = [
  {
    title: 'a schema violation of a route is shown in Kong’s words',
    type: 'routes',
    status: 400,
    body: {
      code: 2,
      name: 'schema violation',
      fields: { paths: ['should start with: /'] },
      message: 'schema violation (paths.1: should start with: /)',
    },
    expected: {
      status: 400,
      code: 2,
      name: 'schema violation',
      fields: ['paths'],
      message: 'schema violation (paths.1: should start with: /)',
    },
  },
  {
    title: 'a unique violation of a key does not repeat the key',
    type: 'keyauth_credentials',
    status: 409,
    body: {
      code: 5,
      name: 'unique constraint violation',
      fields: { key: 'secret1' },
      message: `UNIQUE violation detected on '{key="secret1"}'`,
    },
    expected: {
      status: 409,
      code: 5,
      name: 'unique constraint violation',
      fields: ['key'],
      message: 'unique constraint violation (key)',
    },
  },
  {
    title: 'a plugin’s fields are named, its values are not',
    type: 'plugins',
    status: 400,
    body: {
      code: 2,
      name: 'schema violation',
      fields: { config: { redis: { password: 'bad hunter2' }, minute: 'expected a number' } },
      message: 'hunter2',
    },
    expected: {
      status: 400,
      code: 2,
      name: 'schema violation',
      fields: ['config.minute', 'config.redis.password'],
      message: 'schema violation (config.minute, config.redis.password)',
    },
  },
  {
    title: 'an answer without Kong’s error body',
    type: 'services',
    status: 415,
    body: '<html>',
    expected: { status: 415, code: undefined, name: 'HTTP 415', fields: [], message: 'HTTP 415' },
  },
] as const;

for (const { title, type, status, body, expected } of refusals) {
  test(`refusal: ${title}`, async () => {
    const kong = await node((_request, _count, response) => json(response, status, body));
    const admin = client([kong]);
    assert.deepEqual(await admin.put(type, ID, {}), { ok: false, rejection: expected });
    assert.equal(admin.requests(), 1, 'a refusal is not repeated');
  });
}

test('401 and 403 are our own fault, not the entity’s', async () => {
  const kong = await node((_request, count, response) => json(response, count === 1 ? 401 : 403, { message: 'no' }));
  const admin = client([kong]);
  await assert.rejects(admin.put('services', ID, {}), hasCode('KONG_UNAUTHORIZED'));
  await assert.rejects(admin.get('services', ID), hasCode('KONG_UNAUTHORIZED'));
});

test('what is gone counts as deleted, and as undefined', async () => {
  const kong = await node((_request, _count, response) => json(response, 404, { message: 'Not found' }));
  const admin = client([kong]);
  assert.equal((await admin.remove('targets', ID, 'u')).ok, true);
  assert.equal(await admin.get('routes', ID), undefined);
  assert.equal(await admin.schema('plugins/nope'), undefined);
});

test('list follows the pages; a page that fails is an error and never an end', async () => {
  const kong = await node((request, _count, response) => {
    if (request.url.startsWith('/services?offset=')) json(response, 404, { message: 'Not found' });
    else json(response, 200, { data: [{ id: 'a' }], next: '/services?offset=x' });
  });
  const seen: string[] = [];
  await assert.rejects(async () => {
    for await (const page of client([kong]).list('services', ['ours', 'k8s:x y']))
      seen.push(...page.map((body) => JSON.stringify(body.id)));
  }, hasCode('KONG_ANSWER_INVALID'));
  assert.deepEqual(seen, ['"a"']);
  assert.equal(kong.received[0]?.url, '/services?size=1000&tags=ours,k8s%3Ax%20y');
});

test('schemas are fetched once, a failed fetch is forgotten', async () => {
  const kong = await node((_request, count, response) =>
    count === 1 ? json(response, 200, 'nonsense') : json(response, 200, { fields: [{ name: { type: 'string' } }] }),
  );
  const admin = client([kong]);
  await assert.rejects(admin.schema('routes'), hasCode('KONG_ANSWER_INVALID'));
  const [first, second] = await Promise.all([admin.schema('routes'), admin.schema('routes')]);
  assert.equal(first, second);
  assert.equal(first?.fields.get('name')?.type, 'string');
  assert.equal(admin.requests(), 2);
});

test('root reads the settings that decide how soon a change is served', async () => {
  const kong = await node((_request, _count, response) =>
    json(response, 200, {
      version: '3.9.3',
      edition: 'community',
      node_id: ID,
      plugins: { available_on_server: { cors: {}, acl: {} } },
      configuration: {
        role: 'control_plane',
        database: 'postgres',
        db_update_frequency: 0.5,
        router_flavor: 'expressions',
      },
    }),
  );
  const root = await client([kong]).root();
  assert.equal(root.role, 'control_plane');
  assert.equal(root.dbUpdateFrequency, 0.5);
  assert.equal(root.workerStateUpdateFrequency, 5);
  assert.equal(root.routerFlavor, 'expressions');
  assert.deepEqual(root.plugins, ['acl', 'cors']);
});

const strangers = [
  { title: 'a redirect', status: 301, body: {} },
  { title: 'the 404 of Kong’s proxy', status: 404, body: { message: 'no Route matched with those values' } },
  { title: 'the 404 page of another server', status: 404, body: 'not here' },
  { title: 'a 501', status: 501, body: {} },
];

for (const { title, status, body } of strangers) {
  test(`${title} is no answer about an entity: nothing is taken for missing, deleted or rejected`, async () => {
    const other = await node((_request, _count, response) => json(response, status, body));
    const admin = client([other]);
    await assert.rejects(admin.put('services', ID, {}), hasCode('KONG_ANSWER_INVALID'));
    await assert.rejects(admin.remove('services', ID), hasCode('KONG_ANSWER_INVALID'));
    await assert.rejects(admin.get('services', ID), hasCode('KONG_ANSWER_INVALID'));
  });
}

test('something that is not Kong is KONG_ANSWER_INVALID', async () => {
  const other = await node((_request, _count, response) => json(response, 200, { hello: 'world' }));
  await assert.rejects(client([other]).root(), hasCode('KONG_ANSWER_INVALID'));
});

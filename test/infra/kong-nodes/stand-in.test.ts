import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startKong } from '../../../infra/local/kong/index.ts';
import type { KongStandIn, NodeSettings } from '../../../infra/local/kong/index.ts';
import { EMPTY_HASH, exportSnapshot } from '../../../infra/local/kong/nodes/snapshot.ts';
import { AppError } from '../../../shared/errors.ts';
import { call, startBackend, until } from './client.ts';
import type { Answer } from './client.ts';
import { kongDatabase } from './database.ts';
import type { KongDatabase } from './database.ts';
import { uuid } from './fixtures.ts';

let database: KongDatabase;
let backend: { port: number; stop(): Promise<void> };

before(async () => {
  database = await kongDatabase();
  backend = await startBackend('shop');
});

after(async () => {
  await backend.stop();
  await database.stop();
});

const QUICK: Partial<NodeSettings> = {
  dbUpdateFrequencySeconds: 0.1,
  workerStateUpdateFrequencySeconds: 0.1,
  rebuildDelaysMs: [0, 20],
  pingTickMs: 20,
  reconnectSeconds: 0.1,
};

async function put(
  kong: KongStandIn,
  path: string,
  body: unknown,
  method = 'PUT',
  adminUrl = kong.adminUrl,
): Promise<Answer> {
  const headers = { 'content-type': 'application/json' };
  const answer = await call(`${adminUrl}${path}`, { method, headers, body: JSON.stringify(body) });
  assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.body}`);
  return answer;
}

async function served(url: string, path: string, status: number): Promise<void> {
  await until(`${status} on ${path}`, async () => {
    const answers = await Promise.all(Array.from({ length: 4 }, () => call(`${url}${path}`)));
    return answers.every((answer) => answer.status === status) ? true : undefined;
  });
}

async function configure(kong: KongStandIn): Promise<void> {
  await put(kong, `/upstreams/${uuid(1)}`, { name: 'shop.apps.80.svc' });
  await put(kong, `/upstreams/${uuid(1)}/targets`, { target: `127.0.0.1:${backend.port}` }, 'POST');
  await put(kong, `/services/${uuid(2)}`, { name: 'shop', host: 'shop.apps.80.svc', protocol: 'http' });
  await put(kong, `/routes/${uuid(3)}`, { name: 'shop', service: { id: uuid(2) }, paths: ['/shop'] });
}

for (const topology of ['hybrid', 'traditional'] as const) {
  test(`${topology}: what the Admin API takes, every node serves until it is deleted`, async () => {
    await database.clear();
    const lines: string[] = [];
    const kong = await startKong({
      databaseUrl: database.url,
      topology,
      settings: QUICK,
      log: (line) => lines.push(line),
    });
    try {
      assert.match(lines.join(), /stand-in Kong \(not Kong Gateway\)/);
      assert.equal(kong.nodes.length, 2);
      await configure(kong);
      for (const node of kong.nodes) await served(node.proxyUrl, '/shop', 200);
      const plugin = { name: 'request-termination', route: { id: uuid(3) }, config: { status_code: 418 } };
      await put(kong, `/plugins/${uuid(4)}`, plugin);
      for (const node of kong.nodes) await served(node.proxyUrl, '/shop', 418);
      await put(kong, `/routes/${uuid(3)}`, undefined, 'DELETE');
      for (const node of kong.nodes) await served(node.proxyUrl, '/shop', 404);
    } finally {
      await kong.stop();
    }
    await assert.rejects(call(`${kong.adminUrl}/`));
  });
}

test('hybrid: the data planes report one hash, which their Status API shows too', async () => {
  await database.clear();
  const kong = await startKong({
    databaseUrl: database.url,
    topology: 'hybrid',
    settings: QUICK,
    log: () => undefined,
  });
  try {
    await configure(kong);
    for (const node of kong.nodes) await served(node.proxyUrl, '/shop', 200);
    const hashes = await until('agreement', async () => {
      const answer = await call(`${kong.adminUrl}/clustering/data-planes`);
      const { data }: { data: { config_hash: string; id: string }[] } = JSON.parse(answer.body);
      const statuses = await Promise.all(kong.nodes.map((node) => call(`${node.statusUrl}/status`)));
      const shown = statuses.map(({ body }): string => JSON.parse(body).configuration_hash);
      const all = new Set([...data.map((row) => row.config_hash), ...shown]);
      return data.length === 2 && all.size === 1 ? [...all] : undefined;
    });
    assert.match(hashes[0] ?? '', /^[0-9a-f]{32}$/);
    for (const node of kong.nodes) assert.equal((await call(`${node.statusUrl}/status/ready`)).status, 200);
  } finally {
    await kong.stop();
  }
});

test('traditional: a target takes effect at once on the node that was asked; DELETE /cache reaches another one', async () => {
  await database.clear();
  const settings = { ...QUICK, dbUpdateFrequencySeconds: 3600 };
  const kong = await startKong({ databaseUrl: database.url, topology: 'traditional', settings, log: () => undefined });
  try {
    const [first, second] = kong.nodes;
    assert.ok(first !== undefined && second !== undefined);
    await put(kong, `/upstreams/${uuid(1)}`, { name: 'shop.apps.80.svc' });
    await put(kong, `/services/${uuid(2)}`, { name: 'shop', host: 'shop.apps.80.svc', protocol: 'http' });
    await put(kong, `/routes/${uuid(3)}`, { name: 'shop', service: { id: uuid(2) }, paths: ['/shop'] });
    await served(first.proxyUrl, '/shop', 503);
    await put(kong, `/upstreams/${uuid(1)}/targets`, { target: `127.0.0.1:${backend.port}` }, 'POST');
    await served(first.proxyUrl, '/shop', 200);
    const version = (await call(`${second.adminUrl}/cache/router:version`)).body;
    await served(second.proxyUrl, '/shop', 404);
    const dropped = await call(`${second.adminUrl}/cache/router:version`, { method: 'DELETE' });
    assert.equal(dropped.status, 204);
    // The route is there now; the upstream, which no cache key stands for, still waits for the poll.
    await served(second.proxyUrl, '/shop', 503);
    assert.notEqual((await call(`${second.adminUrl}/cache/router:version`)).body, version);
  } finally {
    await kong.stop();
  }
});

for (const topology of ['hybrid', 'traditional'] as const) {
  test(`${topology}: a node that stopped refuses connections and comes back on its addresses`, async () => {
    await database.clear();
    const kong = await startKong({ databaseUrl: database.url, topology, settings: QUICK, log: () => undefined });
    try {
      await configure(kong);
      const node = kong.nodes[1];
      assert.ok(node !== undefined);
      await served(node.proxyUrl, '/shop', 200);
      await node.stop();
      await assert.rejects(call(node.proxyUrl));
      await assert.rejects(call(node.statusUrl));
      await node.start();
      await served(node.proxyUrl, '/shop', 200);
      await served(node.proxyTlsUrl, '/shop', 200);
    } finally {
      await kong.stop();
    }
  });
}

test('hybrid: started again on the same database, the data planes are the same', async () => {
  await database.clear();
  const options = { databaseUrl: database.url, topology: 'hybrid', settings: QUICK, log: () => undefined } as const;
  const ids: string[][] = [];
  for (let round = 0; round < 2; round += 1) {
    const kong = await startKong(options);
    try {
      await until('both rows', async () => {
        const { rowCount } = await database.pool.query('SELECT 1 FROM clustering_data_planes');
        return rowCount === 2 ? true : undefined;
      });
      ids.push(kong.nodes.map((node) => node.id));
    } finally {
      await kong.stop();
    }
  }
  assert.deepEqual(ids[1], ids[0]);
  assert.equal(new Set(ids[0]).size, 2);
});

test('a start that fails says why and leaves nothing running', async () => {
  const taken = await startBackend('taken');
  const options = {
    databaseUrl: database.url,
    topology: 'traditional',
    settings: QUICK,
    log: () => undefined,
  } as const;
  await assert.rejects(startKong({ ...options, adminPort: taken.port }), (error) => {
    assert.ok(error instanceof AppError);
    assert.equal(error.code, 'KONG_STAND_IN_FAILED');
    assert.match(error.message, /EADDRINUSE/);
    return true;
  });
  await taken.stop();
  const kong = await startKong({ ...options, adminPort: taken.port });
  assert.equal(kong.adminUrl, `http://127.0.0.1:${taken.port}`);
  await kong.stop();
});

test('hybrid: the data planes first agree on a half-written change, and only later on the whole one', async () => {
  await database.clear();
  const settings = { ...QUICK, dbUpdateFrequencySeconds: 1.5 };
  const kong = await startKong({ databaseUrl: database.url, topology: 'hybrid', settings, log: () => undefined });
  try {
    const agreed = async (other: readonly string[]): Promise<string> =>
      until('another agreement', async () => {
        const { rows } = await database.pool.query<{ hash: string }>(
          'SELECT config_hash AS hash FROM clustering_data_planes',
        );
        const [hash = ''] = rows.map((row) => row.hash);
        const same = rows.length === 2 && rows.every((row) => row.hash === hash);
        return same && !other.includes(hash) ? hash : undefined;
      });
    const initial = await agreed([EMPTY_HASH]);
    await configure(kong);
    const { hash: whole } = await exportSnapshot(database.pool);
    const partial = await agreed([EMPTY_HASH, initial]);
    assert.notEqual(partial, whole);
    assert.equal(await agreed([EMPTY_HASH, initial, partial]), whole);
  } finally {
    await kong.stop();
  }
});

for (const topology of ['hybrid', 'traditional'] as const) {
  test(`${topology}: connections to the database that break are made again`, async () => {
    await database.clear();
    const kong = await startKong({ databaseUrl: database.url, topology, settings: QUICK, log: () => undefined });
    try {
      await until('connections', async () => {
        const cut = await database.pool.query(
          `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'kong' AND datname = current_database()`,
        );
        return (cut.rowCount ?? 0) > 0 ? true : undefined;
      });
      await until('the Admin API', async () =>
        (await call(`${kong.adminUrl}/services`)).status === 200 ? true : undefined,
      );
      await configure(kong);
      for (const node of kong.nodes) await served(node.proxyUrl, '/shop', 200);
    } finally {
      await kong.stop();
    }
  });
}

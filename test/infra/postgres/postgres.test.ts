import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { standInDirectory } from '../../../infra/local/postgres/account.ts';
import { startPostgres } from '../../../infra/local/postgres.ts';
import type { Postgres } from '../../../infra/local/postgres.ts';
import { AppError } from '../../../shared/errors.ts';

let base: string;

before(async () => {
  base = await mkdtemp(join(tmpdir(), 'postgres-test-'));
  await chmod(base, 0o755);
});

after(() => rm(base, { recursive: true, force: true }));

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof AppError && error.code === code;
}

async function withServer(directory: string, use: (server: Postgres) => Promise<void>): Promise<void> {
  const server = await startPostgres({ directory });
  try {
    await use(server);
  } finally {
    await server.stop();
  }
}

test('a restart keeps data and password, and stop may be called twice', async () => {
  const directory = join(base, 'restart', 'deep');
  let password = '';
  await withServer(directory, async (server) => {
    await query(server.url, 'CREATE TABLE kept AS SELECT 1 AS one');
    password = new URL(server.url).password;
  });
  await withServer(directory, async (server) => {
    assert.deepEqual(await query(server.url, 'SELECT one FROM kept'), [{ one: 1 }]);
    assert.equal(new URL(server.url).password, password);
    await server.stop();
  });
  const log = await readFile(join(directory, 'postgres.log'), 'utf8');
  assert.ok(!log.includes(password));
});

test('it listens on loopback with a password and without a socket file', async () => {
  await withServer(join(base, 'listen'), async (server) => {
    const settings = await query(
      server.url,
      `SELECT name, setting FROM pg_settings WHERE name IN ('listen_addresses', 'unix_socket_directories') ORDER BY 1`,
    );
    assert.deepEqual(settings, [
      { name: 'listen_addresses', setting: '127.0.0.1' },
      { name: 'unix_socket_directories', setting: '' },
    ]);
    const open = new URL(server.url);
    open.password = 'wrong';
    await assert.rejects(query(open.href, 'SELECT 1'), { code: '28P01' });
    const outside = Object.values(networkInterfaces())
      .flatMap((list) => list ?? [])
      .filter((address) => !address.internal && address.family === 'IPv4');
    for (const { address } of outside) {
      const url = new URL(server.url);
      url.hostname = address;
      await assert.rejects(query(url.href, 'SELECT 1'), { code: 'ECONNREFUSED' });
    }
  });
});

test('two sessions are really two: an advisory lock excludes the other', async () => {
  await withServer(join(base, 'sessions'), async (server) => {
    const first = new pg.Client({ connectionString: server.url });
    await first.connect();
    await first.query('SELECT pg_advisory_lock(1)');
    assert.deepEqual(await query(server.url, 'SELECT pg_try_advisory_lock(1) AS got'), [{ got: false }]);
    await first.end();
  });
});

test('a server ends soon after the process that started it was killed, and keeps its data', async () => {
  const directory = join(base, 'killed');
  const child = fork(join(import.meta.dirname, 'start.ts'), [directory], { stdio: 'inherit' });
  const [message]: unknown[] = await once(child, 'message');
  assert.ok(typeof message === 'string');
  await query(message, 'CREATE TABLE written AS SELECT 1 AS one');
  child.kill('SIGKILL');
  const deadline = Date.now() + 20_000;
  const answers = (): Promise<boolean> => query(message, 'SELECT 1').then(Boolean, () => false);
  while (await answers()) assert.ok(Date.now() < deadline, 'the server still runs');
  await withServer(directory, async (server) => {
    assert.deepEqual(await query(server.url, 'SELECT one FROM written'), [{ one: 1 }]);
  });
});

test('a server whose owner still runs is left alone', async () => {
  const directory = join(base, 'in-use');
  await withServer(directory, async (server) => {
    await assert.rejects(startPostgres({ directory }), hasCode('LOCAL_DIRECTORY_IN_USE'));
    assert.deepEqual(await query(server.url, 'SELECT 1 AS one'), [{ one: 1 }]);
  });
});

test('a pid file that names a process which is not ours harms nobody', async () => {
  const directory = join(base, 'stale');
  await withServer(directory, async () => undefined);
  await writeFile(join(directory, 'data', 'postmaster.pid'), `${process.pid}\n${directory}/data\n`);
  await withServer(directory, async (server) => {
    assert.deepEqual(await query(server.url, 'SELECT 1 AS one'), [{ one: 1 }]);
  });
});

test('a set-up that was cut short is done again', async () => {
  const directory = join(base, 'cut');
  await mkdir(join(directory, 'data.new', 'base'), { recursive: true });
  await withServer(directory, async (server) => {
    assert.deepEqual(await query(server.url, 'SELECT 1 AS one'), [{ one: 1 }]);
  });
  assert.ok(!(await readdir(directory)).includes('data.new'));
});

test('an occupied port is an error with the reason', async () => {
  const occupant = createServer().listen(0, '127.0.0.1');
  await once(occupant, 'listening');
  const address = occupant.address();
  assert.ok(address !== null && typeof address === 'object');
  await assert.rejects(startPostgres({ directory: join(base, 'port'), port: address.port }), (error: unknown) => {
    assert.ok(hasCode('POSTGRES_FAILED')(error) && error instanceof Error);
    assert.match(error.message, /Address already in use/);
    return true;
  });
  occupant.close();
  await once(occupant, 'close');
});

test('a directory that only its owner may enter works, and keeps its data', async () => {
  const directory = join(base, 'closed', 'state');
  await mkdir(directory, { recursive: true });
  await chmod(join(base, 'closed'), 0o700);
  try {
    await withServer(directory, async (server) => {
      await query(server.url, 'CREATE TABLE kept AS SELECT 1 AS one');
    });
    await withServer(directory, async (server) => {
      assert.deepEqual(await query(server.url, 'SELECT one FROM kept'), [{ one: 1 }]);
    });
  } finally {
    await rm(await standInDirectory(directory), { recursive: true, force: true });
  }
});

import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import fc from 'fast-check';
import pg from 'pg';
import { acquire, commit, migrate, type Lock, type Memory } from '../../shared/index/index.ts';
import { MIGRATIONS } from '../../shared/index/migrations.ts';
import { affected } from '../../shared/index/affected.ts';
import { literal } from '../../shared/index/lock.ts';
import { temporaryPostgres, type TemporaryPostgres } from '../support/postgres.ts';

let server: TemporaryPostgres;
let pool: pg.Pool;
before(async () => {
  server = await temporaryPostgres();
  pool = new pg.Pool({ connectionString: await server.createDatabase('locks'), max: 8 });
  pool.on('error', () => undefined);
});
after(async () => {
  await pool.end();
  await server.stop();
});

const take = (waitMs = 10_000, name = 'control-plane/'): Promise<Lock> =>
  acquire(pool, { statements: 0 }, { name, waitMs });

const NOTHING: Memory = {
  cluster: 'default',
  roots: [],
  gone: [],
  told: new Map(),
  provides: new Map(),
  met: new Map(),
  pending: [],
  endpoints: [],
  readBack: [],
  changes: [],
  entities: [],
  dropped: [],
  released: [],
  rejected: [],
  intents: [],
  revision: undefined,
};

test('the schema is made once, also when several functions start at once', async () => {
  await Promise.all(Array.from({ length: 6 }, () => migrate(pool)));
  await migrate(pool);
  const { rows } = await pool.query<{ version: number }>(
    'SELECT version FROM kong_ingress.migrations ORDER BY version',
  );
  assert.deepEqual(
    rows.map((row) => row.version),
    MIGRATIONS.map((_, n) => n + 1),
  );
});

test('a literal is read as the text that it was made of, whatever the server takes a backslash for', async () => {
  const client = await pool.connect();
  try {
    for (const conforming of ['on', 'off']) {
      await client.query(`SET standard_conforming_strings = ${conforming}`);
      const texts = fc.string({
        unit: fc.constantFrom("'", '\\', '"', '$1', 'é', '\u{1f600}', '\n', 'x'),
        maxLength: 12,
      });
      await fc.assert(
        fc.asyncProperty(texts, async (text) => {
          const { rows } = await client.query<{ text: string }>(`SELECT ${literal(text)} AS text`);
          assert.equal(rows[0]?.text, text);
        }),
        { numRuns: 200 },
      );
    }
  } finally {
    client.release(true);
  }
});

test('an index of a newer release, or of another cluster, is not touched', async () => {
  const other = new pg.Pool({ connectionString: await server.createDatabase('newer') });
  try {
    await migrate(other);
    await other.query('INSERT INTO kong_ingress.migrations (version) VALUES (999)');
    await assert.rejects(migrate(other), { code: 'INDEX_TOO_NEW' });
    await other.query("INSERT INTO kong_ingress.meta VALUES ('cluster', 'prod')");
    await assert.rejects(affected(other, 'test', []), { code: 'INDEX_OTHER_CLUSTER' });
    assert.deepEqual(
      [...(await affected(other, 'prod', [{ object: 'Service/default/a', version: '1', provides: [] }])).reached],
      [],
    );
  } finally {
    await other.end();
  }
});

test('one holder at a time; who waits too long gives up; another control plane does not wait', async () => {
  const first = await take();
  await assert.rejects(take(50), { code: 'LOCK_BUSY' });
  await (await take(50, 'control-plane/other')).release();
  const second = take();
  await first.release();
  await (await second).release();
  await first.release();
});

test('a broken connection loses the lock: no write may follow, nothing is remembered', async () => {
  const lock = await take();
  await lock.check();
  const { rows } = await lock.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  await pool.query('SELECT pg_terminate_backend($1, 5000)', [rows[0]?.pid]);
  // The end of the connection arrives by itself; asking must fail before and after.
  await assert.rejects(commit(lock, { ...NOTHING, changes: ['Service/default/a'] }));
  await assert.rejects(lock.check(), { code: 'LOCK_LOST' });
  await lock.release();
  const changes = await pool.query('SELECT 1 FROM kong_ingress.changes');
  assert.equal(changes.rows.length, 0);
  await (await take(5_000)).release();
});

test('a commit gives the lock up, and text with quotes, backslashes and dollars survives it', async () => {
  const lock = await take();
  const key = `Service/default/it's \\ "$1" $& \u00e9`;
  const committed = await commit(lock, { ...NOTHING, changes: [key], revision: { changes: 1, clock: undefined } });
  assert.deepEqual(committed, { revision: '1', statuses: [] });
  await (await take(50)).release();
  const { rows } = await pool.query<{ key: string }>('SELECT key FROM kong_ingress.changes');
  assert.deepEqual(rows, [{ key }]);
});

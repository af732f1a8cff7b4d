import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { migrate } from '../../infra/local/kong/database/migrate.ts';
import { holds } from '../../shared/convergence/content.ts';
import {
  announcements,
  databaseFacts,
  dataPlaneRows,
  invalidations,
  timelineOf,
} from '../../shared/convergence/evidence.ts';
import { fence } from '../../shared/convergence/fence.ts';
import { grantStatements } from '../../shared/convergence/grants.ts';
import type { Revision } from '../../shared/convergence/types.ts';
import { AppError } from '../../shared/errors.ts';
import { temporaryPostgres } from '../support/postgres.ts';
import type { TemporaryPostgres } from '../support/postgres.ts';

let server: TemporaryPostgres;
let owner: pg.Pool;
let poor: pg.Pool;
let role: string;

before(async () => {
  server = await temporaryPostgres();
  const url = await server.createDatabase('kong_grants');
  owner = new pg.Pool({ connectionString: url, max: 2 });
  // Closing connections may still hear that the server stops.
  owner.on('error', () => undefined);
  await migrate(owner);
  role = `converge_${randomUUID().slice(0, 8)}`;
  await owner.query(`CREATE ROLE ${role} LOGIN PASSWORD 'p'`);
  for (const statement of grantStatements(role)) await owner.query(statement);
  const theirs = new URL(url);
  theirs.username = role;
  theirs.password = 'p';
  poor = new pg.Pool({ connectionString: theirs.href, max: 1 });
  poor.on('error', () => undefined);
});

after(async () => {
  await poor.end();
  await owner.end();
  await server.stop();
});

const REVISION: Revision = {
  id: '1',
  changes: 1,
  startedAt: 0,
  writtenAt: 1,
  snapshotXmax: '9',
  convergedAt: undefined,
};
const V2 = [{ hash: `${'0'.repeat(31)}1` }];
const FRAME = { hash: 'h', tables: new Map([['routes', [{ id: randomUUID() }]]]) };

test('the role with the grants of the README runs every reader', async () => {
  const { snapshotXmax } = await databaseFacts(poor);
  const revisions = [{ ...REVISION, snapshotXmax }];
  assert.equal(await timelineOf(poor), 1);
  assert.deepEqual(await dataPlaneRows(poor, revisions), []);
  assert.deepEqual((await announcements(poor, revisions)).at, []);
  assert.deepEqual(await invalidations(poor, revisions), [undefined]);
  assert.equal((await fence(poor, revisions, V2, 0))?.evidence, 'fence');
  await owner.query(
    `INSERT INTO services (id, name, host, ws_id, enabled) SELECT $1, 's', 'h', id, true FROM workspaces`,
    [randomUUID()],
  );
  const { snapshotXmax: later } = await databaseFacts(poor);
  assert.equal(await holds(poor, FRAME, snapshotXmax, later), false);
  assert.equal(await holds(poor, { hash: 'h', tables: new Map() }, undefined, snapshotXmax), true);
});

for (const column of [
  'certificates.key',
  'certificates.cert',
  'plugins.config',
  'keyauth_credentials.key',
  'basicauth_credentials.password',
  'jwt_secrets.secret',
]) {
  test(`the role cannot read ${column}`, async () => {
    const [table = '', name = ''] = column.split('.');
    await assert.rejects(poor.query(`SELECT ${name} FROM ${table}`), { code: '42501' });
  });
}

const gone: readonly (readonly [table: string, read: (pool: pg.Pool) => Promise<unknown>])[] = [
  ['clustering_data_planes', (pool) => dataPlaneRows(pool, [REVISION])],
  ['cluster_events', (pool) => announcements(pool, [REVISION])],
  ['cluster_events', (pool) => invalidations(pool, [REVISION])],
];

for (const [table, read] of gone) {
  test(`without ${table}, and without a grant on it, reading fails with the reason and nothing else`, async () => {
    await owner.query(`REVOKE ALL ON ${table} FROM ${role}`);
    const denied = (error: unknown): boolean =>
      error instanceof AppError && error.code === 'KONG_DATABASE_UNAVAILABLE' && error.message.includes(table);
    await assert.rejects(read(poor), denied);
    await owner.query(`ALTER TABLE ${table} RENAME TO moved`);
    await assert.rejects(read(owner), denied);
    await owner.query(`ALTER TABLE moved RENAME TO ${table}`);
  });
}

test('a Kong without the tables of sync v2, or with columns that came later or not yet, is read all the same', async () => {
  await owner.query('ALTER TABLE clustering_sync_version RENAME TO moved');
  assert.equal(await fence(owner, [REVISION], V2, 0), undefined);
  await owner.query('ALTER TABLE moved RENAME TO clustering_sync_version');
  await owner.query('ALTER TABLE routes DROP COLUMN expression');
  const { snapshotXmax } = await databaseFacts(owner);
  assert.equal(await holds(owner, { hash: 'h', tables: new Map() }, snapshotXmax, snapshotXmax), true);
});

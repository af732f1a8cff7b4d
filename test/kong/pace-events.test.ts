import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { startAdmin, type RunningAdmin } from '../../infra/local/kong/admin/server.ts';
import { migrate } from '../../infra/local/kong/database/migrate.ts';
import type { KongConfig } from '../../shared/config.ts';
import { adminClient, type AdminClient } from '../../shared/kong/admin.ts';
import { actualState } from '../../shared/kong/actual.ts';
import { eventReader, type EventReader, type SentWrite } from '../../shared/kong/pace-events.ts';
import { BURST, pacer, type Pacer } from '../../shared/kong/pacer.ts';
import { apply } from '../../shared/plan/apply.ts';
import type { Change } from '../../shared/plan/types.ts';
import { temporaryPostgres, type TemporaryPostgres } from '../support/postgres.ts';

const now = (): number => performance.now();
const ROLES = ['traditional', 'control_plane'] as const;
/** Of the long plan, beyond the burst. */
const WRITES = 100;

let server: TemporaryPostgres;
let pool: pg.Pool;
const nodes = new Map<string, { readonly running: RunningAdmin; readonly admin: AdminClient }>();
let config: KongConfig;

before(async () => {
  server = await temporaryPostgres();
  const databaseUrl = await server.createDatabase('kong');
  pool = new pg.Pool({ connectionString: databaseUrl, max: 10 });
  pool.on('error', () => undefined);
  await migrate(pool);
  config = {
    adminUrls: [],
    adminToken: undefined,
    workspace: '',
    filterTags: ['ours'],
    databaseUrl,
    stateDatabaseUrl: databaseUrl,
    adminConcurrency: 10,
    adminTimeoutMs: 5_000,
  };
  for (const role of ROLES) {
    const running = await startAdmin({ pool, role, nodeId: randomUUID() });
    nodes.set(role, { running, admin: adminClient({ ...config, adminUrls: [running.url] }) });
  }
});

after(async () => {
  for (const { running, admin } of nodes.values()) {
    admin.close();
    await running.stop();
  }
  await pool.end();
  await server.stop();
});

beforeEach(async () => {
  for (const { running } of nodes.values()) await running.settled();
  await pool.query('TRUNCATE cluster_events');
});

function nodeOf(role: string): { readonly running: RunningAdmin; readonly admin: AdminClient } {
  const node = nodes.get(role);
  assert.ok(node !== undefined);
  return node;
}

/** A service and a route of it, written as a run writes. */
async function write(admin: AdminClient): Promise<readonly SentWrite[]> {
  const [service, route] = [randomUUID(), randomUUID()];
  const first = { type: 'services', id: service, at: now() } as const;
  assert.ok((await admin.put('services', service, { host: 'h' })).ok);
  const second = { type: 'routes', id: route, at: now() } as const;
  assert.ok((await admin.put('routes', route, { paths: ['/'], service: { id: service } })).ok);
  return [first, second];
}

const asked = async (reader: EventReader, writes: readonly SentWrite[]): Promise<number> =>
  (await reader.announced(writes)).size;

for (const role of ROLES) {
  test(`${role}: a write is announced when its event is there, not before`, async () => {
    const { admin, running } = nodeOf(role);
    const reader = eventReader(pool, role, now);
    const writes = await write(admin);
    await running.settled();
    assert.equal(await asked(reader, writes), 2);
    const never = { type: 'routes', id: randomUUID(), at: now() + 60_000 } as const;
    assert.equal(await asked(reader, [never]), 0);
    await write(admin);
    await running.settled();
    const more = await write(admin);
    await running.settled();
    reader.forget();
    assert.equal(await asked(reader, more), 2);
  });

  test(`${role}: events that are missing are missed, and others are not`, async () => {
    const { admin, running } = nodeOf(role);
    const reader = eventReader(pool, role, now);
    const writes = [...(await write(admin)), ...(await write(admin))];
    await running.settled();
    const last = writes.at(-1)?.id ?? '';
    await pool.query(
      `DELETE FROM cluster_events WHERE data LIKE '%' || $1 || '%'
         OR id = (SELECT id FROM cluster_events WHERE channel = 'clustering:push_config' AND data LIKE 'routes:%'
                  ORDER BY at DESC LIMIT 1)`,
      [last],
    );
    const found = await reader.announced(writes);
    assert.deepEqual(
      writes.filter((item) => !found.has(item)).map(({ id }) => id),
      [last],
    );
  });

  test(`${role}: a long plan is paced by what is read, and every write is announced at its end`, async () => {
    const { admin } = nodeOf(role);
    const reader = eventReader(pool, role, now);
    let readings = 0;
    const counted: EventReader = {
      forget: () => reader.forget(),
      announced: (writes) => {
        readings += 1;
        return reader.announced(writes);
      },
    };
    const pace: Pacer = pacer({ events: counted, clock: now, sleep: (ms) => sleep(ms) });
    // The burst is spent at once, so that a slow machine is paced as well.
    for (let spent = 0; spent <= BURST; spent += 1) await pace.admit();
    readings = 0;
    const writer = { admin, actual: actualState(pool, config), concurrency: 10, pace };
    const outcome = await apply({ levels: [services(WRITES)], withheld: [] }, writer);
    assert.equal(outcome.applied.length, WRITES);
    assert.ok(readings > 0);
    const { rows } = await pool.query<{ events: number }>(
      "SELECT count(*)::int AS events FROM cluster_events WHERE data LIKE 'services:%'",
    );
    assert.equal(rows[0]?.events, WRITES);
  });
}

const ROOT = { cluster: 'c', group: '', version: 'v1', kind: 'Ingress', namespace: 'n', name: 'i' };

function services(count: number): readonly Change[] {
  return Array.from({ length: count }, () => {
    const id = randomUUID();
    const entity = { type: 'services' as const, id, body: { host: 'h' }, tags: ['ours'] };
    return { action: 'create' as const, desired: { slot: `services/${id}`, root: ROOT, entity, hash: 'h' } };
  });
}

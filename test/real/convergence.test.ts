import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { kongConfig } from '../../shared/config.ts';
import { connectConvergence } from '../../shared/convergence/connect.ts';
import { converge } from '../../shared/convergence/converge.ts';
import type { Converged, Convergence } from '../../shared/convergence/converge.ts';
import { databaseFacts } from '../../shared/convergence/evidence.ts';
import { migrate } from '../../shared/index/migrate.ts';
import { adminClient } from '../../shared/kong/admin.ts';
import type { AdminClient } from '../../shared/kong/admin.ts';
import { temporaryPostgres } from '../support/postgres.ts';

// `npm run test:real`: against the Kong of KONG_ADMIN_URL and KONG_DATABASE_URL, with the evidence that KONG_CLUSTER_*,
// KONG_STATUS_URLS … set up. It writes a service and a route of its own and removes them; the index is a temporary one.
const { KONG_ADMIN_URL, KONG_DATABASE_URL } = process.env;
const isGiven = KONG_ADMIN_URL !== undefined && KONG_DATABASE_URL !== undefined;

const DEADLINE_MS = 180_000;
const TAG = 'kong-ingress-functions-test';

async function until(run: Convergence, done: (found: Converged) => boolean): Promise<Converged> {
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    const found = await converge(run);
    if (done(found)) return found;
    assert.ok(Date.now() < deadline, JSON.stringify(found.verdicts));
    await delay(250);
  }
}

/** Records what was written as a slice does; gives the revision. */
async function record(run: Convergence, startedAt: number, changes: number): Promise<string> {
  const { now, snapshotXmax } = await databaseFacts(run.kong);
  const { rows } = await run.index.query<{ id: string }>(
    `INSERT INTO kong_ingress.revisions (started_at, written_at, snapshot_xmax, changes)
     VALUES (to_timestamp($1::float8 / 1000), to_timestamp($2::float8 / 1000), $3, $4) RETURNING id::text AS id`,
    [startedAt, now, snapshotXmax, changes],
  );
  return rows[0]?.id ?? '';
}

async function proven(run: Convergence, admin: AdminClient): Promise<Converged> {
  const [service, route] = [randomUUID(), randomUUID()];
  await converge(run);
  const { now } = await databaseFacts(run.kong);
  try {
    await admin.put('services', service, { name: `${TAG}-${service}`, host: 'localhost', tags: [TAG] });
    await admin.put('routes', route, {
      name: `${TAG}-${route}`,
      paths: [`/${route}`],
      service: { id: service },
      tags: [TAG],
    });
    const revision = await record(run, now, 2);
    return await until(run, (found) => found.proven === revision);
  } finally {
    await admin.remove('routes', route);
    await admin.remove('services', service);
  }
}

test('a change is proven on every data plane of the given Kong', { skip: !isGiven }, async (t) => {
  const postgres = await temporaryPostgres();
  const env = { ...process.env, KONG_STATE_DATABASE_URL: await postgres.createDatabase('index') };
  const run = await connectConvergence(env);
  const admin = adminClient(kongConfig(env));
  try {
    await migrate(run.index);
    const found = await proven(run, admin);
    for (const { name, state, evidence, proof, sinceWriteMs } of found.verdicts) {
      t.diagnostic(`${name}: ${state} by ${evidence} (${proof}) ${sinceWriteMs} ms after the write`);
    }
    for (const warning of found.warnings) t.diagnostic(warning);
    assert.ok(found.verdicts.every(({ state, proof }) => state === 'converged' && proof !== undefined));
  } finally {
    admin.close();
    await run.close();
    await postgres.stop();
  }
});

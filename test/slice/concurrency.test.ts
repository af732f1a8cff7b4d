import test, { after, before } from 'node:test';
import fc from 'fast-check';
import pg from 'pg';
import type { ChangeEvent } from '../../shared/events.ts';
import type { KubernetesObject } from '../../shared/kubernetes/resources.ts';
import { reconcile } from '../../shared/reconcile.ts';
import { prepareIndex, runSlice } from '../../shared/slice.ts';
import { cases } from '../support/cases.ts';
import { controlPlane, type ControlPlane } from '../support/control-plane.ts';
import { endpoints, ingress, INGRESS_CLASS, service } from '../support/manifests.ts';
import { assertConverged } from '../support/oracle.ts';
import { temporaryPostgres, type TemporaryPostgres } from '../support/postgres.ts';

const RUNS = cases(8);

let server: TemporaryPostgres;
let plane: ControlPlane;
/** Connections of another process: its slices meet the first one's at the lock. */
let other: pg.Pool;
before(async () => {
  server = await temporaryPostgres();
  plane = await controlPlane(server, 'concurrency');
  await prepareIndex(plane.pool);
  other = new pg.Pool({ connectionString: plane.config.databaseUrl, max: 4 });
  other.on('error', () => undefined);
});
after(async () => {
  await other.end();
  await plane.stop();
  await server.stop();
});

async function listAll(): Promise<{ objects: readonly KubernetesObject[]; requests: number }> {
  return { objects: plane.cluster.objects(), requests: 1 };
}

async function heal(): Promise<void> {
  const settings = { ...plane.dependencies.settings, maxRoots: 2 };
  const dependencies = { ...plane.dependencies, statePool: other, kongPool: other, settings };
  await reconcile({ dependencies, list: listAll, remainingMs: () => 60_000, force: true });
}

type Act = {
  readonly kind: 'ingress' | 'remove' | 'endpoints' | 'service' | 'reconcile' | 'foreign';
  readonly n: number;
  readonly variant: number;
};

function change({ kind, n, variant }: Act): ChangeEvent | undefined {
  const { cluster } = plane;
  if (kind === 'ingress') return cluster.put(ingress(`web-${n}`, [`a${n}.test /${variant} s${variant % 2} 80`]));
  if (kind === 'endpoints') return cluster.put(endpoints(`s${n % 2}`, [`10.0.0.${variant}`, '10.0.1.1']));
  if (kind === 'service')
    return cluster.put(service(`s${n % 2}`, 80, { 'konghq.com/read-timeout': String(1000 + variant) }));
  if (cluster.get(`Ingress/default/web-${n}`) === undefined) return undefined;
  return cluster.remove('Ingress', 'default', `web-${n}`);
}

/** Lets the other runs come in between, in an order that differs from case to case. */
async function act(item: Act): Promise<void> {
  for (let turn = 0; turn < item.variant; turn += 1) await new Promise(setImmediate);
  if (item.kind === 'reconcile') return heal();
  if (item.kind === 'foreign') {
    await plane.pool.query('UPDATE services SET retries = $1 WHERE name LIKE $2', [
      item.variant,
      `default.s${item.n % 2}%`,
    ]);
    return;
  }
  const event = change(item);
  if (event !== undefined) await runSlice({ changes: [event] }, plane.dependencies);
}

function acts(kinds: readonly Act['kind'][]): fc.Arbitrary<Act[]> {
  const one = fc.record({ kind: fc.constantFrom(...kinds), n: fc.nat(4), variant: fc.integer({ min: 1, max: 9 }) });
  return fc.array(one, { minLength: 4, maxLength: 14 });
}

async function start(): Promise<void> {
  for (const { kind, metadata } of plane.cluster.objects()) {
    plane.cluster.remove(kind, metadata.namespace ?? '', metadata.name);
  }
  plane.cluster.put(INGRESS_CLASS);
  for (const name of ['s0', 's1']) {
    plane.cluster.put(service(name));
    plane.cluster.put(endpoints(name, ['10.0.1.1']));
  }
  for (let n = 0; n < 3; n += 1) plane.cluster.put(ingress(`web-${n}`, [`a${n}.test / s${n % 2} 80`]));
  await heal();
}

test('syncs and reconciles at once: what is newest stays, without a further run', async (context) => {
  const arbitrary = acts(['ingress', 'ingress', 'remove', 'endpoints', 'service', 'reconcile', 'reconcile']);
  const report = await fc.check(
    fc.asyncProperty(arbitrary, async (all) => {
      await start();
      await Promise.all(all.map(act));
      await assertConverged(plane);
    }),
    { numRuns: RUNS },
  );
  context.diagnostic(`${report.numRuns} interleavings, seed ${report.seed}`);
  if (report.failed) throw new Error(fc.defaultReportMessage(report), { cause: report.errorInstance });
});

test('with a foreign writer in between, one reconcile puts everything right', async (context) => {
  const arbitrary = acts(['ingress', 'remove', 'endpoints', 'service', 'reconcile', 'foreign', 'foreign']);
  const report = await fc.check(
    fc.asyncProperty(arbitrary, async (all) => {
      await start();
      await Promise.all(all.map(act));
      await heal();
      await assertConverged(plane);
    }),
    { numRuns: RUNS },
  );
  context.diagnostic(`${report.numRuns} interleavings, seed ${report.seed}`);
  if (report.failed) throw new Error(fc.defaultReportMessage(report), { cause: report.errorInstance });
});

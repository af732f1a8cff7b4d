import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import type { ChangeEvent } from '../../shared/events.ts';
import type { KubernetesObject, Secret } from '../../shared/kubernetes/resources.ts';
import { reconcile } from '../../shared/reconcile.ts';
import { prepareIndex, runSlice } from '../../shared/slice.ts';
import { controlPlane, type ControlPlane } from '../support/control-plane.ts';
import { Mortal, mortalDependencies, type CrashPoint } from '../support/crash.ts';
import { endpoints, ingress, INGRESS_CLASS, service } from '../support/manifests.ts';
import { assertConverged } from '../support/oracle.ts';
import { temporaryPostgres, type TemporaryPostgres } from '../support/postgres.ts';
import { tlsSecret } from '../support/tls.ts';

let server: TemporaryPostgres;
let plane: ControlPlane;
let secrets: readonly Secret[];
before(async () => {
  secrets = [await tlsSecret('old-tls', 'stays.test'), await tlsSecret('new-tls', 'stays.test')];
  server = await temporaryPostgres();
  plane = await controlPlane(server, 'crashes');
  await prepareIndex(plane.pool);
  await plane.pool.query(
    "INSERT INTO upstreams (id, name, slots, tags, ws_id) SELECT gen_random_uuid(), 'theirs', 10000, '{}', id FROM workspaces",
  );
});
after(async () => {
  await plane.stop();
  await server.stop();
});

/** Back to a cluster with two Ingresses, one with TLS, and a Kong that follows it. */
async function reset(): Promise<void> {
  const { cluster } = plane;
  for (const { kind, metadata } of cluster.objects()) cluster.remove(kind, metadata.namespace ?? '', metadata.name);
  cluster.put(INGRESS_CLASS);
  cluster.put(service('echo'));
  cluster.put(service('other'));
  for (const secret of secrets) cluster.put(secret);
  cluster.put(endpoints('echo', ['10.0.0.1', '10.0.0.2']));
  cluster.put(endpoints('other', ['10.0.1.1']));
  cluster.put(ingress('stays', ['stays.test / echo 80'], { tlsSecret: 'old-tls' }));
  cluster.put(ingress('goes', ['goes.test / other 80']));
  await heal();
}

async function listAll(): Promise<{ objects: readonly KubernetesObject[]; requests: number }> {
  return { objects: plane.cluster.objects(), requests: 1 };
}

/** A reconcile, however much it deletes. */
async function heal(): Promise<void> {
  await reconcile({ dependencies: plane.dependencies, list: listAll, remainingMs: () => 60_000, force: true });
}

/** One change of everything: an entity of every level is created, updated and deleted. */
function changes(): readonly ChangeEvent[] {
  const { cluster } = plane;
  return [
    cluster.put(ingress('stays', ['stays.test /moved echo 80'], { tlsSecret: 'new-tls' })),
    cluster.remove('Ingress', 'default', 'goes'),
    cluster.put(ingress('comes', ['comes.test / echo 80'], { defaultBackend: { service: 'other', port: 80 } })),
    cluster.put(endpoints('echo', ['10.0.0.2', '10.0.0.3'])),
  ];
}

async function dieAt(point: CrashPoint | undefined, work: readonly ChangeEvent[]): Promise<Mortal> {
  const life = new Mortal(point);
  try {
    await runSlice({ changes: work }, mortalDependencies(plane.dependencies, life));
  } catch (error) {
    if (!life.dead) throw error;
  }
  return life;
}

async function effects(): Promise<number> {
  await reset();
  return (await dieAt(undefined, changes())).effects;
}

async function foreign(): Promise<number> {
  const { rows } = await plane.pool.query("SELECT 1 FROM upstreams WHERE name = 'theirs'");
  return rows.length;
}

test('killed after every single effect, the next run ends where it should', async (context) => {
  const total = await effects();
  assert.ok(total > 20, `${total} effects`);
  for (let effect = 1; effect <= total; effect += 1) {
    await reset();
    const work = changes();
    const life = await dieAt({ effect, when: 'after' }, work);
    assert.ok(life.dead, `${effect} was not reached`);
    await runSlice({ changes: work }, plane.dependencies);
    await assertConverged(plane, `after effect ${effect}`);
    assert.equal(await foreign(), 1);
  }
  context.diagnostic(`${total} crash points`);
});

test('what a dead slice wrote for an object that is gone since is cleaned up by any later slice', async (context) => {
  const total = await effects();
  let left = 0;
  for (let effect = 1; effect <= total; effect += 1) {
    await reset();
    await dieAt({ effect, when: 'after' }, changes());
    const { rows } = await plane.pool.query('SELECT 1 FROM kong_ingress.intents');
    if (rows.length === 0) continue;
    left += 1;
    // The events are lost, and the new Ingress is gone again before anybody looks.
    plane.cluster.remove('Ingress', 'default', 'comes');
    await runSlice({ changes: [plane.cluster.put(service('unrelated'))] }, plane.dependencies);
    const found = await plane.pool.query(
      "SELECT 1 FROM routes WHERE hosts = '{comes.test}' OR paths = '{/}' AND hosts IS NULL",
    );
    assert.equal(found.rows.length, 0, `after effect ${effect}`);
    await heal();
    await assertConverged(plane, `after effect ${effect}`);
  }
  assert.ok(left > 5);
  context.diagnostic(`${left} crash points with intents`);
});

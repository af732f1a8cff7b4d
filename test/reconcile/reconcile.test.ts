import assert from 'node:assert/strict';
import test from 'node:test';
import { AppError } from '../../shared/errors.ts';
import { reconcile, type ReconcileReport, type ReconcileTools } from '../../shared/reconcile.ts';
import { runSlice } from '../../shared/slice.ts';
import { counts, type ControlPlane } from '../support/control-plane.ts';
import { endpoints, ingress, service } from '../support/manifests.ts';
import { usePlanes } from '../support/planes.ts';

const withPlane = usePlanes();

function run(plane: ControlPlane, change: Partial<ReconcileTools> = {}): Promise<ReconcileReport> {
  return reconcile({
    dependencies: plane.dependencies,
    list: async () => ({ objects: plane.cluster.objects(), requests: 1 }),
    remainingMs: () => 60_000,
    force: false,
    ...change,
  });
}

test('a first reconcile writes everything, a second sends nothing to the Admin API', () =>
  withPlane(5, async (plane) => {
    await run(plane);
    assert.deepEqual(await counts(plane), { upstreams: 1, services: 1, targets: 2, routes: 5 });
    const [rows, requests] = [await plane.rows(), plane.admin.requests()];
    const second = await run(plane);
    assert.deepEqual(second.slices, []);
    assert.equal(plane.admin.requests(), requests);
    assert.deepEqual(await plane.rows(), rows);
  }));

test('without its index it rebuilds the index and writes nothing to Kong', () =>
  withPlane(5, async (plane) => {
    await run(plane);
    const rows = await plane.rows();
    await plane.pool.query(
      'TRUNCATE kong_ingress.roots, kong_ingress.sources, kong_ingress.provides, kong_ingress.proposals, kong_ingress.dependents, kong_ingress.entities',
    );
    const sent = plane.writes.length;
    await run(plane);
    assert.equal(plane.writes.length, sent);
    assert.deepEqual(await plane.rows(), rows);
    assert.deepEqual((await run(plane)).slices, []);
  }));

test('lost events: what was added, changed and removed is found', () =>
  withPlane(4, async (plane) => {
    await run(plane);
    plane.cluster.put(ingress('new', ['new.test / echo 80']));
    plane.cluster.put(ingress('web-0', ['a0.test /other echo 80']));
    plane.cluster.remove('Ingress', 'default', 'web-1');
    plane.cluster.put(endpoints('echo', ['10.0.0.2', '10.0.0.3']));
    const report = await run(plane);
    assert.deepEqual(report.differences.gone, ['Ingress/default/web-1']);
    assert.deepEqual(await counts(plane), { upstreams: 1, services: 1, targets: 2, routes: 4 });
    assert.deepEqual((await run(plane)).slices, []);
  }));

test('drift of what a deleted root held is repaired in the same run, for the other roots that share it', () =>
  withPlane(3, async (plane) => {
    await run(plane);
    await plane.pool.query('UPDATE services SET retries = 1');
    plane.cluster.remove('Ingress', 'default', 'web-0');
    await run(plane);
    const { rows } = await plane.pool.query('SELECT retries FROM services');
    assert.deepEqual(rows, [{ retries: '5' }]);
    assert.deepEqual((await run(plane)).slices, []);
  }));

test('so is drift of what its holder does not ask for any more', () =>
  withPlane(2, async (plane) => {
    await run(plane);
    await plane.pool.query('UPDATE services SET retries = 1');
    plane.cluster.put(service('tea'));
    plane.cluster.put(ingress('web-0', ['a0.test / tea 80']));
    await run(plane);
    const { rows } = await plane.pool.query('SELECT DISTINCT retries FROM services');
    assert.deepEqual(rows, [{ retries: '5' }]);
  }));

test('drift is repaired with exactly the affected writes, foreign entities stay', () =>
  withPlane(3, async (plane) => {
    await run(plane);
    await plane.pool.query('UPDATE services SET retries = 1');
    await plane.pool.query("DELETE FROM routes WHERE name = 'default.web-0.echo.a0.test.80'");
    await plane.pool.query(
      "INSERT INTO upstreams (id, name, slots, tags, ws_id) SELECT gen_random_uuid(), 'theirs', 10000, '{}', id FROM workspaces",
    );
    const sent = plane.writes.length;
    const report = await run(plane);
    assert.equal(report.differences.drifted, 2);
    assert.equal(plane.writes.length, sent + 2);
    assert.deepEqual(await counts(plane), { upstreams: 2, services: 1, targets: 2, routes: 3 });
  }));

test('entities of ours that nobody proposes are deleted', () =>
  withPlane(3, async (plane) => {
    await run(plane);
    await plane.pool.query(
      `INSERT INTO upstreams (id, name, slots, tags, ws_id)
       SELECT gen_random_uuid(), 'left', 10000, '{managed-by-ingress-controller}', id FROM workspaces`,
    );
    const report = await run(plane);
    assert.equal(report.orphans, 1);
    assert.equal((await counts(plane)).upstreams, 1);
  }));

test('the brake holds back many deletes at once, and nothing else, until forced', () =>
  withPlane(20, async (plane) => {
    await run(plane);
    for (let n = 0; n < 15; n += 1) plane.cluster.remove('Ingress', 'default', `web-${n}`);
    plane.cluster.put(ingress('web-19', ['a19.test /other echo 80']));
    for (let time = 0; time < 2; time += 1) {
      const held = await run(plane);
      assert.equal(held.braked, 15);
      assert.equal((await counts(plane)).routes, 20);
    }
    const { rows } = await plane.pool.query<{ paths: string[] }>("SELECT paths FROM routes WHERE hosts = '{a19.test}'");
    assert.match(String(rows[0]?.paths), /other/);
    const forced = await run(plane, { force: true });
    assert.equal(forced.braked, 0);
    assert.equal((await counts(plane)).routes, 5);
  }));

test('a list that cannot be read aborts: nothing is taken for deleted', () =>
  withPlane(3, async (plane) => {
    await run(plane);
    const rows = await plane.rows();
    await assert.rejects(run(plane, { list: () => Promise.reject(new AppError('KUBERNETES_UNAVAILABLE', 'page 2')) }), {
      code: 'KUBERNETES_UNAVAILABLE',
    });
    assert.deepEqual(await plane.rows(), rows);
  }));

test('roots that a list has lost are asked for before anything is deleted', () =>
  withPlane(3, async (plane) => {
    await run(plane);
    const rows = await plane.rows();
    await run(plane, { list: async () => ({ objects: [], requests: 1 }) });
    assert.deepEqual(await plane.rows(), rows);
  }));

test('what a slice has learnt after the lists were read is not undone by them', () =>
  withPlane(2, async (plane) => {
    await run(plane);
    const { cluster, dependencies } = plane;
    const list: ReconcileTools['list'] = async () => {
      const objects = cluster.objects();
      // After the lists: another path, one Ingress gone, one new, and endpoints that a new Ingress reads.
      await runSlice(
        {
          changes: [
            cluster.put(ingress('web-0', ['a0.test /newer echo 80'])),
            cluster.remove('Ingress', 'default', 'web-1'),
            cluster.put(ingress('late', ['late.test / echo 80'])),
            cluster.put(endpoints('echo', ['10.0.0.9'])),
          ],
        },
        dependencies,
      );
      return { objects, requests: 1 };
    };
    await run(plane, { list });
    const { rows } = await plane.pool.query<{ hosts: string[]; paths: string[] }>(
      'SELECT hosts, paths FROM routes ORDER BY hosts',
    );
    assert.deepEqual(
      rows.map((row) => row.hosts),
      [['a0.test'], ['late.test']],
    );
    assert.match(String(rows[0]?.paths), /newer/);
    assert.equal((await counts(plane)).targets, 1);
    assert.deepEqual((await run(plane)).slices, []);
  }));

test('it stops before its time is up and goes on in the next run', () =>
  withPlane(6, async (plane) => {
    const settings = { ...plane.dependencies.settings, maxRoots: 2 };
    const dependencies = { ...plane.dependencies, settings };
    let slices = 0;
    const remainingMs = (): number => ((slices += 1) > 1 ? 0 : 60_000);
    const first = await run(plane, { dependencies, remainingMs });
    assert.equal(first.complete, false);
    assert.equal((await counts(plane)).routes, 2);
    const rest = await run(plane, { dependencies });
    assert.equal(rest.complete, true);
    assert.equal(rest.differences.roots.length, 4);
    assert.equal((await counts(plane)).routes, 6);
  }));

test('what Kong refuses is tried again after pauses that double up to an hour, and at once when it changes', () =>
  withPlane(1, async (plane) => {
    let tries = 0;
    plane.faults = (method, path) => {
      if (method !== 'PUT' || !path.startsWith('/routes/')) return undefined;
      tries += 1;
      return { status: 400, body: { message: 'schema violation', name: 'schema violation', code: 2 } };
    };
    const pauses: number[] = [];
    for (let expected = 1; expected <= 9; expected += 1) {
      await run(plane);
      assert.equal(tries, expected);
      // Before its time nothing is sent.
      await run(plane);
      assert.equal(tries, expected);
      const { rows } = await plane.pool.query<{ minutes: number }>(
        'SELECT round(extract(epoch FROM retry_at - now()) / 60)::float8 AS minutes FROM kong_ingress.quarantine',
      );
      pauses.push(rows[0]?.minutes ?? 0);
      await plane.pool.query("UPDATE kong_ingress.quarantine SET retry_at = now() - interval '1 second'");
    }
    assert.deepEqual(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    await plane.pool.query("UPDATE kong_ingress.quarantine SET retry_at = now() + interval '1 hour'");
    plane.faults = () => undefined;
    await runSlice({ changes: [plane.cluster.put(ingress('web-0', ['a0.test /new echo 80']))] }, plane.dependencies);
    assert.equal((await counts(plane))['routes'], 1);
  }));

import assert from 'node:assert/strict';
import test from 'node:test';
import { canaryIds } from '../../shared/kong/canary.ts';
import { preview } from '../../shared/reconcile/preview.ts';
import { reconcile, type ReconcileReport } from '../../shared/reconcile.ts';
import { runSlice, type SliceDependencies } from '../../shared/slice.ts';
import { counts, type ControlPlane } from '../support/control-plane.ts';
import { ingress } from '../support/manifests.ts';
import { usePlanes } from '../support/planes.ts';

const withPlane = usePlanes();

function turned(on: boolean, { dependencies }: ControlPlane): SliceDependencies {
  return { ...dependencies, kong: { ...dependencies.kong, canary: on } };
}

function tools(plane: ControlPlane, dependencies: SliceDependencies): Parameters<typeof reconcile>[0] {
  return {
    dependencies,
    list: async () => ({ objects: plane.cluster.objects(), requests: 1 }),
    remainingMs: () => 60_000,
    force: false,
  };
}

const run = (plane: ControlPlane, on: boolean): Promise<ReconcileReport> => reconcile(tools(plane, turned(on, plane)));

interface Written {
  readonly paths: readonly string[];
  readonly body: string;
  readonly epoch: string;
}

/** What Kong and the index have of the canary. */
async function canary({ pool, config }: ControlPlane): Promise<Written | undefined> {
  const { rows } = await pool.query<Written>(
    `SELECT r.paths, p.config->>'body' AS body, (SELECT max(canary_epoch)::text FROM kong_ingress.revisions) AS epoch
     FROM routes r JOIN plugins p ON p.route_id = r.id WHERE r.id = $1 AND p.id = $2`,
    [canaryIds(config).route, canaryIds(config).plugin],
  );
  return rows[0];
}

test('each revision ends with its epoch, which costs two writes and keeps the paths of the last ones', () =>
  withPlane(0, async (plane) => {
    const on = turned(true, plane);
    const ids = canaryIds(plane.config);
    const epochs: string[] = [];
    for (let n = 0; n < 12; n += 1) {
      const result = await runSlice({ changes: [plane.cluster.put(ingress('web', [`a.test /${n} echo 80`]))] }, on);
      assert.notEqual(result.revision, undefined);
      const found = (await canary(plane)) ?? assert.fail();
      epochs.unshift(found.epoch);
      assert.equal(found.body, found.epoch);
      assert.deepEqual(
        found.paths,
        epochs.slice(0, 10).map((epoch) => `/.kong-ingress-functions/${epoch}`),
      );
      assert.deepEqual(plane.writes.slice(-2), [`PUT /routes/${ids.route}`, `PUT /plugins/${ids.plugin}`]);
    }
    assert.deepEqual(
      epochs.map(Number),
      epochs.map(Number).toSorted((a, b) => b - a),
    );
    assert.equal(new Set(epochs).size, 12);
    const sent = plane.writes.length;
    const change = plane.cluster.put(ingress('web', ['a.test /11 echo 80']));
    assert.equal((await runSlice({ changes: [change] }, on)).revision, undefined);
    assert.equal(plane.writes.length, sent);
  }));

test('a second reconcile writes nothing, nothing is pending, and turned off it is removed', () =>
  withPlane(3, async (plane) => {
    await run(plane, true);
    assert.deepEqual(await counts(plane), { upstreams: 1, services: 1, targets: 2, routes: 4, plugins: 1 });
    const [rows, sent] = [await plane.rows(), plane.writes.length];
    const again = await run(plane, true);
    assert.deepEqual([again.slices, again.differences.drifted, again.differences.doomed], [[], 0, 0]);
    assert.deepEqual((await preview(tools(plane, turned(true, plane)))).changes, []);
    assert.deepEqual([plane.writes.length, await plane.rows()], [sent, rows]);

    const pending = (await preview(tools(plane, turned(false, plane)))).changes.map(({ change }) => change.action);
    assert.deepEqual(pending, ['delete', 'delete']);
    await run(plane, false);
    assert.deepEqual(await counts(plane), { upstreams: 1, services: 1, targets: 2, routes: 3 });
    assert.deepEqual((await run(plane, false)).slices, []);
  }));

test('a slice that died before its canary leaves it to the next one', () =>
  withPlane(0, async (plane) => {
    const on = turned(true, plane);
    const { plugin } = canaryIds(plane.config);
    plane.faults = (method, path) => (method === 'PUT' && path.endsWith(plugin) ? 'cut' : undefined);
    const change = plane.cluster.put(ingress('web', ['a.test / echo 80']));
    await assert.rejects(runSlice({ changes: [change] }, on));
    assert.equal(await canary(plane), undefined);
    plane.faults = () => undefined;
    const result = await runSlice({ changes: [change] }, on);
    const found = await canary(plane);
    assert.ok(result.revision !== undefined && found !== undefined);
    assert.equal(found.body, found.epoch);
  }));

import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { KubernetesObject } from '../../shared/kubernetes/resources.ts';
import { subject } from '../../shared/plan/plan.ts';
import type { Change } from '../../shared/plan/types.ts';
import { reconcile } from '../../shared/reconcile.ts';
import { preview, type Preview } from '../../shared/reconcile/preview.ts';
import type { SliceDependencies } from '../../shared/slice.ts';
import { translateRoot } from '../../shared/translate/index.ts';
import { type ControlPlane } from '../support/control-plane.ts';
import { endpoints, ingress, service } from '../support/manifests.ts';
import { usePlanes } from '../support/planes.ts';

const withPlane = usePlanes();

function toolsOf(plane: ControlPlane, change: Partial<SliceDependencies> = {}) {
  const list = async (): Promise<{ objects: readonly KubernetesObject[]; requests: number }> => ({
    objects: plane.cluster.objects(),
    requests: 1,
  });
  return { dependencies: { ...plane.dependencies, ...change }, list, remainingMs: () => 60_000, force: true };
}

/** Rows of Kong and of the index, with what would show a write. */
async function everything(plane: ControlPlane): Promise<unknown> {
  const { rows: tables } = await plane.pool.query<{ name: string }>(
    "SELECT 'kong_ingress.' || tablename AS name FROM pg_tables WHERE schemaname = 'kong_ingress' ORDER BY 1",
  );
  const index: unknown[] = [];
  for (const { name } of tables) {
    const { rows } = await plane.pool.query(`SELECT xmin::text, ctid::text FROM ${name} ORDER BY ctid`);
    index.push([name, rows]);
  }
  return [await plane.rows(), index, plane.writes.length];
}

async function look(plane: ControlPlane, change: Partial<SliceDependencies> = {}): Promise<Preview> {
  const state = await everything(plane);
  const seen = await preview(toolsOf(plane, change));
  assert.deepEqual(await everything(plane), state);
  return seen;
}

function lines(changes: readonly Change[]): readonly string[] {
  return changes.map((change) => `${change.action} ${subject(change).type} ${subject(change).id}`).toSorted();
}

/** Shows a run, does it, and makes sure that both are the same. */
async function lookAndDo(plane: ControlPlane): Promise<Preview> {
  const seen = await look(plane);
  const { slices } = await reconcile(toolsOf(plane));
  assert.deepEqual(lines(slices.flatMap((slice) => slice.applied)), lines(seen.changes.map((item) => item.change)));
  return seen;
}

test('what it shows is what a reconcile does, from nothing to nothing more', () =>
  withPlane(3, async (plane) => {
    assert.equal((await lookAndDo(plane)).changes.length, 7);
    const second = await look(plane);
    assert.deepEqual([second.changes, second.adoptions, second.withheld, second.braked], [[], [], [], false]);
  }));

test('updates name their fields: of a change, and of what somebody else wrote', () =>
  withPlane(2, async (plane) => {
    await lookAndDo(plane);
    plane.cluster.put(ingress('web-0', ['a0.test /other echo 80']));
    await plane.pool.query("UPDATE services SET retries = 1, connect_timeout = 7 WHERE name = 'default.echo.80'");
    const fields = (await lookAndDo(plane)).changes.map(({ change, fields: differing }) => [
      change.action,
      subject(change).type,
      ...differing,
    ]);
    assert.deepEqual(fields, [
      ['update', 'services', 'connect_timeout', 'retries'],
      ['update', 'routes', 'paths'],
    ]);
  }));

test('without an index, equal entities are adoptions, what differs is an update, what nobody wants a delete', () =>
  withPlane(2, async (plane) => {
    await lookAndDo(plane);
    await plane.pool.query('DROP SCHEMA kong_ingress CASCADE');
    await plane.pool.query("UPDATE routes SET preserve_host = false WHERE name LIKE 'default.web-0.%'");
    plane.cluster.remove('Ingress', 'default', 'web-1');
    const seen = await look(plane);
    assert.deepEqual(
      seen.changes.map(({ change, fields }) => [change.action, subject(change).type, ...fields]),
      [
        ['update', 'routes', 'preserve_host'],
        ['delete', 'routes'],
      ],
    );
    assert.equal(seen.adoptions.length, 4);
    assert.equal((await plane.pool.query("SELECT FROM pg_namespace WHERE nspname = 'kong_ingress'")).rows.length, 0);
  }));

test('what another holder keeps in Kong under another id is adopted in the preview as in a run', () =>
  withPlane(1, async (plane) => {
    await lookAndDo(plane);
    await plane.pool.query('DROP SCHEMA kong_ingress CASCADE');
    await plane.pool.query(
      "UPDATE targets SET id = '00000000-0000-4000-8000-000000000001' WHERE target = '10.0.0.1:8080'",
    );
    const seen = await look(plane);
    assert.deepEqual(seen.changes, []);
    assert.ok(seen.adoptions.some(({ entity }) => entity.id === '00000000-0000-4000-8000-000000000001'));
  }));

const faulty: SliceDependencies['translate'] = async (object, lookup, options) => {
  if (object.metadata.name === 'web-0') throw new TypeError('a fault');
  return translateRoot(object, lookup, options);
};

test('a root that cannot be translated keeps what it has', () =>
  withPlane(2, async (plane) => {
    await lookAndDo(plane);
    const seen = await look(plane, { translate: faulty });
    assert.deepEqual(seen.changes, []);
    assert.deepEqual(
      seen.findings.map(({ reason }) => reason),
      ['TranslationFailed'],
    );
  }));

test('many deletes are marked, foreign entities withheld', () =>
  withPlane(12, async (plane) => {
    await lookAndDo(plane);
    for (let n = 0; n < 12; n += 1) plane.cluster.remove('Ingress', 'default', `web-${n}`);
    assert.equal((await look(plane)).braked, true);
    await plane.pool.query("UPDATE services SET tags = '{}' WHERE name = 'default.echo.80'");
    plane.cluster.put(ingress('web-0', ['a0.test /other echo 80']));
    const seen = await look(plane);
    assert.deepEqual(
      seen.withheld.map(({ change, reason }) => `${subject(change).type} ${reason}`),
      ['services KongEntityNotOurs', 'routes what it refers to is not in Kong'],
    );
    assert.ok(seen.changes.every(({ change }) => subject(change).type !== 'services'));
  }));

test('an incomplete list, and an index of another cluster or release, give no preview', () =>
  withPlane(1, async (plane) => {
    await lookAndDo(plane);
    const failing = { ...toolsOf(plane), list: () => Promise.reject(new TypeError('page 2')) };
    await assert.rejects(preview(failing), { name: 'TypeError', message: 'page 2' });
    const options = { ...plane.dependencies.options, cluster: 'another' };
    await assert.rejects(preview(toolsOf(plane, { options })), { code: 'INDEX_OTHER_CLUSTER' });
    await plane.pool.query('DELETE FROM kong_ingress.migrations WHERE version > 1');
    await assert.rejects(preview(toolsOf(plane)), { code: 'INDEX_OUTDATED' });
    await plane.pool.query('INSERT INTO kong_ingress.migrations (version) VALUES (999)');
    await assert.rejects(preview(toolsOf(plane)), { code: 'INDEX_TOO_NEW' });
  }));

/** What may happen in the cluster, and in Kong by other hands. */
const event = fc.oneof(
  fc.record({ put: fc.nat(5), path: fc.constantFrom('/', '/a', '/b'), backend: fc.constantFrom('echo', 'tea') }),
  fc.record({ remove: fc.nat(5) }),
  fc.record({ addresses: fc.uniqueArray(fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.0.3'), { maxLength: 3 }) }),
  fc.record({ drift: fc.constantFrom('routes', 'services') }),
  fc.record({ lose: fc.constantFrom('routes', 'targets') }),
);

type Event = typeof event extends fc.Arbitrary<infer Value> ? Value : never;

async function happen(plane: ControlPlane, what: Event): Promise<void> {
  if ('put' in what) {
    plane.cluster.put(ingress(`web-${what.put}`, [`a${what.put}.test ${what.path} ${what.backend} 80`]));
  } else if ('remove' in what) {
    const name = `web-${what.remove}`;
    if (plane.cluster.get(`Ingress/default/${name}`) !== undefined) plane.cluster.remove('Ingress', 'default', name);
  } else if ('addresses' in what) {
    plane.cluster.put(endpoints('echo', what.addresses));
  } else if ('drift' in what) {
    const column = what.drift === 'routes' ? 'regex_priority' : 'retries';
    await plane.pool.query(
      `UPDATE ${what.drift} SET ${column} = 9 WHERE id = (SELECT min(id::text)::uuid FROM ${what.drift})`,
    );
  } else {
    await plane.pool.query(`DELETE FROM ${what.lose} WHERE id = (SELECT min(id::text)::uuid FROM ${what.lose})`);
  }
}

test('property: for any history the preview is what the reconcile then does', () =>
  withPlane(2, async (plane) => {
    plane.cluster.put(service('tea'));
    await fc.assert(
      fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 6 }), async (events) => {
        for (const what of events) await happen(plane, what);
        await lookAndDo(plane);
      }),
      { numRuns: 60, endOnFailure: true },
    );
  }));

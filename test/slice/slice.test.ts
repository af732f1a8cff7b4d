import assert from 'node:assert/strict';
import test from 'node:test';
import { runSlice } from '../../shared/slice.ts';
import { counts, type ControlPlane } from '../support/control-plane.ts';
import { endpoints, ingress, service } from '../support/manifests.ts';
import { usePlanes } from '../support/planes.ts';

const withIngresses = usePlanes();

/** A control plane and a cluster with the class kong and one Service of two endpoints. */
function withPlane(work: (plane: ControlPlane) => Promise<void>): Promise<void> {
  return withIngresses(0, work);
}

async function indexRows(plane: ControlPlane): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const table of ['roots', 'sources', 'provides', 'proposals', 'entities', 'intents', 'quarantine']) {
    const { rows } = await plane.pool.query<{ count: number }>(
      `SELECT count(*)::integer AS count FROM kong_ingress.${table}`,
    );
    if ((rows[0]?.count ?? 0) > 0) found[table] = rows[0]?.count ?? 0;
  }
  return found;
}

test('an Ingress becomes service, upstream, targets and route, and goes without a trace', () =>
  withPlane(async (plane) => {
    const { cluster, dependencies } = plane;
    const created = await runSlice({ changes: [cluster.put(ingress('web', ['a.test / echo 80']))] }, dependencies);
    assert.deepEqual(created.findings, []);
    assert.deepEqual(await counts(plane), { upstreams: 1, services: 1, targets: 2, routes: 1 });
    assert.equal(created.revision, '1');

    const removed = await runSlice({ changes: [cluster.remove('Ingress', 'default', 'web')] }, dependencies);
    assert.deepEqual(removed.findings, []);
    assert.equal(removed.applied.length, 5);
    assert.deepEqual(await counts(plane), {});
    assert.deepEqual(await indexRows(plane), { provides: 1 });
  }));

test('the same event again costs no write, and a request less', () =>
  withPlane(async (plane) => {
    const { cluster, dependencies, writes } = plane;
    const change = cluster.put(ingress('web', ['a.test / echo 80']));
    await runSlice({ changes: [change] }, dependencies);
    const earlier = await plane.rows();
    const sent = writes.length;
    for (let time = 0; time < 5; time += 1) {
      const again = await runSlice({ changes: [change] }, dependencies);
      assert.deepEqual(again.applied, []);
      assert.equal(again.revision, undefined);
    }
    assert.deepEqual(await plane.rows(), earlier);
    assert.equal(writes.length, sent);
  }));

test('a changed Ingress costs at most 12 HTTP requests and 8 SQL statements, whatever else is there', () =>
  withPlane(async (plane) => {
    const { cluster, dependencies } = plane;
    const others = Array.from({ length: 40 }, (_, n) => cluster.put(ingress(`other-${n}`, [`o${n}.test / echo 80`])));
    const costs = [];
    for (const crowd of [[], others]) {
      if (crowd.length > 0) await runSlice({ changes: crowd }, dependencies);
      for (const path of ['/first', '/second']) {
        costs.push(
          (await runSlice({ changes: [cluster.put(ingress('web', [`a.test ${path} echo 80`]))] }, dependencies)).cost,
        );
      }
    }
    const [, alone, , crowded] = costs;
    assert.deepEqual(crowded, alone);
    for (const cost of costs) {
      assert.ok(cost.kubernetesRequests + cost.kongRequests <= 12, JSON.stringify(cost));
      assert.ok(cost.sqlStatements <= 8, JSON.stringify(cost));
    }
  }));

test('a changed EndpointSlice reaches the Ingresses that read it, target by target', () =>
  withPlane(async (plane) => {
    const { cluster, dependencies } = plane;
    await runSlice({ changes: [cluster.put(ingress('web', ['a.test / echo 80']))] }, dependencies);
    const grown = await runSlice(
      { changes: [cluster.put(endpoints('echo', ['10.0.0.1', '10.0.0.3', '10.0.0.4']))] },
      dependencies,
    );
    assert.deepEqual(grown.applied.map((change) => change.action).toSorted(), ['create', 'create', 'delete']);
    assert.ok(grown.cost.kubernetesRequests + grown.cost.kongRequests <= 6 + 3, JSON.stringify(grown.cost));

    // An EndpointSlice that loses its label leaves the answer that it was in.
    const { metadata, ...rest } = endpoints('echo', []);
    const lost = await runSlice(
      { changes: [cluster.put({ ...rest, metadata: { ...metadata, labels: {} } })] },
      dependencies,
    );
    assert.equal(lost.applied.length, 3);
    assert.equal((await counts(plane)).targets, undefined);
  }));

test('events in reverse order give the same as in order', () =>
  withPlane(async (plane) => {
    const { cluster, dependencies } = plane;
    const first = cluster.put(ingress('web', ['a.test /old echo 80']));
    const second = cluster.put(ingress('web', ['a.test /new echo 80']));
    const third = cluster.remove('Ingress', 'default', 'web');
    for (const change of [third, second, first]) await runSlice({ changes: [change] }, dependencies);
    assert.deepEqual(await counts(plane), {});
  }));

test('shared services live as long as someone proposes them', () =>
  withPlane(async (plane) => {
    const { cluster, dependencies } = plane;
    await runSlice({ changes: [cluster.put(ingress('one', ['a.test / echo 80']))] }, dependencies);
    await runSlice({ changes: [cluster.put(ingress('two', ['b.test / echo 80']))] }, dependencies);
    assert.deepEqual(await counts(plane), { upstreams: 1, services: 1, targets: 2, routes: 2 });
    const earlier = await plane.rows();
    const removed = await runSlice({ changes: [cluster.remove('Ingress', 'default', 'one')] }, dependencies);
    assert.equal(removed.applied.length, 1);
    const left = await plane.rows();
    for (const [key, xmin] of left) assert.equal(earlier.get(key), xmin, key);
    await runSlice({ changes: [cluster.remove('Ingress', 'default', 'two')] }, dependencies);
    assert.deepEqual(await counts(plane), {});
  }));

test('what somebody else changed or deleted is written again, and nothing else', () =>
  withPlane(async (plane) => {
    const { cluster, dependencies, pool } = plane;
    const change = cluster.put(ingress('web', ['a.test / echo 80']));
    await runSlice({ changes: [change] }, dependencies);
    await pool.query('UPDATE services SET retries = 1');
    await pool.query('DELETE FROM routes');
    const earlier = await plane.rows();
    const repaired = await runSlice({ changes: [change] }, dependencies);
    assert.equal(repaired.drifted, 2);
    assert.deepEqual(repaired.applied.map((item) => item.action).toSorted(), ['create', 'update']);
    const left = await plane.rows();
    const kept = [...earlier].filter(([key]) => !key.startsWith('services/'));
    for (const [key, xmin] of kept) assert.equal(left.get(key), xmin);
    // A write that changed nothing is adopted without one.
    await pool.query('UPDATE services SET retries = retries');
    assert.deepEqual((await runSlice({ changes: [change] }, dependencies)).applied, []);
  }));

test('entities without the tag are neither changed nor deleted', () =>
  withPlane(async (plane) => {
    const { cluster, dependencies, pool } = plane;
    const change = cluster.put(ingress('web', ['a.test / echo 80']));
    await runSlice({ changes: [change] }, dependencies);
    await pool.query("UPDATE services SET tags = '{}', retries = 1");
    const found = await runSlice({ changes: [change] }, dependencies);
    assert.deepEqual(found.applied, []);
    assert.deepEqual(
      found.findings.map((finding) => finding.reason),
      ['KongEntityNotOurs'],
    );
    await runSlice({ changes: [cluster.remove('Ingress', 'default', 'web')] }, dependencies);
    assert.deepEqual(await counts(plane), { services: 1 });
  }));

test('a name that an entity of ours holds under another id waits until that one goes', () =>
  withPlane(async (plane) => {
    const { cluster, dependencies, pool } = plane;
    const change = cluster.put(ingress('web', ['a.test / echo 80']));
    await runSlice({ changes: [change] }, dependencies);
    const { rows } = await pool.query<{ id: string }>('UPDATE routes SET id = gen_random_uuid() RETURNING id');
    const earlier = await plane.rows();
    const held = await runSlice({ changes: [change] }, dependencies);
    assert.deepEqual(held.applied, []);
    assert.deepEqual(
      held.findings.map((finding) => finding.reason),
      ['KongKeyHeld'],
    );
    assert.deepEqual(await plane.rows(), earlier);

    const orphans = rows.map(({ id }) => ({ type: 'routes' as const, id }));
    const moved = await runSlice({ changes: [change], orphans }, dependencies);
    assert.deepEqual(moved.findings, []);
    assert.deepEqual(
      moved.applied.map((item) => item.action),
      ['delete', 'create'],
    );
  }));

test('one rejected object does not hold up another, and waits until it changes', () =>
  withPlane(async (plane) => {
    const { cluster, dependencies } = plane;
    const bad = cluster.put(ingress('bad', ['a.test / echo 80'], { annotations: { 'konghq.com/methods': 'GET' } }));
    const good = cluster.put(ingress('good', ['b.test / echo 80']));
    const seen = new Set<string>();
    plane.faults = (method, path) => {
      if (method !== 'PUT' || !path.startsWith('/routes/')) return undefined;
      seen.add(path);
      return [...seen][0] === path
        ? { status: 400, body: { message: 'schema violation', name: 'schema violation', code: 2 } }
        : undefined;
    };
    const result = await runSlice({ changes: [bad, good] }, dependencies);
    assert.equal(result.rejected.length, 1);
    assert.equal((await counts(plane)).routes, 1);
    const refused = result.rejected[0]?.finding.object.name ?? '';
    // Through its Service it is reached again, but it is as it was.
    const tries = seen.size;
    const paused = await runSlice({ changes: [cluster.put(service('echo'))] }, dependencies);
    assert.equal(paused.withheld.length, 1);
    assert.equal(seen.size, tries);
    plane.faults = () => undefined;
    const changed = cluster.put(ingress(refused, ['c.test / echo 80']));
    const cured = await runSlice({ changes: [changed] }, dependencies);
    assert.deepEqual(cured.findings, []);
    assert.equal((await counts(plane)).routes, 2);
    assert.equal((await indexRows(plane)).quarantine, undefined);
  }));

test('two slices at once end as one after the other', () =>
  withPlane(async (plane) => {
    const { cluster, dependencies } = plane;
    const changes = Array.from({ length: 6 }, (_, n) => cluster.put(ingress(`web-${n}`, [`a${n}.test / echo 80`])));
    const results = await Promise.all(changes.map((change) => runSlice({ changes: [change] }, dependencies)));
    assert.equal(new Set(results.map((result) => result.revision)).size, 6);
    assert.deepEqual(await counts(plane), { upstreams: 1, services: 1, targets: 2, routes: 6 });
  }));

test('an event that comes before its object is stored is reported as early', () =>
  withPlane(async (plane) => {
    const { cluster, dependencies } = plane;
    const stored = cluster.put(ingress('web', ['a.test / echo 80']));
    const { resourceVersion = '', ...review } = stored;
    const early = { ...review, operation: 'update' as const, previousResourceVersion: resourceVersion };
    assert.deepEqual((await runSlice({ changes: [early] }, dependencies)).early, [early]);
    cluster.put(ingress('web', ['a.test /new echo 80']));
    assert.deepEqual((await runSlice({ changes: [early] }, dependencies)).early, []);
  }));

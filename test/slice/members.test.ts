import assert from 'node:assert/strict';
import test from 'node:test';
import type { KubernetesObject } from '../../shared/kubernetes/resources.ts';
import { reconcile } from '../../shared/reconcile.ts';
import { runSlice, type SliceResult } from '../../shared/slice.ts';
import { indexedMembers } from '../../shared/slice/members.ts';
import type { ControlPlane } from '../support/control-plane.ts';
import { consumer, ingress, plugin } from '../support/manifests.ts';
import { assertConverged } from '../support/oracle.ts';
import { usePlanes } from '../support/planes.ts';

const withIngresses = usePlanes();

async function listAll(plane: ControlPlane): Promise<{ objects: readonly KubernetesObject[]; requests: number }> {
  return { objects: plane.cluster.objects(), requests: 1 };
}

async function heal(plane: ControlPlane): Promise<void> {
  const { dependencies } = plane;
  await reconcile({ dependencies, list: () => listAll(plane), remainingMs: () => 60_000, force: true });
}

const LIMITED = { annotations: { 'konghq.com/plugins': 'limits' } };

/** Two Ingresses and a consumer of one plugin, among the others; the index knows all of them. */
async function start(plane: ControlPlane, others: number): Promise<void> {
  const { cluster } = plane;
  cluster.put(plugin('limits', { minute: 1 }));
  for (const name of ['one', 'two']) cluster.put(ingress(name, [`${name}.test / echo 80`], LIMITED));
  cluster.put(consumer('ann', 'limits'));
  for (let n = 0; n < others; n += 1) cluster.put(consumer(`other-${n}`));
  await heal(plane);
}

/** How many plugins are for one route and one consumer. */
async function shared({ pool }: ControlPlane): Promise<number> {
  const { rows } = await pool.query('SELECT 1 FROM plugins WHERE route_id IS NOT NULL AND consumer_id IS NOT NULL');
  return rows.length;
}

/** What changes of one object cost, with so many other Ingresses and consumers. */
async function costs(others: number): Promise<readonly SliceResult['cost'][]> {
  const found: SliceResult['cost'][] = [];
  await withIngresses(others, async (plane) => {
    const { cluster, dependencies } = plane;
    await start(plane, others);
    const lists: string[] = [];
    cluster.onRequest = (key) => {
      if (key.includes('?')) lists.push(key);
    };
    const changes: readonly (() => ReturnType<typeof cluster.put>)[] = [
      () => cluster.put(ingress('one', ['one.test /edited echo 80'], LIMITED)),
      () => cluster.put(ingress('three', ['three.test / echo 80'], LIMITED)),
      () => cluster.put(plugin('limits', { minute: 2 })),
      () => cluster.put(consumer('ann', 'limits', { custom_id: 'a' })),
      () => cluster.remove('KongConsumer', 'default', 'ann'),
    ];
    for (const change of changes) found.push((await runSlice({ changes: [change()] }, dependencies)).cost);
    assert.deepEqual([...new Set(lists)], ['EndpointSlice?default/kubernetes.io/service-name=echo']);
    await assertConverged(plane);
  });
  return found;
}

test('a change of a plugin, or of what has one, costs the same with 40 and with 400 other Ingresses and consumers', async (context) => {
  const [few, many] = [await costs(40), await costs(400)];
  assert.deepEqual(many, few);
  for (const cost of few) context.diagnostic(JSON.stringify(cost));
});

test('until a reconcile has filled the index, the kinds are listed', () =>
  withIngresses(0, async (plane) => {
    const { cluster, dependencies } = plane;
    cluster.put(plugin('limits', { minute: 1 }));
    cluster.put(consumer('ann', 'limits'));
    cluster.put(ingress('one', ['one.test / echo 80'], LIMITED));
    const lists: string[] = [];
    cluster.onRequest = (key) => {
      if (key.startsWith('KongConsumer?')) lists.push(key);
    };
    const change = (): ReturnType<typeof cluster.put> => cluster.put(plugin('limits', { minute: 2 }));
    await runSlice({ changes: [cluster.put(ingress('one', ['one.test /edited echo 80'], LIMITED))] }, dependencies);
    assert.deepEqual(lists, ['KongConsumer?/']);
    await heal(plane);
    await runSlice({ changes: [change()] }, dependencies);
    assert.deepEqual(lists, ['KongConsumer?/']);
    await assertConverged(plane);
  }));

test('members that the index has too many of drop out, and those that it lacks come with the next reconcile', () =>
  withIngresses(0, async (plane) => {
    const { cluster, dependencies } = plane;
    await start(plane, 0);
    assert.equal(await shared(plane), 2);
    // The events are lost: a consumer has lost its annotation, one is new, an Ingress has gone.
    cluster.put(consumer('ann'));
    cluster.put(consumer('bob', 'limits'));
    cluster.remove('Ingress', 'default', 'two');
    await runSlice({ changes: [cluster.put(ingress('one', ['one.test /edited echo 80'], LIMITED))] }, dependencies);
    assert.equal(await shared(plane), 1);
    await heal(plane);
    await assertConverged(plane);
    // What a slice has just looked at is left to the next reconcile.
    await heal(plane);
    const { rows } = await plane.pool.query<{ object: string }>(
      `SELECT object FROM kong_ingress.provides WHERE keys && '{KongConsumer?plugin=default/limits,Ingress?plugin=default/limits}' ORDER BY object`,
    );
    assert.deepEqual(
      rows.map((row) => row.object),
      ['Ingress/default/one', 'KongConsumer/default/bob'],
    );
  }));

test('an object that loses a key reaches its readers, also when another slice met it in between', () =>
  withIngresses(0, async (plane) => {
    const { cluster, dependencies } = plane;
    cluster.put(plugin('other', { minute: 5 }));
    await start(plane, 0);
    cluster.put(ingress('one', ['one.test / echo 80'], { annotations: { 'konghq.com/plugins': 'limits,other' } }));
    cluster.put(consumer('bob', 'other'));
    await heal(plane);
    const late = cluster.put(ingress('one', ['one.test / echo 80'], LIMITED));
    await runSlice({ changes: [cluster.put(consumer('ann', 'limits', { custom_id: 'a' }))] }, dependencies);
    await runSlice({ changes: [late] }, dependencies);
    await assertConverged(plane);
  }));

test('an index that cannot be read is no translation that fails: the slice ends with INDEX_UNAVAILABLE', async () => {
  const gone = Object.assign(new Error('Connection terminated unexpectedly'), { code: '57P01' });
  const members = indexedMembers({ query: () => Promise.reject(gone) }, []);
  const asked = members('KongConsumer', { plugin: 'default/limits' });
  await assert.rejects(asked, { code: 'INDEX_UNAVAILABLE' });
});

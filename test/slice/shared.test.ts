import assert from 'node:assert/strict';
import test from 'node:test';
import type { ChangeEvent } from '../../shared/events.ts';
import { keyOf, type Key } from '../../shared/kubernetes/keys.ts';
import { reconcile, type ReconcileReport } from '../../shared/reconcile.ts';
import { runSlice, type SliceDependencies, type SliceResult } from '../../shared/slice.ts';
import { syncBatch } from '../../shared/sync/batch.ts';
import { translateRoot } from '../../shared/translate/index.ts';
import { counts, type ControlPlane } from '../support/control-plane.ts';
import { endpoints, ingress, plugin, service } from '../support/manifests.ts';
import { assertConverged } from '../support/oracle.ts';
import { usePlanes } from '../support/planes.ts';
import { tlsSecret } from '../support/tls.ts';

const withIngresses = usePlanes();

function heal(plane: ControlPlane): Promise<ReconcileReport> {
  const { dependencies, cluster } = plane;
  const list = async (): Promise<{ objects: ReturnType<typeof cluster.objects>; requests: number }> => {
    return { objects: cluster.objects(), requests: 1 };
  };
  return reconcile({ dependencies, list, remainingMs: () => 60_000, force: true });
}

/** Kong follows the cluster, and so does the index: a reconcile finds nothing to do. */
async function assertSettled(plane: ControlPlane): Promise<void> {
  await assertConverged(plane);
  const { differences, slices } = await heal(plane);
  assert.deepEqual([differences.roots, slices], [[], []]);
}

function sync(plane: ControlPlane, ...changes: readonly ChangeEvent[]): Promise<SliceResult> {
  return runSlice({ changes }, plane.dependencies);
}

/** The objects that were asked for while something was done. */
async function asked(plane: ControlPlane, work: () => Promise<unknown>): Promise<readonly string[]> {
  const keys: string[] = [];
  plane.cluster.onRequest = (key) => void keys.push(key);
  await work();
  plane.cluster.onRequest = () => undefined;
  return keys.toSorted();
}

async function replacedPod(others: number): Promise<SliceResult['cost']> {
  let cost: SliceResult['cost'] | undefined;
  await withIngresses(others, async (plane) => {
    const { cluster } = plane;
    cluster.put(await tlsSecret('shop-tls', 'shop.test'));
    cluster.put(service('other'));
    cluster.put(endpoints('other', ['10.0.1.1']));
    cluster.put(ingress('shop', ['shop.test / echo 80', 'shop.test /other other 80'], { tlsSecret: 'shop-tls' }));
    await heal(plane);
    const change = cluster.put(endpoints('echo', ['10.0.0.1', '10.0.0.3']));
    let result: SliceResult | undefined;
    const keys = await asked(plane, async () => {
      result = await sync(plane, change);
    });
    cost = result?.cost;
    assert.deepEqual(result?.applied.map(({ action }) => action).toSorted(), ['create', 'delete']);
    assert.deepEqual(keys, [
      'EndpointSlice/default/echo-a',
      'EndpointSlice?default/kubernetes.io/service-name=echo',
      'IngressClass//kong',
      'Service/default/echo',
    ]);
    await assertSettled(plane);
  });
  assert.ok(cost !== undefined);
  return cost;
}

test('a replaced pod costs the same behind one Ingress and behind many, and no root is read', async (context) => {
  const [one, many] = [await replacedPod(0), await replacedPod(60)];
  assert.deepEqual(many, one);
  // A target added and one removed.
  assert.ok(one.kubernetesRequests + one.kongRequests <= 6 + 2, JSON.stringify(one));
  assert.ok(one.sqlStatements <= 8, JSON.stringify(one));
  context.diagnostic(JSON.stringify(one));
});

test('endpoints that go to none and come back, in an EndpointSlice more and one less', () =>
  withIngresses(3, async (plane) => {
    const { cluster } = plane;
    await heal(plane);
    for (const addresses of [[], ['10.0.0.9'], ['10.0.0.8', '10.0.0.9']]) {
      await sync(plane, cluster.put(endpoints('echo', addresses)));
      assert.equal((await counts(plane))['targets'] ?? 0, addresses.length);
      await assertSettled(plane);
    }
    const { metadata, ...rest } = endpoints('echo', ['10.0.0.7']);
    await sync(plane, cluster.put({ ...rest, metadata: { ...metadata, name: 'echo-2' } }));
    await assertSettled(plane);
    await sync(plane, cluster.remove('EndpointSlice', 'default', 'echo-a'));
    await assertSettled(plane);
    assert.equal((await counts(plane))['targets'], 1);
    // The last one that shares the upstream takes it along.
    for (let n = 0; n < 3; n += 1) await sync(plane, cluster.remove('Ingress', 'default', `web-${n}`));
    assert.deepEqual(await counts(plane), {});
  }));

test('what a default backend that lost would have is kept up to date too', () =>
  withIngresses(0, async (plane) => {
    const { cluster } = plane;
    cluster.put(service('other'));
    cluster.put(endpoints('other', ['10.0.1.1']));
    cluster.put(
      ingress('first', [], { createdAt: '2026-01-01T00:00:00Z', defaultBackend: { service: 'echo', port: 80 } }),
    );
    cluster.put(
      ingress('later', [], { createdAt: '2026-01-02T00:00:00Z', defaultBackend: { service: 'other', port: 80 } }),
    );
    await heal(plane);
    await sync(plane, cluster.put(endpoints('other', ['10.0.1.2', '10.0.1.3'])));
    await assertSettled(plane);
    await sync(plane, cluster.put(endpoints('echo', ['10.0.0.5', '10.0.0.6', '10.0.0.7'])));
    assert.equal((await counts(plane))['targets'], 3);
    await assertSettled(plane);
    await sync(plane, cluster.remove('Ingress', 'default', 'first'));
    assert.equal((await counts(plane))['targets'], 2);
    await assertSettled(plane);
  }));

test('where more than the backends decides, the roots are translated', () =>
  withIngresses(2, async (plane) => {
    const { cluster } = plane;
    await heal(plane);
    cluster.put(service('echo', 81));
    // The Service's event is late: with its port gone, the Ingresses have something to complain of.
    const keys = await asked(plane, () => sync(plane, cluster.put(endpoints('echo', ['10.0.0.5']))));
    assert.ok(keys.includes('Ingress/default/web-0'));
    await assertSettled(plane);
  }));

test('a target that Kong refuses is told to the Ingresses that have it', () =>
  withIngresses(2, async (plane) => {
    await heal(plane);
    plane.faults = (method, path) =>
      method === 'POST' && path.includes('/targets')
        ? { status: 400, body: { message: 'schema violation', name: 'schema violation', code: 2 } }
        : undefined;
    const result = await sync(plane, plane.cluster.put(endpoints('echo', ['10.0.0.1', '10.0.0.6'])));
    assert.deepEqual(
      result.findings.map(({ reason }) => reason),
      ['KongRejected'],
    );
    assert.deepEqual(result.remaining, ['Ingress/default/web-0']);
  }));

/** Dependencies that write down which roots are translated. */
function watched(plane: ControlPlane, maxRoots: number): { dependencies: SliceDependencies; translated: Key[] } {
  const translated: Key[] = [];
  return {
    translated,
    dependencies: {
      ...plane.dependencies,
      settings: { ...plane.dependencies.settings, maxRoots },
      translate: async (object, lookup, options) => {
        translated.push(keyOf(object));
        return translateRoot(object, lookup, options);
      },
    },
  };
}

test('a change that reaches many roots goes on where a run that died has left it', () =>
  withIngresses(12, async (plane) => {
    const { cluster } = plane;
    cluster.put(plugin('limits', { minute: 1 }));
    const limited = { annotations: { 'konghq.com/plugins': 'limits' } };
    for (let n = 0; n < 12; n += 1) cluster.put(ingress(`web-${n}`, [`a${n}.test / echo 80`], limited));
    await heal(plane);
    const { dependencies, translated } = watched(plane, 5);
    const change = cluster.put(plugin('limits', { minute: 2 }));
    const messages = [{ id: 'one', change }];
    const tools = { sleep: async () => undefined, earlyDelaysMs: [] };
    // The function ends before its last slice, then another change gets through, then the message comes again.
    let slices = 0;
    const dying = async (request: Parameters<typeof runSlice>[0]): Promise<SliceResult> => {
      slices += 1;
      if (slices === 3) throw new Error('the function was ended');
      return runSlice(request, dependencies);
    };
    await assert.rejects(syncBatch(messages, { ...tools, run: dying, remainingMs: () => 60_000 }));
    assert.equal(new Set(translated).size, 10);
    const other = await runSlice({ changes: [cluster.put(ingress('new', ['new.test / echo 80']))] }, dependencies);
    assert.deepEqual(other.roots, ['Ingress/default/new']);
    translated.length = 0;
    const run = (request: Parameters<typeof runSlice>[0]): Promise<SliceResult> => runSlice(request, dependencies);
    const report = await syncBatch(messages, { ...tools, run, remainingMs: () => 60_000 });
    assert.deepEqual(report.failed, []);
    assert.equal(translated.length, 2);
    await assertSettled(plane);
    // A new state of the plugin begins anew.
    translated.length = 0;
    await runSlice({ changes: [cluster.put(plugin('limits', { minute: 3 }))] }, dependencies);
    assert.equal(translated.length, 5);
  }));

test('out of time again and again, a change of very many roots still comes to its end', () =>
  withIngresses(10, async (plane) => {
    const { cluster } = plane;
    await heal(plane);
    const { dependencies } = watched(plane, 3);
    const change = cluster.put(service('echo', 80, { 'konghq.com/read-timeout': '1000' }));
    let invocations = 0;
    for (let failed = 1; failed > 0; invocations += 1) {
      let slices = 0;
      const run = (request: Parameters<typeof runSlice>[0]): Promise<SliceResult> => {
        slices += 1;
        return runSlice(request, dependencies);
      };
      const tools = {
        run,
        sleep: async () => undefined,
        earlyDelaysMs: [],
        remainingMs: () => (slices === 0 ? 60_000 : 0),
      };
      failed = (await syncBatch([{ id: 'one', change }], tools)).failed.length;
      assert.ok(invocations < 10);
    }
    assert.equal(invocations, 4);
    await assertSettled(plane);
  }));

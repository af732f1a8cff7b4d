import assert from 'node:assert/strict';
import test from 'node:test';
import type { KubernetesObject } from '../../shared/kubernetes/resources.ts';
import { runSlice, type SliceResult } from '../../shared/slice.ts';
import { counts, type ControlPlane } from '../support/control-plane.ts';
import { usePlanes } from '../support/planes.ts';

const withPlanes = usePlanes();
const withPlane = (work: (plane: ControlPlane) => Promise<void>): Promise<void> => withPlanes(0, work);

const OUR_CLASS = { 'kubernetes.io/ingress.class': 'kong' };

function consumer(name: string, createdAt: string): KubernetesObject & { readonly username: string } {
  const object = {
    apiVersion: 'configuration.konghq.com/v1',
    kind: 'KongConsumer',
    metadata: { name, namespace: 'default', creationTimestamp: createdAt, annotations: OUR_CLASS },
    username: name,
    custom_id: 'the-same',
  };
  return object;
}

function globalPlugin(plugin: string, createdAt: string): KubernetesObject & { readonly plugin: string } {
  const object = {
    apiVersion: 'configuration.konghq.com/v1',
    kind: 'KongClusterPlugin',
    metadata: { name: plugin, creationTimestamp: createdAt, labels: { global: 'true' }, annotations: OUR_CLASS },
    plugin,
    instance_name: 'the-same',
  };
  return object;
}

function keySet(name: string): KubernetesObject & { readonly spec: object } {
  return {
    apiVersion: 'configuration.konghq.com/v1alpha1',
    kind: 'KongCustomEntity',
    metadata: { name: 'keys', namespace: 'default' },
    spec: { type: 'key_sets', controllerName: 'kong', fields: { name } },
  };
}

const OLD = '2026-01-01T00:00:00Z';
const YOUNG = '2026-02-01T00:00:00Z';

function told(result: SliceResult): string[] {
  return result.findings.map(({ reason, object }) => `${reason} ${object.name}`);
}

const held: readonly [string, readonly [KubernetesObject, KubernetesObject], string][] = [
  ['a custom_id', [consumer('old', OLD), consumer('young', YOUNG)], 'consumers'],
  ['an instance name', [globalPlugin('cors', OLD), globalPlugin('correlation-id', YOUNG)], 'plugins'],
];
for (const [title, [first, second], type] of held) {
  test(`${title} stays with whoever has it in Kong, the other one waits with a finding`, () =>
    withPlane(async (plane) => {
      const { cluster, dependencies } = plane;
      const one = cluster.put(first);
      assert.deepEqual(told(await runSlice({ changes: [one] }, dependencies)), []);
      const rows = await plane.rows();
      const two = cluster.put(second);
      const waiting = await runSlice({ changes: [two] }, dependencies);
      assert.deepEqual(told(waiting), [`KongKeyHeld ${second.metadata.name}`]);
      assert.deepEqual(await plane.rows(), rows);

      const gone = cluster.remove(first.kind, first.metadata.namespace ?? '', first.metadata.name);
      const moved = await runSlice({ changes: [gone, two] }, dependencies);
      assert.deepEqual(told(moved), []);
      assert.deepEqual(await counts(plane), { [type]: 1 });
    }));

  test(`${title} wanted by two new ones goes to one of them, and the other one has a finding`, () =>
    withPlane(async (plane) => {
      const { cluster, dependencies } = plane;
      const changes = [cluster.put(first), cluster.put(second)];
      const result = await runSlice({ changes }, dependencies);
      assert.equal(result.findings.length, 1, JSON.stringify(told(result)));
      assert.equal(result.findings[0]?.reason, 'KongRejected');
      assert.deepEqual(await counts(plane), { [type]: 1 });
    }));
}

test('a KongCustomEntity is written to a Kong with a database, changed and deleted', () =>
  withPlane(async (plane) => {
    const { cluster, dependencies, pool } = plane;
    for (const name of ['before', 'after']) {
      assert.deepEqual(told(await runSlice({ changes: [cluster.put(keySet(name))] }, dependencies)), []);
      const { rows } = await pool.query<{ name: string; tags: readonly string[] }>('SELECT name, tags FROM key_sets');
      assert.deepEqual(
        rows.map((row) => [row.name, row.tags.includes('managed-by-ingress-controller')]),
        [[name, true]],
      );
    }
    await runSlice({ changes: [cluster.remove('KongCustomEntity', 'default', 'keys')] }, dependencies);
    assert.deepEqual(await counts(plane), {});
  }));

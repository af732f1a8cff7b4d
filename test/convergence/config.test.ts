import assert from 'node:assert/strict';
import { test } from 'node:test';
import { convergenceConfig } from '../../shared/convergence/config.ts';
import { preflight } from '../../shared/convergence/preflight.ts';
import { AppError } from '../../shared/errors.ts';
import { kongRoot } from '../../shared/kong/root.ts';

test('settings: unless told otherwise there may be a second control plane, and the rows decide who lives', () => {
  assert.deepEqual(convergenceConfig({}), {
    controlPlanes: 2,
    live: { kind: 'seen', forgetAfterMs: 300_000 },
    silentAfterMs: 45_000,
    incompatible: 'block',
    pushInvalidate: false,
    probeUrls: new Map(),
    status: { urls: new Map(), podPort: undefined },
  });
  assert.deepEqual(
    convergenceConfig({
      KONG_DATA_PLANES: ' dp-1, dp-2,',
      KONG_CONTROL_PLANES: '1',
      KONG_DATA_PLANE_SILENT_SECONDS: '4',
      KONG_INCOMPATIBLE_DATA_PLANES: 'ignore',
    }),
    {
      controlPlanes: 1,
      live: { kind: 'list', nodes: ['dp-1', 'dp-2'] },
      silentAfterMs: 4_000,
      incompatible: 'ignore',
      pushInvalidate: false,
      probeUrls: new Map(),
      status: { urls: new Map(), podPort: undefined },
    },
  );
  const cluster = { KONG_CLUSTER_URL: 'wss://cp:8005', KONG_CLUSTER_CERTIFICATE: 'c', KONG_CLUSTER_KEY: 'k' };
  const more = {
    KONG_DATA_PLANE_SERVICE: 'kong/dp',
    KONG_STATUS_URLS: 'a=http://h:1,b=http://h:2',
    KONG_PROBE_URLS: 'a=http://h:3',
  };
  const found = convergenceConfig({ ...cluster, ...more, KONG_DATA_PLANE_STATUS_PORT: '8100' });
  assert.deepEqual([found.cluster?.ca, found.cluster?.serverName], ['c', 'kong_clustering']);
  assert.deepEqual([found.service, found.status.podPort], [{ namespace: 'kong', name: 'dp' }, 8100]);
  assert.equal(found.status.urls.get('b'), 'http://h:2');
  assert.equal(found.probeUrls?.get('a'), 'http://h:3');
  for (const bad of [
    { ...cluster, KONG_CLUSTER_KEY: '' },
    { ...cluster, KONG_CLUSTER_URL: 'https://cp:8005' },
    { KONG_DATA_PLANE_SERVICE: 'dp' },
    { KONG_STATUS_URLS: 'http://h:1' },
    { KONG_PROBE_URLS: 'http://h:1' },
    { KONG_CONTROL_PLANES: '0' },
    { KONG_DATA_PLANE_FORGET_SECONDS: '10' },
    { KONG_INCOMPATIBLE_DATA_PLANES: 'no' },
  ]) {
    assert.throws(
      () => convergenceConfig(bad),
      (error: unknown) => error instanceof AppError && error.code === 'CONFIG_INVALID',
    );
  }
});

const settings = (more: Readonly<Record<string, unknown>>): unknown => ({
  version: '3.9.3',
  configuration: {
    role: 'control_plane',
    db_update_frequency: 0.5,
    worker_state_update_frequency: 0.5,
    cluster_max_payload: 16_777_216,
    ...more,
  },
});

const warned: readonly (readonly [setting: string, value: unknown, entities: number])[] = [
  ['db_update_frequency', 5, 0],
  ['db_update_propagation', 1, 0],
  ['pg_ro_host', 'replica', 0],
  ['cluster_max_payload', 1_048_576, 20_000],
  ['worker_consistency', 'strict', 0],
];

for (const [setting, value, entities] of warned) {
  test(`preflight warns of ${setting}`, () => {
    const root = kongRoot(settings({ [setting]: value }));
    const [warning, ...more] = preflight([root, root], entities);
    assert.match(warning ?? '', new RegExp(`^${setting}`));
    assert.deepEqual(more, [], 'once for all nodes');
  });
}

test('preflight warns of slow workers in traditional mode, of nodes that match differently, and of nothing else', () => {
  const quiet = kongRoot(settings({}));
  assert.deepEqual(preflight([quiet], 1_000), []);
  assert.deepEqual(preflight([kongRoot(settings({ worker_state_update_frequency: 5 }))], 0), []);
  const slow = kongRoot(settings({ role: 'traditional', worker_state_update_frequency: 5 }));
  assert.match(preflight([slow], 0)[0] ?? '', /^worker_state_update_frequency/);
  const other = kongRoot(settings({ router_flavor: 'expressions' }));
  assert.match(preflight([quiet, other], 0)[0] ?? '', /^router_flavor/);
});

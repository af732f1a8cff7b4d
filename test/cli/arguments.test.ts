import assert from 'node:assert/strict';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { withCluster } from '../../shared/cli/kubernetes.ts';
import { changeOf } from '../../shared/cli/sync.ts';
import { timeoutOf, together } from '../../shared/cli/wait.ts';
import { table } from '../../shared/cli/print.ts';
import { warningLines } from '../../shared/cli/verdicts.ts';
import type { DataPlaneState, Verdict } from '../../shared/convergence/types.ts';
import { kongIngress } from './support.ts';

const COMMANDS = ['translate', 'diff', 'sync', 'reconcile', 'converge', 'status', 'wait'];
const NOW = '2026-01-01T00:00:00Z';

test('the usage names every command', async () => {
  const { code, stdout } = await kongIngress(['--help']);
  assert.equal(code, 0);
  for (const command of COMMANDS) assert.match(stdout, new RegExp(`^  ${command} `, 'm'));
});

for (const command of COMMANDS) {
  test(`${command} explains itself, and refuses what it does not know`, async () => {
    const [help, bad] = await Promise.all([kongIngress([command, '--help']), kongIngress([command, '--nonsense'])]);
    assert.deepEqual([help.code, help.stderr], [0, '']);
    assert.match(help.stdout, new RegExp(`^usage: kong-ingress ${command} `));
    assert.deepEqual([bad.code, bad.stdout], [1, '']);
    assert.match(bad.stderr, /^(ARGUMENTS|CONFIG)_INVALID .*nonsense/);
    assert.ok(bad.stderr.includes(`${command} `), bad.stderr);
  });
}

const KONG = { KONG_ADMIN_URL: 'http://127.0.0.1:1', KONG_DATABASE_URL: 'postgres://kong:top-secret@127.0.0.1:1/kong' };

for (const [name, args, env, error] of [
  ['no command', [], {}, /^usage: /],
  ['an unknown command', ['apply'], {}, /^usage: /],
  ['a name of every object', ['constructor'], {}, /^usage: /],
  ['no object', ['sync'], {}, /^ARGUMENTS_INVALID no object is named/],
  ['an unknown kind', ['sync', 'pod/default/a'], {}, /^ARGUMENTS_INVALID pod\/default\/a: pod is no kind/],
  ['a missing namespace', ['sync', 'ingress/a'], {}, /^ARGUMENTS_INVALID ingress\/a is not Ingress\/NAMESPACE\/NAME/],
  ['nothing to wait for', ['wait'], {}, /^ARGUMENTS_INVALID --for must be converged/],
  ['another thing to wait for', ['wait', '--for', 'deleted'], {}, /^ARGUMENTS_INVALID --for must be converged/],
  [
    'a timeout without a unit',
    ['wait', '--for', 'converged', '--timeout', '60'],
    {},
    /^ARGUMENTS_INVALID --timeout 60/,
  ],
  ['no Kong', ['status'], {}, /^CONFIG_INVALID KONG_DATABASE_URL is not set/],
  [
    'an index database that is no URL',
    ['wait', '--for', 'converged'],
    { ...KONG, KONG_STATE_DATABASE_URL: 'postgres://kong:top-secret@[' },
    /^CONFIG_INVALID KONG_STATE_DATABASE_URL /,
  ],
  ['no cluster', ['diff'], KONG, /^CONFIG_INVALID KUBERNETES_URL is not set/],
  ['a kubeconfig that is not there', ['diff', '--kubeconfig', '/nowhere'], KONG, /^KUBECONFIG_INVALID \/nowhere/],
  ['the same by KUBECONFIG', ['reconcile'], { ...KONG, KUBECONFIG: '/nowhere' }, /^KUBECONFIG_INVALID \/nowhere/],
  ['a database that does not answer', ['status'], KONG, /^INDEX_UNAVAILABLE /],
  ['a Kong that does not answer', ['diff'], { ...KONG, KUBERNETES_URL: 'http://127.0.0.1:1' }, /^KONG_UNREACHABLE /],
] as const) {
  test(`${name} ends with exit code 1 and a reason`, async () => {
    const { code, stdout, stderr } = await kongIngress(args, env);
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, error);
    assert.doesNotMatch(stderr, /top-secret|\n +at /);
  });
}

test('a fault of ours shows no more than the error itself', async (context) => {
  const directory = await mkdtemp(path.join(tmpdir(), 'kong-ingress-arguments-'));
  context.after(() => rm(directory, { recursive: true }));
  await symlink(path.join(directory, 'gone'), path.join(directory, 'a.yaml'));
  const { code, stderr } = await kongIngress(['translate', '-f', directory]);
  assert.equal(code, 1);
  assert.match(stderr, /^(INTERNAL|CONFIG_INVALID) /);
  assert.doesNotMatch(stderr, /errno|syscall:/);
});

test('objects are named by kind or plural, with a namespace where the kind has one', () => {
  const refs = ['Ingress/shop/web', 'ingresses/shop/web', 'INGRESSCLASS/kong', 'kongplugins/a/b'].map((item) => {
    const { kind, group, namespace, name, cluster } = changeOf(item, 'c', NOW).ref;
    return [cluster, group, kind, namespace, name].join(' ');
  });
  assert.deepEqual(refs, [
    'c networking.k8s.io Ingress shop web',
    'c networking.k8s.io Ingress shop web',
    'c networking.k8s.io IngressClass  kong',
    'c configuration.konghq.com KongPlugin a b',
  ]);
  for (const bad of ['', '/', 'ingress', 'ingress//web', 'ingress/shop/', 'ingress/a/b/c', 'ingressclass/a/b', 'x/y']) {
    assert.throws(() => changeOf(bad, 'c', NOW), { code: 'ARGUMENTS_INVALID' }, bad);
  }
});

test('timeouts are whole numbers with a unit', () => {
  assert.deepEqual(['500ms', '60s', '2m', '0s'].map(timeoutOf), [500, 60_000, 120_000, 0]);
  for (const bad of ['', 's', '60', '-1s', '1.5s', '1h', '1 s', '9999999s'])
    assert.throws(() => timeoutOf(bad), { code: 'ARGUMENTS_INVALID' }, bad);
});

function verdicts(...states: readonly DataPlaneState[]): { readonly verdicts: readonly Verdict[] } {
  return {
    verdicts: states.map((state, n) => {
      const node = String(n);
      return {
        node,
        name: node,
        state,
        revision: undefined,
        evidence: 'bound',
        proof: undefined,
        marginMs: undefined,
        reason: '',
        sinceWriteMs: undefined,
      };
    }),
  };
}

test('only data planes that are all converged are converged; one that is not decides over one that is unknown', () => {
  assert.equal(together(verdicts()), 'unknown');
  assert.equal(together(verdicts('converged', 'converged')), 'converged');
  assert.equal(together(verdicts('converged', 'unknown')), 'unknown');
  for (const state of ['applying', 'rejecting', 'incompatible', 'partitioned'] as const) {
    assert.equal(together(verdicts('converged', state)), 'not converged');
    assert.equal(together(verdicts('unknown', state)), 'not converged');
  }
});

test('KUBERNETES_URL comes before KUBECONFIG, and --kubeconfig before both', async () => {
  const env = { KUBERNETES_URL: 'http://127.0.0.1:1', KUBECONFIG: '/nowhere' };
  assert.equal(await withCluster(env, undefined), env);
  await assert.rejects(withCluster(env, '/elsewhere'), { code: 'KUBECONFIG_INVALID', message: /elsewhere/ });
  await assert.rejects(withCluster({ KUBECONFIG: '/nowhere' }, undefined), { code: 'KUBECONFIG_INVALID' });
});

test('a table is as wide as its cells', () => {
  assert.deepEqual(
    table(
      ['a', 'state'],
      [
        ['long', 'x'],
        ['b', ''],
      ],
    ),
    ['a     state', 'long  x', 'b'],
  );
});

test("what Kong's settings cost is a line each", () => {
  assert.deepEqual(warningLines(['a is 5 s', 'b is set']), ['warning: a is 5 s', 'warning: b is set']);
  assert.deepEqual(warningLines([]), []);
});

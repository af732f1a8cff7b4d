import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { REASONS, display, finding, groupVersion, refOf } from '../shared/findings.ts';

const OBJECT = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name: 'web', namespace: 'shop' },
};

/** Every text below this folder whose name ends so, by path. */
function texts(ending: string): readonly string[] {
  const files = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' });
  return files
    .filter((file) => file.endsWith(ending))
    .map((file) => readFileSync(path.join(import.meta.dirname, file), 'utf8'));
}

test('every reason is shown by a golden case, or expected by a test', () => {
  const golden = texts('.golden.yaml').join('\n');
  const tests = texts('.test.ts').join('\n');
  for (const reason of Object.keys(REASONS)) {
    const shown = new RegExp(`^ +reason: ${reason}$`, 'm').test(golden);
    assert.ok(shown || new RegExp(`['\`]${reason}\\b`).test(tests), reason);
  }
});

test('golden cases give no reason that the table lacks', () => {
  const given = new Set(
    texts('.golden.yaml').flatMap((text) => [...text.matchAll(/^ +reason: (\w+)$/gm)].map((m) => m[1] ?? '')),
  );
  assert.ok(given.size > 30);
  for (const reason of given) assert.ok(Object.hasOwn(REASONS, reason), reason);
});

test('a finding names the object, the detail and what to do', () => {
  const ref = refOf('prod', OBJECT);
  assert.deepEqual(ref, {
    cluster: 'prod',
    group: 'networking.k8s.io',
    version: 'v1',
    kind: 'Ingress',
    namespace: 'shop',
    name: 'web',
  });
  assert.deepEqual(finding(ref, 'InvalidTag', 'annotation konghq.com/tags holds "a/b"'), {
    object: ref,
    severity: 'warning',
    reason: 'InvalidTag',
    message: `Ingress shop/web: annotation konghq.com/tags holds "a/b". ${REASONS.InvalidTag.nextStep}`,
  });
});

test('a long detail is cut', () => {
  const { message } = finding(refOf('prod', OBJECT), 'InvalidPath', 'x'.repeat(5_000));
  assert.ok(message.length < 600);
  assert.ok(message.includes('x…. '));
});

test('refs of core and of cluster-wide kinds', () => {
  assert.deepEqual(groupVersion('v1'), { group: '', version: 'v1' });
  const vault = { apiVersion: 'configuration.konghq.com/v1alpha1', kind: 'KongVault', metadata: { name: 'env' } };
  assert.equal(display(refOf('prod', vault)), 'KongVault env');
});

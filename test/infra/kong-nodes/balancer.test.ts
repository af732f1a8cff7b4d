import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createBalancer, parseTarget } from '../../../infra/local/kong/proxy/balancer.ts';
import { uuid } from './fixtures.ts';

for (const [target, host, port] of [
  ['10.0.0.1:80', '10.0.0.1', 80],
  ['10.0.0.1', '10.0.0.1', 8000],
  ['echo.apps.svc:8080', 'echo.apps.svc', 8080],
  ['[::1]:81', '::1', 81],
  ['[fe80::1]', 'fe80::1', 8000],
] as const) {
  test(`target ${target}`, () => assert.deepEqual(parseTarget(target), { host, port }));
}

test('over one round each target takes exactly as many requests as its weight says', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20), { maxLength: 6 }), (weights) => {
      const targets = weights.map((weight, index) => ({ target: `10.0.0.${index}:80`, weight }));
      const balancer = createBalancer({ id: uuid(1), name: 'u', hostHeader: undefined, targets });
      const round = weights.reduce((sum, weight) => sum + weight, 0);
      const taken = weights.map(() => 0);
      for (let request = 0; request < round; request += 1) {
        const peer = balancer.next();
        const index = targets.findIndex(({ target }) => parseTarget(target).host === peer?.host);
        taken[index] = (taken[index] ?? 0) + 1;
      }
      assert.deepEqual(taken, weights);
      if (round === 0) assert.equal(balancer.next(), undefined);
    }),
  );
});

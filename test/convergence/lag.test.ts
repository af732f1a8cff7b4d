import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lagOf } from '../../shared/convergence/lag.ts';
import type { RevisionRecord } from '../../shared/convergence/revisions.ts';

/** Written at 100 s, 110 s and 120 s, newest first; those up to `proven` converged. */
function revisions(proven: number): readonly RevisionRecord[] {
  return [3, 2, 1].map((n) => ({
    id: String(n),
    changes: 1,
    startedAt: 90_000 + n * 10_000,
    writtenAt: 90_000 + n * 10_000,
    convergedAt: n <= proven ? 200_000 : undefined,
  }));
}

for (const { says, state, revision, proven, lag } of [
  { says: 'one that has all is not behind', state: 'converged', revision: '3', proven: 3, lag: [0, 0] },
  { says: 'one behind the newest', state: 'applying', revision: '2', proven: 1, lag: [1, 10] },
  {
    says: 'two behind, where only the oldest was proven',
    state: 'applying',
    revision: undefined,
    proven: 1,
    lag: [2, 20],
  },
  { says: 'nothing was ever proven', state: 'partitioned', revision: undefined, proven: 0, lag: [3, 30] },
  { says: 'a newcomer behind others that have all', state: 'applying', revision: undefined, proven: 3, lag: [1, 10] },
  { says: 'nothing is known', state: 'unknown', revision: undefined, proven: 0, lag: undefined },
] as const) {
  test(`lag: ${says}`, () => {
    const found = lagOf({ state, revision }, revisions(proven), 130_000);
    assert.deepEqual(found === undefined ? undefined : [found.revisions, found.seconds], lag);
  });
}

test('lag: nothing is written', () => {
  assert.deepEqual(lagOf({ state: 'applying', revision: undefined }, [], 0), { revisions: 0, seconds: 0 });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { DataPlaneState } from '../../shared/convergence/types.ts';
import { STALE_MS, statusOf, type Recorded } from '../../shared/page/status.ts';
import { judged, NOW, recorded, revision } from './samples.ts';

const STATES: readonly DataPlaneState[] = [
  'converged',
  'applying',
  'rejecting',
  'incompatible',
  'partitioned',
  'unknown',
];

const open = [revision('9', 3, true), revision('8', 20)];

for (const { says, given, overall, states } of [
  { says: 'two that have everything', given: {}, overall: 'served', states: ['converged', 'converged'] },
  {
    says: 'a write after the last check takes the proof away',
    given: { revisions: open },
    overall: 'applying',
    states: ['applying', 'applying'],
  },
  {
    says: 'one has it, the other not yet',
    given: { revisions: open, verdicts: [judged('a', 'converged', '9'), judged('b', 'applying', '8')] },
    overall: 'applying',
    states: ['applying', 'converged'],
  },
  {
    says: 'trouble comes before everything else',
    given: {
      verdicts: [judged('a', 'unknown', undefined), judged('b', 'applying', '7'), judged('c', 'partitioned', '7')],
    },
    overall: 'trouble',
    states: ['partitioned', 'unknown', 'applying'],
  },
  {
    says: 'what is unknown is not served',
    given: { verdicts: [judged('a', 'converged', '8'), judged('b', 'unknown', undefined)] },
    overall: 'unknown',
    states: ['unknown', 'converged'],
  },
  { says: 'no data plane proves nothing', given: { verdicts: [] }, overall: 'unknown', states: [] },
  {
    says: 'the last check is too long ago',
    given: { checkedAt: NOW - STALE_MS - 1 },
    overall: 'unknown',
    states: ['unknown', 'unknown'],
  },
  { says: 'there was no check', given: { checkedAt: undefined }, overall: 'unknown', states: ['unknown', 'unknown'] },
  { says: 'nothing was written', given: { revisions: [], entities: 0, verdicts: [] }, overall: 'empty', states: [] },
] satisfies readonly {
  readonly says: string;
  readonly given: Partial<Recorded>;
  readonly overall: string;
  readonly states: readonly DataPlaneState[];
}[]) {
  test(`status: ${says}`, () => {
    const status = statusOf(recorded(given));
    assert.equal(status.overall, overall);
    assert.deepEqual(
      status.dataPlanes.map(({ state }) => state),
      states,
    );
    for (const { state, proof, since } of status.dataPlanes) {
      if (state !== 'converged') assert.equal(proof, undefined);
      if (overall === 'unknown' && states.every((item) => item === 'unknown')) assert.equal(since, undefined);
    }
  });
}

const verdicts = fc.array(
  fc.record({
    name: fc.constantFrom('a', 'b', 'c', 'd'),
    state: fc.constantFrom(...STATES),
    at: fc.constantFrom('7', '8'),
  }),
  { maxLength: 4 },
);

test('status: served only with a fresh check that found every data plane to have the newest revision', () => {
  fc.assert(
    fc.property(verdicts, fc.integer({ min: 0, max: 2 * STALE_MS }), (given, age) => {
      const { overall } = statusOf(
        recorded({ checkedAt: NOW - age, verdicts: given.map(({ name, state, at }) => judged(name, state, at)) }),
      );
      const all = given.length > 0 && given.every(({ state, at }) => state === 'converged' && at === '8');
      assert.equal(overall === 'served', all && age <= STALE_MS);
    }),
  );
});

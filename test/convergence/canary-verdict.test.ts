import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canaryOpinion, CONNECTIONS, type CanarySeen } from '../../shared/convergence/canary-verdict.ts';
import { strongest } from '../../shared/convergence/opinion-verdict.ts';
import { traditionalVerdicts } from '../../shared/convergence/traditional-verdict.ts';
import type { Revision } from '../../shared/convergence/types.ts';

const revision = (id: string, epoch: number | undefined): Revision => ({
  id,
  changes: 1,
  startedAt: 900,
  writtenAt: 1_000,
  snapshotXmax: '5',
  convergedAt: undefined,
  epoch,
});

const REVISIONS = [revision('9', 30), revision('8', undefined), revision('7', 20)];

/** All connections, but for the last ones, gave `epoch`. */
function seen(epoch: number | undefined, last: readonly (number | undefined)[] = []): CanarySeen['answers'] {
  return [...Array.from({ length: CONNECTIONS - last.length }, () => epoch), ...last];
}

const CASES: readonly (readonly [title: string, seen: CanarySeen, said: readonly unknown[] | RegExp])[] = [
  ['all have it', { answers: seen(30), failure: undefined }, ['converged', '9', 'serving']],
  ['one of them an older one', { answers: seen(30, [20]), failure: undefined }, ['applying', '7', undefined]],
  ['one of them none', { answers: seen(30, [undefined]), failure: undefined }, ['applying', undefined, undefined]],
  ['all an older one', { answers: seen(20), failure: undefined }, ['applying', '7', undefined]],
  ['an older one, then silence', { answers: [30, 20], failure: 'silence' }, ['applying', undefined, undefined]],
  ['silence at the last one', { answers: seen(30).slice(1), failure: 'silence' }, /silence/],
  ['silence at once', { answers: [], failure: 'silence' }, /silence/],
  ['too few', { answers: seen(30).slice(1), failure: undefined }, /too few/],
];

for (const [title, answers, said] of CASES) {
  test(`the canary: ${title}`, () => {
    const opinion = canaryOpinion(REVISIONS, answers);
    if (said instanceof RegExp) {
      assert.ok('unavailable' in opinion);
      assert.match(opinion.unavailable, said);
      return;
    }
    assert.ok('state' in opinion);
    assert.deepEqual([opinion.state, opinion.revision, opinion.proof], said);
  });
}

test('a revision that was written without the canary is not judged by it', () => {
  const opinion = canaryOpinion(REVISIONS.slice(1), { answers: seen(30), failure: undefined });
  assert.ok('unavailable' in opinion);
});

test('no weaker evidence overrules an older epoch, and one that is missing is said', () => {
  const weaker = {
    evidence: 'shadow',
    state: 'converged',
    revision: '9',
    proof: 'stored',
    marginMs: 1,
    reason: 'it has it',
  } as const;
  const late = canaryOpinion(REVISIONS, { answers: [20], failure: 'silence' });
  assert.deepEqual([strongest([weaker, late]).state, strongest([weaker, late]).evidence], ['applying', 'canary']);
  const missing = strongest([weaker, canaryOpinion(REVISIONS, { answers: [], failure: 'silence' })]);
  assert.deepEqual([missing.state, missing.evidence], ['converged', 'shadow']);
  assert.match(missing.reason, /canary: silence/);
});

/** A traditional node whose longest delay ends 5 s after the write. */
function judge(now: number, answers: CanarySeen['answers']): unknown {
  const [verdict] = traditionalVerdicts({
    now,
    revisions: REVISIONS,
    lastEvents: REVISIONS.map(() => ({ last: 1_000, versions: {}, balancer: false })),
    nodes: [{ node: 'n', boundMs: 5_000, rebuildMs: 1_000, versions: [] }],
    told: false,
    canaries: new Map([['n', canaryOpinion(REVISIONS, { answers, failure: undefined })]]),
  });
  return [verdict?.state, verdict?.evidence, verdict?.proof];
}

test('traditional: the canary decides before and after the time is over', () => {
  assert.deepEqual(judge(1_001, seen(30)), ['converged', 'canary', 'serving']);
  assert.deepEqual(judge(900_000, seen(30, [20])), ['applying', 'canary', undefined]);
});

import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { condition, OBJECT_REASONS, programmed } from '../../shared/status/condition.ts';
import { mergeStatus, statusHash } from '../../shared/status/merge.ts';
import { proofOf } from '../../shared/status/proof.ts';
import type { Condition, DesiredStatus } from '../../shared/status/types.ts';

const NOW = '2026-06-01T00:00:00Z';
const BEFORE = '2026-01-01T00:00:00Z';
const OURS = 'konghq.com/kic-gateway-controller';
const MOMENT = { now: NOW, controller: OURS };

function written(item: Condition, more: object = {}): object {
  return { ...item, observedGeneration: 1, lastTransitionTime: BEFORE, ...more };
}

function object(status: unknown, generation = 1): Parameters<typeof mergeStatus>[0] {
  return { metadata: { generation }, status };
}

const YES = condition('Accepted', 'True', 'Accepted', 'yes');
const NO = condition('Accepted', 'False', 'Invalid', 'no');
const THEIRS = { type: 'example.com/Seen', status: 'True', reason: 'X', message: '', lastTransitionTime: BEFORE };

interface Case {
  readonly title: string;
  readonly before: unknown;
  readonly desired: DesiredStatus;
  readonly expected: unknown;
}

const ref = { name: 'edge', sectionName: 'http' };
const entry = (item: Condition, controllerName = OURS, parentRef: object = ref): object => ({
  parentRef,
  controllerName,
  conditions: [written(item)],
});
const routes = (...items: readonly Condition[][]): DesiredStatus => ({
  generation: 1,
  entries: { field: 'parents', items: items.map((conditions) => ({ ref, conditions })), limit: 2 },
});

const CASES: readonly Case[] = [
  {
    title: 'an empty status gets the condition, now',
    before: undefined,
    desired: { generation: 1, conditions: [YES] },
    expected: { conditions: [{ ...YES, observedGeneration: 1, lastTransitionTime: NOW }] },
  },
  {
    title: 'nothing changes: nothing is written',
    before: { conditions: [written(YES)] },
    desired: { generation: 1, conditions: [YES] },
    expected: undefined,
  },
  {
    title: 'the same status under a new generation keeps its time',
    before: { conditions: [written(YES)] },
    desired: { generation: 2, conditions: [YES] },
    expected: { conditions: [{ ...YES, observedGeneration: 2, lastTransitionTime: BEFORE }] },
  },
  {
    title: 'another status has another time',
    before: { conditions: [written(YES)] },
    desired: { generation: 1, conditions: [NO] },
    expected: { conditions: [{ ...NO, observedGeneration: 1, lastTransitionTime: NOW }] },
  },
  {
    title: 'what was said of a newer generation stays',
    before: { conditions: [written(YES, { observedGeneration: 3 })] },
    desired: { generation: 2, conditions: [NO] },
    expected: undefined,
  },
  {
    title: 'conditions of others stay where they are',
    before: { conditions: [THEIRS, written(NO)] },
    desired: { generation: 1, conditions: [YES] },
    expected: { conditions: [THEIRS, { ...YES, observedGeneration: 1, lastTransitionTime: NOW }] },
  },
  {
    title: 'a condition of ours that holds no longer goes',
    before: { conditions: [written(YES), written(condition('PartiallyInvalid', 'True', 'UnsupportedValue', ''))] },
    desired: { generation: 1, conditions: [YES] },
    expected: { conditions: [written(YES)] },
  },
  {
    title: 'entries of others stay, also for the same parent',
    before: { parents: [entry(YES, 'example.com/other'), entry(NO)] },
    desired: routes([YES]),
    expected: {
      parents: [
        entry(YES, 'example.com/other'),
        {
          parentRef: ref,
          controllerName: OURS,
          conditions: [{ ...YES, observedGeneration: 1, lastTransitionTime: NOW }],
        },
      ],
    },
  },
  {
    title: 'an entry whose parent is not named any more goes',
    before: { parents: [entry(YES), entry(YES, OURS, { name: 'gone' })] },
    desired: routes([YES]),
    expected: { parents: [entry(YES)] },
  },
  {
    title: 'a list that others have filled gets no more',
    before: { parents: [entry(YES, 'example.com/a'), entry(YES, 'example.com/b')] },
    desired: routes([YES]),
    expected: undefined,
  },
  {
    title: 'no entries in a status that has none are no change',
    before: {},
    desired: routes(),
    expected: undefined,
  },
  {
    title: 'addresses are written whole, and their ports’ state is somebody else’s',
    before: { loadBalancer: { ingress: [{ ip: '10.0.0.1', ports: [{ port: 80, protocol: 'TCP' }] }] } },
    desired: { loadBalancer: [{ ip: '10.0.0.1' }] },
    expected: undefined,
  },
  {
    title: 'a listener that is gone goes',
    before: { listeners: [{ name: 'old', supportedKinds: [], attachedRoutes: 1, conditions: [] }] },
    desired: { generation: 1, listeners: [{ name: 'new', supportedKinds: [], attachedRoutes: 0, conditions: [YES] }] },
    expected: {
      listeners: [
        {
          name: 'new',
          supportedKinds: [],
          attachedRoutes: 0,
          conditions: [{ ...YES, observedGeneration: 1, lastTransitionTime: NOW }],
        },
      ],
    },
  },
];

for (const { title, before, desired, expected } of CASES) {
  test(title, () => assert.deepEqual(mergeStatus(object(before), desired, MOMENT), expected));
}

function proven(proof: string): DesiredStatus {
  return {
    generation: 1,
    conditions: [programmed(undefined, { state: 'proven', proof }, OBJECT_REASONS)],
  };
}

test('a Programmed that stays true keeps the proof that it was given, and its hash', () => {
  const before = mergeStatus(object(undefined), proven('stored'), MOMENT);
  assert.equal(mergeStatus(object(before), proven('bounded'), { ...MOMENT, now: BEFORE }), undefined);
  assert.equal(statusHash(proven('stored')), statusHash(proven('bounded')));
  const pending = {
    generation: 1,
    conditions: [programmed(undefined, { state: 'pending', adopted: false }, OBJECT_REASONS)],
  };
  assert.notEqual(statusHash(pending), statusHash(proven('stored')));
});

function theirs(list: readonly { readonly controllerName?: unknown }[]): readonly unknown[] {
  return list.filter((item) => item.controllerName !== OURS);
}

test('writing a status twice writes it once, whatever was there before', () => {
  const conditions = fc.array(
    fc.record({
      type: fc.constantFrom('Accepted', 'Programmed', 'ResolvedRefs', 'example.com/Other'),
      status: fc.constantFrom('True', 'False', 'Unknown'),
      reason: fc.constantFrom('A', 'B'),
      message: fc.constantFrom('', 'x'),
      observedGeneration: fc.integer({ min: 1, max: 3 }),
      lastTransitionTime: fc.constantFrom(BEFORE, NOW),
    }),
    { maxLength: 4 },
  );
  const names = fc.constantFrom('a', 'b', 'c');
  const entries = fc.array(
    fc.record({
      parentRef: fc.record({ name: names }),
      controllerName: fc.constantFrom(OURS, 'example.com/other'),
      conditions,
    }),
    { maxLength: 4 },
  );
  const wanted = fc.uniqueArray(names, { maxLength: 3 }).map((all): DesiredStatus => ({
    generation: 2,
    conditions: [YES],
    entries: { field: 'parents', items: all.map((name) => ({ ref: { name }, conditions: [NO] })), limit: 32 },
  }));
  fc.assert(
    fc.property(fc.record({ conditions, parents: entries }), wanted, (status, desired) => {
      const first = mergeStatus(object(status), desired, MOMENT);
      const after = { ...status, ...first };
      assert.equal(mergeStatus(object(after), desired, { ...MOMENT, now: BEFORE }), undefined);
      assert.ok(Array.isArray(after.parents));
      assert.deepEqual(theirs(after.parents), theirs(status.parents));
    }),
  );
});

const VERDICT = {
  node: 'a',
  name: 'a',
  state: 'converged',
  revision: '7',
  evidence: 'agreement',
  proof: 'stored',
  marginMs: 500,
  sinceWriteMs: 0,
  reason: '',
} as const;

const PROOFS = [
  {
    title: 'the weakest proof counts',
    verdicts: [{ ...VERDICT, evidence: 'canary', proof: 'serving', marginMs: undefined } as const, VERDICT],
    expected: /All 2 live data planes run revision 7.*margin 500 ms.*Proof: stored, by agreement/,
  },
  {
    title: 'only time was waited',
    verdicts: [VERDICT, { ...VERDICT, evidence: 'bound', proof: 'bounded', marginMs: undefined } as const],
    expected: /longest delay is over.*Proof: bounded, by bound/,
  },
  {
    title: 'seen serving',
    verdicts: [{ ...VERDICT, evidence: 'canary', proof: 'serving', marginMs: undefined } as const],
    expected: /The live data plane runs revision 7: each was seen serving it/,
  },
];

for (const { title, verdicts, expected } of PROOFS) {
  test(`proof: ${title}`, () => assert.match(proofOf('7', { proven: '7', verdicts }) ?? '', expected));
}

test('proof: what another run proved is not explained by this one’s evidence', () => {
  assert.equal(proofOf('6', { proven: '7', verdicts: [VERDICT] }), undefined);
  assert.equal(proofOf('7', { proven: '7', verdicts: [VERDICT, { ...VERDICT, state: 'applying' }] }), undefined);
  assert.equal(proofOf('7', { proven: '7', verdicts: [] }), undefined);
});

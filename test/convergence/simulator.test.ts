import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { play } from './simulator.ts';
import type { Schedule, Story } from './simulator.ts';

/** Two minutes of looks, so that slow cases come to an end. */
const END_MS = 150_000;

const optional = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(value, { nil: undefined, freq: 8 });
const ms = (max: number): fc.Arbitrary<number> => fc.integer({ min: 0, max });

const looks = fc
  .record({ every: fc.constantFrom(500, 1_000, 5_000, 20_000, 60_000), phase: ms(999) })
  .map(({ every, phase }) => Array.from({ length: Math.floor(END_MS / every) }, (_look, n) => phase + n * every));

const dataPlane = fc.record({
  controlPlane: fc.integer({ min: 0, max: 1 }),
  applyMs: ms(800),
  pingPhaseMs: ms(29_999),
  refusesFrom: optional(fc.integer({ min: 1_000, max: 20_000 })),
  cut: optional(
    fc
      .tuple(ms(30_000), fc.integer({ min: 1_000, max: 60_000 }))
      .map(([from, length]) => [from, from + length] as const),
  ),
});

const slice = fc.record({
  at: ms(40_000),
  gaps: fc.array(fc.oneof(ms(30), ms(2_000)), { minLength: 1, maxLength: 6 }),
  controlPlane: fc.integer({ min: 0, max: 1 }),
  commitMs: ms(500),
});

const schedules: fc.Arbitrary<Schedule> = fc
  .record({
    pauseMs: fc.constantFrom(200, 1_000, 5_000),
    controlPlanes: fc.constantFrom(1, 1, 2),
    dataPlanes: fc.array(dataPlane, { minLength: 1, maxLength: 4 }),
    slices: fc.array(slice, { minLength: 1, maxLength: 3 }).map((list) => serial(list)),
    foreign: fc.array(ms(60_000), { maxLength: 5 }),
    looks,
    lostPings: fc.array(fc.boolean(), { minLength: 3, maxLength: 12 }).map((list) => [...list, false, false, false]),
    skewMs: fc.integer({ min: -60_000, max: 60_000 }),
    exportMs: ms(400),
    live: fc.constant({ kind: 'seen', forgetAfterMs: 300_000 } as const),
  })
  .map((schedule) => ({
    ...schedule,
    // Agreement needs one witness that is connected and takes what it is sent: data planes that all fail alike are
    // beyond what the database alone can show, and the verdict says so.
    dataPlanes: schedule.dataPlanes.map((plane, n) => ({
      ...plane,
      controlPlane: plane.controlPlane % schedule.controlPlanes,
      ...(n === 0 ? { refusesFrom: undefined, cut: undefined } : {}),
    })),
  }));

/** Slices hold a lock: the next one begins when the one before is committed. */
function serial(list: readonly (typeof slice extends fc.Arbitrary<infer S> ? S : never)[]): Schedule['slices'] {
  let free = 0;
  return list
    .toSorted((a, b) => a.at - b.at)
    .map((item) => {
      const at = Math.max(item.at, free);
      free = at + item.gaps.reduce((sum, gap) => sum + gap, 0) + item.commitMs + 1;
      return { ...item, at };
    });
}

/** Says converged for a revision whose last write the data plane does not have. */
function falseVerdicts({ looks: seen, lastWrite }: Story): readonly string[] {
  return seen.flatMap((look) =>
    look.verdicts
      .filter((verdict) => verdict.revision !== undefined)
      .filter((verdict) => (look.stored.get(verdict.node) ?? -1) < (lastWrite.get(verdict.revision ?? '') ?? 0))
      .map((verdict) => `${look.at} ms: ${verdict.node} said to have revision ${verdict.revision}: ${verdict.reason}`),
  );
}

const RUNS = Number(process.env.SIMULATED_SCHEDULES ?? 2_000);

/** Two data planes, nothing broken. */
const CALM: Schedule = {
  pauseMs: 5_000,
  controlPlanes: 1,
  dataPlanes: [0, 400].map((pingPhaseMs) => ({
    controlPlane: 0,
    applyMs: 100,
    pingPhaseMs,
    refusesFrom: undefined,
    cut: undefined,
  })),
  slices: [{ at: 20_000, gaps: [0, 9, 8], controlPlane: 0, commitMs: 5 }],
  foreign: [],
  looks: Array.from({ length: 120 }, (_look, n) => n * 500),
  lostPings: [false],
  skewMs: 0,
  exportMs: 30,
  live: { kind: 'seen', forgetAfterMs: 300_000 },
};

function firstConverged({ looks: seen }: Story): number | undefined {
  return seen.find(({ verdicts }) => verdicts.length > 0 && verdicts.every(({ state }) => state === 'converged'))?.at;
}

test('the simulator pushes a half-written change first, which the rule without its hold would believe', () => {
  const story = play(CALM);
  const agreed = story.looks.find(
    ({ at, stored }) => at > 20_000 && new Set(stored.values()).size === 1 && stored.get('dp-0') !== 0,
  );
  assert.ok(agreed !== undefined);
  assert.ok((agreed.stored.get('dp-0') ?? 9) < (story.lastWrite.get('1') ?? 0), 'both agree on a part of the change');
});

test('a calm change is proven after the push that completes it and the hold, and not before', () => {
  const story = play(CALM);
  const at = firstConverged(story);
  assert.ok(at !== undefined && at >= 20_000 + 5_000 + 8_000 && at <= 20_000 + 5_000 + 8_000 + 2_500, `at ${at} ms`);
  assert.deepEqual(falseVerdicts(story), []);
});

test('a data plane that refuses is named, and the other one is not taken for proven', () => {
  const [first, second] = CALM.dataPlanes;
  assert.ok(first !== undefined && second !== undefined);
  const story = play({
    ...CALM,
    dataPlanes: [first, { ...second, refusesFrom: 10_000 }],
    looks: Array.from({ length: 300 }, (_look, n) => n * 500),
  });
  const last = story.looks.at(-1)?.verdicts ?? [];
  assert.deepEqual(
    last.map(({ node, state }) => [node, state]),
    [
      ['dp-0', 'applying'],
      ['dp-1', 'rejecting'],
    ],
  );
  assert.deepEqual(falseVerdicts(story), []);
});

test('a data plane that is cut off becomes partitioned and converges after it is back', () => {
  const [first, second] = CALM.dataPlanes;
  assert.ok(first !== undefined && second !== undefined);
  const story = play({
    ...CALM,
    dataPlanes: [first, { ...second, cut: [18_000, 100_000] }],
    looks: Array.from({ length: 400 }, (_look, n) => n * 500),
  });
  const stateAt = (time: number): string | undefined =>
    story.looks.find(({ at }) => at >= time)?.verdicts.find(({ node }) => node === 'dp-1')?.state;
  assert.equal(stateAt(30_000), 'applying');
  assert.equal(stateAt(90_000), 'partitioned');
  assert.equal(stateAt(150_000), 'converged');
  assert.deepEqual(falseVerdicts(story), []);
});

test(`no schedule of ${RUNS} gives a false "converged"`, () => {
  let proven = 0;
  fc.assert(
    fc.property(schedules, (schedule) => {
      const story = play(schedule);
      assert.deepEqual(falseVerdicts(story), []);
      if (firstConverged(story) !== undefined) proven += 1;
    }),
    { numRuns: RUNS },
  );
  // A rule that never says "converged" would be right too.
  assert.ok(proven > RUNS / 4, `only ${proven} of ${RUNS} were ever proven`);
});

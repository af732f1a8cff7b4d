import assert from 'node:assert/strict';
import { test } from 'node:test';
import { holdMs } from '../../shared/convergence/delays.ts';
import { hybridSchedule, observing, playHybrid } from './schedules.ts';
import type { HybridObserver, Observing } from './hybrid-observer.ts';
import type { HybridSchedule, HybridWorld } from './hybrid-world.ts';

/** SIMULATED_SCHEDULES and SIMULATED_SEED ask for more than what fits into every run, and for others. */
const COUNT = Number(process.env.SIMULATED_SCHEDULES ?? 20_000);
const SEED = Number(process.env.SIMULATED_SEED ?? 1);

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** From the moment when the last data plane had stored each revision until it was said to be everywhere, ms. */
function delays(world: HybridWorld, observer: HybridObserver): readonly number[] {
  return observer.revisions.flatMap(({ id, lastWrite }) => {
    const [applied, proven] = [world.appliedAt(lastWrite), observer.provenAt.get(id)];
    return applied === undefined || proven === undefined ? [] : [proven - applied];
  });
}

/** Nothing is broken for good: then it has to be proven in the end. */
function provable({ dataPlanes, replicaLagMs }: HybridSchedule): boolean {
  return dataPlanes.every(({ refusesFrom }) => refusesFrom === undefined) && replicaLagMs === 0;
}

/** The longest that a proof may take, ms: all pushes, then a forgotten row by a wrong clock, or two reports and looks. */
function latest(schedule: HybridSchedule, { controlPlanes, everyMs }: Observing): number {
  const settings = { dbUpdateFrequency: schedule.pauseMs / 1000, dbUpdatePropagation: 0 };
  return holdMs({ settings, controlPlanes, entities: 0 }) + 200_000 + 2 * everyMs;
}

test(`hybrid: no schedule of ${COUNT} from seed ${SEED} gives a false "converged"`, (t) => {
  const counts = { schedules: 0, revisions: 0, proven: 0, provable: 0, late: 0 };
  for (let seed = SEED; seed < SEED + COUNT; seed += 1) {
    const schedule = hybridSchedule(seed);
    const who = observing(seed, schedule.controlPlanes);
    const { world, observer } = playHybrid(schedule, who);
    const story = (): string => `seed ${seed} ${JSON.stringify(who)} ${JSON.stringify(schedule)}`;
    assert.deepEqual(observer.false.slice(0, 1), [], story());
    counts.schedules += 1;
    counts.revisions += observer.revisions.length;
    counts.proven += observer.provenAt.size;
    if (!provable(schedule)) continue;
    counts.provable += 1;
    const isLate = (delay: number): boolean => delay > latest(schedule, who);
    if (!observer.allProven || delays(world, observer).some(isLate)) counts.late += 1;
  }
  t.diagnostic(`seed ${SEED}: ${JSON.stringify(counts)}`);
  assert.equal(counts.late, 0, 'what can be proven is proven in time');
  // A rule that never says "converged" would be right too.
  assert.ok(counts.proven > counts.revisions * 0.6, 'most are proven');
});

interface Calm {
  readonly pauseMs: number;
  readonly writes: number;
  readonly controlPlanes: number;
  readonly everyMs: number;
  readonly shadow: boolean;
}

/** Median delay of changes that come one by one, with nothing broken, ms. */
function calmDelay({ pauseMs, writes, controlPlanes, everyMs, shadow }: Calm): number {
  const found = Array.from({ length: 200 }, (_item, place) => {
    const schedule = hybridSchedule(SEED + place);
    const calm: HybridSchedule = {
      ...schedule,
      pauseMs,
      controlPlanes,
      dataPlanes: [0, 1].map((n) => ({
        controlPlane: n % controlPlanes,
        applyMs: 50 + ((place * 37) % 100),
        rebuildMs: 200,
        pingPhaseMs: ((place * 7_919) % 30_000) + n * 431,
        refusesFrom: undefined,
        cut: undefined,
        renewedAt: undefined,
        losesPings: 0,
      })),
      slices: [
        {
          at: 60_000,
          gaps: Array.from({ length: writes }, (_gap, n) => (n === 0 ? 0 : 9)),
          controlPlane: 0,
          commitMs: 10,
        },
      ],
      foreign: [],
      restart: undefined,
      replicaLagMs: 0,
      exportMs: 30,
      announceMs: 5,
    };
    const { world, observer } = playHybrid(calm, {
      everyMs,
      firstMs: place,
      shadow,
      status: false,
      canary: false,
      controlPlanes,
    });
    return delays(world, observer);
  });
  return median(found.flat());
}

test('hybrid: how soon after the last data plane stored it a change is proven', (t) => {
  const rows: readonly (readonly [name: string, calm: Calm, atMost: number])[] = [
    [
      'one write, 5 s, one control plane',
      { pauseMs: 5_000, writes: 1, controlPlanes: 1, everyMs: 250, shadow: false },
      1_500,
    ],
    [
      'three writes, 5 s, one control plane',
      { pauseMs: 5_000, writes: 3, controlPlanes: 1, everyMs: 250, shadow: false },
      1_500,
    ],
    [
      'three writes, 0.5 s, one control plane',
      { pauseMs: 500, writes: 3, controlPlanes: 1, everyMs: 250, shadow: false },
      3_500,
    ],
    [
      'one write, 5 s, two control planes',
      { pauseMs: 5_000, writes: 1, controlPlanes: 2, everyMs: 250, shadow: false },
      1_500,
    ],
    [
      'three writes, 5 s, two control planes',
      { pauseMs: 5_000, writes: 3, controlPlanes: 2, everyMs: 250, shadow: false },
      25_000,
    ],
    [
      'three writes, 5 s, looked at every second',
      { pauseMs: 5_000, writes: 3, controlPlanes: 1, everyMs: 1_000, shadow: false },
      2_000,
    ],
    [
      'three writes, 5 s, two control planes, shadow',
      { pauseMs: 5_000, writes: 3, controlPlanes: 2, everyMs: 250, shadow: true },
      1_500,
    ],
    [
      'three writes, 0.5 s, one control plane, shadow',
      { pauseMs: 500, writes: 3, controlPlanes: 1, everyMs: 250, shadow: true },
      1_500,
    ],
  ];
  for (const [name, calm, atMost] of rows) {
    const delay = calmDelay(calm);
    t.diagnostic(`${name}: ${delay} ms`);
    assert.ok(delay <= atMost, `${name}: ${delay} ms`);
  }
});

import { HybridObserver } from './hybrid-observer.ts';
import type { Observing } from './hybrid-observer.ts';
import { HybridWorld } from './hybrid-world.ts';
import type { HybridSchedule, PlannedDataPlane } from './hybrid-world.ts';
import { Random } from './timeline.ts';

/** Longest run, ms: the slowest evidence has come by then. */
const END_MS = 320_000;
/** Pings that get lost and the like are over by then, ms: the world was settled before the first slice. */
const FIRST_SLICE_MS = 4_000;

function dataPlane(random: Random, place: number, controlPlanes: number): PlannedDataPlane {
  // Agreement needs one witness that is connected and takes what it is sent: data planes that all fail alike are beyond
  // what the database alone can show, and the verdict says so.
  const witness = place === 0;
  const rare = (make: () => number): number | undefined => (!witness && random.chance(0.12) ? make() : undefined);
  const cutFrom = rare(() => random.upTo(25_000));
  return {
    controlPlane: random.upTo(controlPlanes - 1),
    applyMs: witness ? random.upTo(800) : random.pick([20, 200, 800, 5_000]),
    rebuildMs: random.upTo(240),
    pingPhaseMs: random.upTo(29_999),
    refusesFrom: rare(() => random.between(1_000, 20_000)),
    cut: cutFrom === undefined ? undefined : [cutFrom, cutFrom + random.between(1_000, 60_000)],
    renewedAt: rare(() => random.upTo(25_000)),
    losesPings: witness ? 0 : random.pick([0, 0, 0.2]),
  };
}

/** Slices hold a lock: the next one begins when the one before is committed. */
function slices(random: Random, controlPlanes: number): HybridSchedule['slices'] {
  let free = FIRST_SLICE_MS;
  return random.list(random.pick([1, 1, 2, 3]), () => {
    const at = free + random.pick([0, random.upTo(1_000), random.upTo(12_000)]);
    const gaps = random.list(random.pick([1, 1, 2, 3, 6]), (place) =>
      place === 0 ? 0 : random.pick([random.upTo(30), random.upTo(30), random.upTo(2_000)]),
    );
    const commitMs = random.between(1, 300);
    free = at + gaps.reduce((sum, gap) => sum + gap, 0) + commitMs + 1;
    return { at, gaps, controlPlane: random.upTo(controlPlanes - 1), commitMs };
  });
}

/** A schedule, from its seed. */
export function hybridSchedule(seed: number): HybridSchedule {
  const random = new Random(seed);
  const controlPlanes = random.pick([1, 1, 2, 3]);
  const busy = random.chance(0.4);
  return {
    seed,
    pauseMs: random.pick([200, 1_000, 5_000, 5_000]),
    controlPlanes,
    dataPlanes: random.list(random.between(1, 4), (place) => dataPlane(random, place, controlPlanes)),
    slices: slices(random, controlPlanes),
    foreign: busy ? random.list(random.between(1, 6), () => random.upTo(25_000)) : [],
    restart: random.chance(0.15)
      ? { controlPlane: random.upTo(controlPlanes - 1), at: random.upTo(25_000), downMs: random.upTo(4_000) }
      : undefined,
    replicaLagMs: random.chance(0.05) ? random.upTo(3_000) : 0,
    exportMs: random.pick([5, 30, random.upTo(400)]),
    skewMs: random.between(-40_000, 40_000),
    announceMs: random.pick([5, 30, 200]),
  };
}

/** Who looks at the schedule of a seed. */
export function observing(seed: number, controlPlanes: number): Observing {
  const random = new Random(seed ^ 0x2545f491);
  const everyMs = random.pick([250, 1_000, 1_000, 5_000, 20_000]);
  return {
    everyMs,
    firstMs: random.upTo(everyMs),
    shadow: random.chance(0.25),
    status: random.chance(0.2),
    controlPlanes: controlPlanes === 1 ? random.pick([1, 1, 2]) : controlPlanes,
    canary: random.chance(0.1),
  };
}

/** Plays a schedule until everything is proven or its time is over. */
export function playHybrid(
  schedule: HybridSchedule,
  who: Observing,
): { readonly world: HybridWorld; readonly observer: HybridObserver } {
  const world = new HybridWorld(schedule);
  const observer = new HybridObserver(world, schedule, who);
  const { timeline } = world;
  let open = schedule.slices.length;
  for (const slice of schedule.slices) {
    let at = slice.at;
    let lastWrite = 0;
    for (const gap of slice.gaps) {
      at += gap;
      timeline.at(at, () => world.write(slice.controlPlane, true, () => (lastWrite = world.writes)));
    }
    const commit = (): void => {
      // While no control plane answers, the slice is not done.
      if (world.writesWaiting > 0) return timeline.after(100, commit);
      open -= 1;
      observer.commit(slice.at, slice.gaps.length, lastWrite);
    };
    timeline.at(at + slice.commitMs, commit);
  }
  for (const at of schedule.foreign) timeline.at(at, () => world.write(0, false));
  const look = (): void => {
    observer.look();
    timeline.after(who.everyMs, look);
  };
  timeline.at(who.firstMs, look);
  timeline.play(END_MS, () => open === 0 && observer.allProven);
  return { world, observer };
}

/** How far Kong's announcements are behind our writes, as one reading of `cluster_events` shows it. */
export interface Reading {
  /** Age of the oldest write without its event, ms; 0 when every write has its own. */
  readonly ageMs: number;
  /** Writes without their event. */
  readonly backlog: number;
  /** Events that came since the reading before, per second; undefined when none came. */
  readonly drainPerSecond: number | undefined;
}

/** How fast to write on. */
export interface Pace {
  /** Writes per second. */
  readonly rate: number;
  /** False: not at all until the next reading. */
  readonly open: boolean;
  /** Last known speed of Kong's queue, events per second. */
  readonly drainPerSecond: number | undefined;
}

/** A real Kong keeps up with 560 writes/s and loses events above 600 (DB §8). */
export const MAX_RATE = 550;
export const MIN_RATE = 10;
const START_RATE = 250;
/** Added per reading while Kong keeps up, writes per second. */
const STEP = 25;
const BACK_OFF = 0.7;
/** Expected lag, ms: below the first write faster, above the second more slowly, above the third not at all. */
const EASY_MS = 400;
const BUSY_MS = 800;
const CLOSED_MS = 1_000;

/** When the event of a write that is sent now will come, ms from now: as slowly as the queue moved last. */
function expectedLagMs({ ageMs, backlog }: Reading, drainPerSecond: number | undefined): number {
  return Math.max(ageMs, drainPerSecond === undefined ? 0 : (backlog / drainPerSecond) * 1000);
}

function nextRate(rate: number, lagMs: number): number {
  if (lagMs > BUSY_MS) return Math.max(MIN_RATE, rate * BACK_OFF);
  return lagMs < EASY_MS ? Math.min(MAX_RATE, rate + STEP) : rate;
}

/**
 * The pace after a reading: a step faster while Kong's events come soon, a third slower when they lag, a stop when the
 * lag would pass a second, so that it stays under two. `before` is undefined at the first reading. Pure.
 */
export function adjust(before: Pace | undefined, reading: Reading): Pace {
  const drainPerSecond = reading.drainPerSecond ?? before?.drainPerSecond;
  const lagMs = expectedLagMs(reading, drainPerSecond);
  return { rate: nextRate(before?.rate ?? START_RATE, lagMs), open: lagMs < CLOSED_MS, drainPerSecond };
}

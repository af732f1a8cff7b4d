import type { EntityRef } from '../plan/types.ts';
import { adjust } from './pace.ts';
import type { Pace } from './pace.ts';
import { ANNOUNCED_TYPES } from './pace-events.ts';
import type { EventReader, SentWrite } from './pace-events.ts';

/** Keeps a writer from outrunning Kong's events. One for all runs of a function instance. */
export interface Pacer {
  /** Resolves when the next write may be sent, with the time of sending. Rejects with KONG_DATABASE_UNAVAILABLE. */
  admit(): Promise<number>;
  /** A write that Kong took, and when it was sent. */
  wrote(ref: EntityRef, at: number): void;
  /**
   * At the end of a run: waits until Kong has announced its writes, and gives those whose event did not come in half a
   * minute. Reads nothing, and gives none, after runs that were short enough to be written at full speed.
   */
  settle(): Promise<readonly EntityRef[]>;
}

/** Effects that a pacer needs, ms. */
export interface PacerTools {
  readonly events: EventReader;
  readonly clock: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
}

/** Writes at full speed, without reading anything; as many again after 10 s of rest. */
export const BURST = 200;
const REFILL_PER_MS = BURST / 10_000;
const READ_EVERY_MS = 250;
const SETTLE_EVERY_MS = 100;
/** A very busy Kong announced a write after 19 s (CV "side fact"). */
const LOST_MS = 30_000;
/** Longer than the gate can be closed. */
const ABANDONED_MS = 4 * LOST_MS;

interface State {
  /** Writes that may still go at full speed. */
  budget: number;
  /** When the budget was counted. */
  countedAt: number;
  /** Undefined at full speed. */
  pace: Pace | undefined;
  /** That of the run before, from which the next one goes on. */
  readonly learned: Pace | undefined;
  /** When the next write may go. */
  nextAt: number;
  readAt: number;
  /** Sent, and not known to be announced. */
  waiting: SentWrite[];
  lost: readonly SentWrite[];
}

function fresh(now: number, learned?: Pace): State {
  return { budget: BURST, countedAt: now, pace: undefined, learned, nextAt: now, readAt: now, waiting: [], lost: [] };
}

/** Reads once, and sets the pace by it. */
async function look(state: State, { events, clock }: PacerTools): Promise<void> {
  const asked = state.waiting.toSorted((a, b) => a.at - b.at);
  const found = await events.announced(asked);
  const now = clock();
  const silent = state.waiting.filter((write) => !found.has(write));
  const { lost = [], late = [] } = Object.groupBy(silent, ({ at }) => (now - at > LOST_MS ? 'lost' : 'late'));
  const seconds = Math.max(1, now - Math.max(state.readAt, asked[0]?.at ?? now)) / 1000;
  if (state.pace === undefined) state.nextAt = now;
  state.pace = adjust(state.pace ?? state.learned, {
    ageMs: Math.max(0, ...late.map(({ at }) => now - at)),
    backlog: late.length,
    drainPerSecond: found.size === 0 ? undefined : found.size / seconds,
  });
  state.waiting = late;
  state.lost = [...state.lost, ...lost];
  state.readAt = now;
}

/** At full speed nobody asks for events: what is old enough to be given up is given up unseen. */
function dropOld(waiting: SentWrite[], now: number): void {
  const young = waiting.findIndex(({ at }) => now - at <= LOST_MS);
  waiting.splice(0, young === -1 ? waiting.length : young);
}

/** A pacer at rest. */
export function pacer(tools: PacerTools): Pacer {
  const { clock, sleep } = tools;
  let state = fresh(clock());
  let looking: Promise<void> | undefined;
  const read = (): Promise<void> => {
    looking ??= look(state, tools).finally(() => {
      looking = undefined;
    });
    return looking;
  };
  const rest = (now: number, learned?: Pace): void => {
    state = fresh(now, learned);
    tools.events.forget();
  };
  /** At full speed the budget grows back. A pace ends with its run, or some time after a run that was broken off. */
  const refill = (now: number): void => {
    state.budget = Math.min(BURST, state.budget + (now - state.countedAt) * REFILL_PER_MS);
    state.countedAt = now;
    // After such a rest nothing is known of earlier writes, and nothing needs to be.
    if (state.pace === undefined ? state.budget === BURST : now - state.nextAt > ABANDONED_MS) rest(now);
  };
  return {
    admit: async () => {
      refill(clock());
      if (state.pace === undefined && state.budget >= 1) {
        state.budget -= 1;
        dropOld(state.waiting, clock());
        return clock();
      }
      for (;;) {
        if (state.pace === undefined || clock() - state.readAt >= READ_EVERY_MS) await read();
        const now = clock();
        if (state.pace?.open === true) {
          const slot = Math.max(now, state.nextAt);
          state.nextAt = slot + 1000 / state.pace.rate;
          if (slot > now) await sleep(slot - now);
          return clock();
        }
        await sleep(READ_EVERY_MS);
      }
    },
    wrote: ({ type, id }, at) => {
      if (ANNOUNCED_TYPES.has(type)) state.waiting.push({ type, id, at });
    },
    settle: async () => {
      if (state.pace === undefined) return [];
      while (state.waiting.length > 0) {
        await read();
        if (state.waiting.length > 0) await sleep(SETTLE_EVERY_MS);
      }
      const { lost, pace } = state;
      rest(clock(), pace);
      return lost;
    },
  };
}

import { setImmediate } from 'node:timers/promises';

/** A clock that stands still until everything that runs waits for it, and then jumps. */
export interface VirtualTime {
  readonly clock: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** Runs until `work` is done. Rejects with it, and when nothing waits for the clock although it is not done. */
  run<Result>(work: Promise<Result>): Promise<Result>;
}

interface Timer {
  readonly at: number;
  readonly wake: () => void;
}

/** A clock at 0 ms. */
export function virtualTime(): VirtualTime {
  let now = 0;
  let timers: Timer[] = [];
  const jump = (): void => {
    now = Math.min(...timers.map(({ at }) => at));
    const due = timers.filter(({ at }) => at === now);
    timers = timers.filter(({ at }) => at > now);
    for (const { wake } of due) wake();
  };
  return {
    clock: () => now,
    sleep: (ms) =>
      new Promise((resolve) => {
        timers.push({ at: now + Math.max(0, ms), wake: resolve });
      }),
    run: async (work) => {
      let done = false;
      const watched = work.finally(() => {
        done = true;
      });
      watched.catch(() => undefined);
      for (;;) {
        // Lets every promise that is ready go on first.
        await setImmediate();
        if (done) return watched;
        if (timers.length === 0) throw new Error('nothing waits for the clock');
        jump();
      }
    },
  };
}

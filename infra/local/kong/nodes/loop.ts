import { setTimeout as delay } from 'node:timers/promises';

/** Something that runs in the background until it is stopped. */
export interface Loop {
  /** Resolves when the running step has ended. May be called twice. */
  stop(): Promise<void>;
}

/** Waits; false when the signal came first. */
export function sleep(ms: number, signal: AbortSignal): Promise<boolean> {
  return delay(ms, true, { signal }).catch(() => false);
}

/** Runs `body` once with a signal that `stop` gives. What it throws goes to `onError`. */
export function startLoop(body: (signal: AbortSignal) => Promise<void>, onError: (error: unknown) => void): Loop {
  const controller = new AbortController();
  const ended = body(controller.signal).catch((error: unknown) => {
    if (!controller.signal.aborted) onError(error);
  });
  return {
    async stop() {
      controller.abort();
      await ended;
    },
  };
}

/** Runs `step` every `ms`, the first time after `firstMs`; a failing step is reported and does not end the loop. */
export function every(ms: number, step: () => Promise<void>, onError: (error: unknown) => void, firstMs = ms): Loop {
  return startLoop(async (signal) => {
    for (let wait = firstMs; await sleep(wait, signal); wait = ms) await step().catch(onError);
  }, onError);
}

/** A semaphore that holds at most one post, so that a burst counts as one. */
export class Bell {
  #rung = false;
  #wake: (() => void) | undefined;

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Resolves at the next ring, or at once when one is pending; false when the signal came first. */
  async heard(signal: AbortSignal): Promise<boolean> {
    if (!this.#rung && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
      this.#wake = undefined;
    }
    if (signal.aborted) return false;
    this.#rung = false;
    return true;
  }
}

import { backoffMs, type Backoff } from '../backoff.ts';
import { AppError } from '../errors.ts';
import type { ChangeEvent, ReconcileRequest } from '../events.ts';
import { keyOfRef } from '../kubernetes/keys.ts';
import type { Sink } from './follow.ts';

/** Where changes are posted. Each call takes all of it or throws. */
export interface Target {
  publishChanges(changes: readonly ChangeEvent[]): Promise<unknown>;
  publishReconcileRequests(requests: readonly ReconcileRequest[]): Promise<unknown>;
}

export interface DeliveryOptions {
  readonly target: Target;
  readonly cluster: string;
  readonly sleep: (ms: number) => Promise<void>;
  readonly random: () => number;
  /** RFC 3339. */
  readonly now: () => string;
  readonly onFailure: (reason: string) => void;
}

/** Posts what it is given, in batches, one at a time. */
export interface Delivery extends Sink {
  readonly published: number;
  /** Changes that wait; of one object only the newest. */
  readonly waiting: number;
  /** Resolves when nothing waits. */
  idle(): Promise<void>;
}

const BATCH = 100;
/** What is changed together comes within this time. */
const GATHER_MS = 100;
const BACKOFF: Backoff = { baseMs: 500, capMs: 30_000 };

/**
 * A queue that holds one change an object, so that an outage of the target costs at most as much memory as there are
 * objects. A change says "look at it again", and the newest one says all that the earlier ones did.
 */
export function delivery({ target, cluster, sleep, random, now, onFailure }: DeliveryOptions): Delivery {
  const waiting = new Map<string, ChangeEvent>();
  let request: ReconcileRequest | undefined;
  let published = 0;
  let running: Promise<void> | undefined;

  async function post(): Promise<void> {
    if (request !== undefined) {
      const asked = request;
      await target.publishReconcileRequests([asked]);
      published += 1;
      if (request === asked) request = undefined;
    }
    const batch = [...waiting].slice(0, BATCH);
    if (batch.length === 0) return;
    await target.publishChanges(batch.map(([, change]) => change));
    published += batch.length;
    for (const [key, change] of batch) if (waiting.get(key) === change) waiting.delete(key);
  }

  async function run(): Promise<void> {
    await sleep(GATHER_MS);
    for (let failures = 0; waiting.size > 0 || request !== undefined;) {
      try {
        await post();
        failures = 0;
      } catch (error) {
        onFailure(error instanceof AppError ? `${error.code} ${error.message}` : 'unknown');
        await sleep(backoffMs(BACKOFF, failures, random()));
        failures += 1;
      }
    }
    running = undefined;
  }

  const start = (): void => {
    running ??= run();
  };
  return {
    get published() {
      return published;
    },
    get waiting() {
      return waiting.size + (request === undefined ? 0 : 1);
    },
    change(change) {
      waiting.set(keyOfRef(change.ref), change);
      start();
    },
    reconcile() {
      request = { cluster, reason: 'WatchStarted', observedAt: now() };
      start();
    },
    idle: async () => running,
  };
}

import { createHash, randomUUID } from 'node:crypto';
import type { QueueWiring } from './wiring.ts';

/** A received message, with what SQS tells about it. */
export interface Message {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  readonly md5OfBody: string;
  readonly attributes: {
    readonly ApproximateReceiveCount: string;
    readonly ApproximateFirstReceiveTimestamp: string;
    readonly SentTimestamp: string;
    readonly SenderId: string;
  };
  readonly messageAttributes: Readonly<Record<string, { readonly dataType: 'String'; readonly stringValue: string }>>;
}

export interface Queue {
  readonly id: string;
  readonly name: string;
  /** Gives the message id. Attributes become string message attributes. */
  send(body: string, attributes?: Readonly<Record<string, string>>): string;
  /** Up to `max` messages, as soon as there is one; none after `waitMs` or when `signal` aborts. */
  receive(max: number, waitMs: number, signal?: AbortSignal): Promise<Message[]>;
  /** False when the receipt handle is not valid any more, because the message became visible again. */
  delete(receiptHandle: string): boolean;
  /** Makes a received message visible again after `ms`; false as for `delete`. */
  changeVisibility(receiptHandle: string, ms: number): boolean;
  /** Visible messages, received ones that were not deleted yet, and those that wait for the end of the queue's delay. */
  counts(): { readonly visible: number; readonly inFlight: number; readonly delayed: number };
  /** All messages, oldest first, without receiving them. */
  peek(): { readonly body: string; readonly attributes: Readonly<Record<string, string>>; readonly receives: number }[];
  /** Ends all waiting and timers. */
  close(): void;
}

interface Entry {
  readonly messageId: string;
  readonly body: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly sentAt: number;
  firstReceivedAt: number;
  receives: number;
  receipt: string;
}

interface Flight {
  readonly entry: Entry;
  readonly timer: NodeJS.Timeout;
}

function toMessage(entry: Entry): Message {
  const attributes = Object.entries(entry.attributes).map(
    ([name, stringValue]) => [name, { dataType: 'String', stringValue }] as const,
  );
  return {
    messageId: entry.messageId,
    receiptHandle: entry.receipt,
    body: entry.body,
    md5OfBody: createHash('md5').update(entry.body).digest('hex'),
    attributes: {
      ApproximateReceiveCount: String(entry.receives),
      ApproximateFirstReceiveTimestamp: String(entry.firstReceivedAt),
      SentTimestamp: String(entry.sentAt),
      SenderId: 'events.amazonaws.com',
    },
    messageAttributes: Object.fromEntries(attributes),
  };
}

/**
 * A standard SQS queue in memory: at least once, visibility timeout, long polling, receive counts, and redrive of what
 * was received `maxReceiveCount` times without being deleted (to `deadLetters`, when it would become visible again).
 * `DelaySeconds` of the queue hides each new message for so long, which counts towards its retention, and not what comes
 * back later; what is older than the retention period is gone.
 */
export function createQueue(wiring: QueueWiring, deadLetters?: Queue): Queue {
  const visible: Entry[] = [];
  const inFlight = new Map<string, Flight>();
  const delayed = new Map<Entry, NodeJS.Timeout>();
  const waiting = new Set<() => void>();

  const wake = (): void => {
    for (const resume of waiting) resume();
  };
  const show = (entry: Entry): void => {
    inFlight.delete(entry.receipt);
    if (wiring.redrive !== undefined && deadLetters !== undefined && entry.receives >= wiring.redrive.maxReceiveCount) {
      deadLetters.send(entry.body, entry.attributes);
      return;
    }
    visible.push(entry);
    wake();
  };
  const hide = (entry: Entry, ms: number): void => {
    inFlight.set(entry.receipt, { entry, timer: setTimeout(() => show(entry), ms) });
  };
  const expire = (): void => {
    const oldest = Date.now() - wiring.retentionMs;
    visible.splice(0, Infinity, ...visible.filter((entry) => entry.sentAt > oldest));
  };
  const later = (entry: Entry): void => {
    const arrive = (): void => {
      delayed.delete(entry);
      visible.push(entry);
      wake();
    };
    delayed.set(entry, setTimeout(arrive, wiring.delayMs));
  };
  const take = (max: number): Message[] =>
    visible.splice(0, max).map((entry) => {
      const now = Date.now();
      if (entry.receives === 0) entry.firstReceivedAt = now;
      entry.receives += 1;
      entry.receipt = randomUUID();
      hide(entry, wiring.visibilityMs);
      return toMessage(entry);
    });
  const arrival = (waitMs: number, signal: AbortSignal | undefined): Promise<void> =>
    new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        waiting.delete(done);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, waitMs);
      waiting.add(done);
      signal?.addEventListener('abort', done);
    });
  const land = (receiptHandle: string): Entry | undefined => {
    const flight = inFlight.get(receiptHandle);
    clearTimeout(flight?.timer);
    inFlight.delete(receiptHandle);
    return flight?.entry;
  };

  return {
    id: wiring.id,
    name: wiring.name,
    send: (body, attributes = {}) => {
      const messageId = randomUUID();
      const entry = { messageId, body, attributes, sentAt: Date.now(), firstReceivedAt: 0, receives: 0, receipt: '' };
      if (wiring.delayMs > 0) later(entry);
      else {
        visible.push(entry);
        wake();
      }
      return messageId;
    },
    receive: async (max, waitMs, signal) => {
      const deadline = Date.now() + waitMs;
      const given = (): boolean => visible.length > 0 || signal?.aborted === true || Date.now() >= deadline;
      expire();
      while (!given()) {
        await arrival(deadline - Date.now(), signal);
        expire();
      }
      return signal?.aborted === true ? [] : take(max);
    },
    delete: (receiptHandle) => land(receiptHandle) !== undefined,
    changeVisibility: (receiptHandle, ms) => {
      const entry = land(receiptHandle);
      if (entry === undefined) return false;
      if (ms === 0) show(entry);
      else hide(entry, ms);
      return true;
    },
    counts: () => {
      expire();
      return { visible: visible.length, inFlight: inFlight.size, delayed: delayed.size };
    },
    peek: () =>
      [...[...inFlight.values()].map((flight) => flight.entry), ...delayed.keys(), ...visible]
        .toSorted((one, two) => one.sentAt - two.sentAt)
        .map(({ body, attributes, receives }) => ({ body, attributes, receives })),
    close: () => {
      for (const { timer } of inFlight.values()) clearTimeout(timer);
      for (const timer of delayed.values()) clearTimeout(timer);
      inFlight.clear();
      delayed.clear();
      visible.length = 0;
      wake();
    },
  };
}

import { setTimeout as sleep } from 'node:timers/promises';
import { type EventBridgeClient, PutEventsCommand, type PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import { type Backoff, backoffMs } from './backoff.ts';
import { AppError } from './errors.ts';
import {
  CLUSTER_CHANGE,
  type ChangeEvent,
  EVENT_SOURCE,
  type OutcomeType,
  RECONCILE_REQUESTED,
  type ReconcileRequest,
} from './events.ts';

/** Publishes to one bus. Every method throws EVENTS_NOT_PUBLISHED (retryable) unless the bus took everything. */
export interface Publisher {
  /** Publishes hints; identical ones (but for observedAt) once. Resolves with the number of events sent. */
  publishChanges(changes: readonly ChangeEvent[]): Promise<number>;
  publishReconcileRequests(requests: readonly ReconcileRequest[]): Promise<number>;
  /** Tells listeners what was done. `detail` holds names and counts, no secrets, and is JSON below 1 MB. */
  publishOutcome(type: OutcomeType, detail: object): Promise<void>;
}

export interface PublisherOptions {
  readonly client: Pick<EventBridgeClient, 'send'>;
  readonly eventBusName: string;
  /** Named in outcomes; changes name theirs themselves. */
  readonly cluster?: string;
  /** Between attempts with what the bus did not take. */
  readonly backoff?: Backoff;
}

/** EventBridge: at most 10 entries a call, all of them together below 1 MB. */
const ENTRIES = 10;
const BYTES = 1_000_000;
const ATTEMPTS = 5;
const BACKOFF: Backoff = { baseMs: 50, capMs: 1_000 };

interface Entry {
  readonly entry: PutEventsRequestEntry;
  readonly bytes: number;
}

function toEntry(eventBusName: string, type: string, detail: object): Entry {
  const json = JSON.stringify(detail);
  const bytes = Buffer.byteLength(EVENT_SOURCE) + Buffer.byteLength(type) + Buffer.byteLength(json);
  if (bytes >= BYTES) throw new AppError('EVENT_TOO_LARGE', `a ${type} event has ${bytes} bytes`);
  return { entry: { EventBusName: eventBusName, Source: EVENT_SOURCE, DetailType: type, Detail: json }, bytes };
}

/** Fills calls in order, none over the limits. */
function calls(entries: readonly Entry[]): readonly (readonly Entry[])[] {
  const filled: Entry[][] = [];
  let bytes = 0;
  for (const entry of entries) {
    const last = filled.at(-1);
    if (last !== undefined && last.length < ENTRIES && bytes + entry.bytes < BYTES) {
      last.push(entry);
      bytes += entry.bytes;
    } else {
      filled.push([entry]);
      bytes = entry.bytes;
    }
  }
  return filled;
}

interface Rest {
  readonly entries: readonly Entry[];
  /** Why the bus did not take them: its error codes, without messages. */
  readonly reasons: readonly string[];
}

/** One call; returns what was not taken. An answer that does not speak of every entry counts as none for the others. */
async function put(client: Pick<EventBridgeClient, 'send'>, entries: readonly Entry[]): Promise<Rest> {
  try {
    const { Entries: results = [] } = await client.send(
      new PutEventsCommand({ Entries: entries.map(({ entry }) => entry) }),
    );
    const rest = entries.filter((_entry, index) => results[index]?.EventId === undefined);
    return { entries: rest, reasons: results.flatMap(({ ErrorCode }) => ErrorCode ?? []) };
  } catch (error) {
    return { entries, reasons: [error instanceof Error ? error.name : 'unknown'] };
  }
}

async function send({ client, backoff = BACKOFF }: PublisherOptions, entries: readonly Entry[]): Promise<void> {
  let pending: Rest = { entries, reasons: [] };
  for (let attempt = 0; pending.entries.length > 0; attempt += 1) {
    if (attempt === ATTEMPTS) {
      const reasons = [...new Set(pending.reasons)].join(', ') || 'no answer';
      throw new AppError('EVENTS_NOT_PUBLISHED', `${pending.entries.length} of ${entries.length} events: ${reasons}`);
    }
    if (attempt > 0) await sleep(backoffMs(backoff, attempt - 1, Math.random()));
    const rests = await Promise.all(calls(pending.entries).map((call) => put(client, call)));
    pending = { entries: rests.flatMap((rest) => rest.entries), reasons: rests.flatMap((rest) => rest.reasons) };
  }
}

/** Without those that say the same as another, whenever they were seen. */
function distinct<Detail extends { readonly observedAt: string }>(details: readonly Detail[]): readonly Detail[] {
  const found = new Map<string, Detail>();
  for (const detail of details) {
    const { observedAt: _seen, ...said } = detail;
    found.set(JSON.stringify(said), detail);
  }
  return [...found.values()];
}

/** A publisher for one bus. What the bus does not take is sent again, five attempts in all. */
export function publisher(options: PublisherOptions): Publisher {
  async function publish(type: string, details: readonly object[]): Promise<number> {
    await send(
      options,
      details.map((detail) => toEntry(options.eventBusName, type, detail)),
    );
    return details.length;
  }
  return {
    publishChanges: (changes) => publish(CLUSTER_CHANGE, distinct(changes)),
    publishReconcileRequests: (requests) => publish(RECONCILE_REQUESTED, distinct(requests)),
    async publishOutcome(type, detail) {
      await publish(type, [options.cluster === undefined ? detail : { cluster: options.cluster, ...detail }]);
    },
  };
}

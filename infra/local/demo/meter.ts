import { setTimeout as sleep } from 'node:timers/promises';
import { isRecord } from '../../../shared/json.ts';

/** What slices did since the meter was read last, summed up. */
export interface Reading {
  /** Change events that the webhook published. */
  readonly events: number;
  /** Entities written to Kong or deleted from it. */
  readonly writes: number;
  readonly httpRequests: number;
  readonly sqlStatements: number;
  /** Findings of the slices, reason and object. */
  readonly findings: readonly string[];
  /** When the last slice that wrote reported, ms since the epoch; undefined when none did. */
  readonly writtenAt: number | undefined;
}

/** Adds up what the functions log about their slices. */
export interface Meter {
  /** Takes one line of the functions' log. */
  feed(line: string): void;
  /** What happened since the last call, and starts anew. */
  read(): Reading;
}

const NOTHING: Reading = {
  events: 0,
  writes: 0,
  httpRequests: 0,
  sqlStatements: 0,
  findings: [],
  writtenAt: undefined,
};

function record(line: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line);
    return isRecord(value) ? value : {};
  } catch {
    // A library's warning, not a log record.
    return {};
  }
}

const count = (value: unknown): number => (typeof value === 'number' ? value : 0);

function withSlice(sum: Reading, slice: Readonly<Record<string, unknown>>): Reading {
  const writes = count(slice['create']) + count(slice['update']) + count(slice['delete']);
  return {
    ...sum,
    writes: sum.writes + writes,
    httpRequests: sum.httpRequests + count(slice['kubernetesRequests']) + count(slice['kongRequests']),
    sqlStatements: sum.sqlStatements + count(slice['sqlStatements']),
    writtenAt: writes === 0 ? sum.writtenAt : Date.parse(String(slice['timestamp'])),
  };
}

export function createMeter(): Meter {
  let sum = NOTHING;
  return {
    feed: (line) => {
      const entry = record(line);
      if (entry['message'] === 'slice') sum = withSlice(sum, entry);
      if (entry['message'] === 'received') sum = { ...sum, events: sum.events + count(entry['published']) };
      if (entry['message'] === 'finding') {
        sum = { ...sum, findings: [...sum.findings, `${String(entry['reason'])}: ${String(entry['explanation'])}`] };
      }
    },
    read: () => {
      const reading = sum;
      sum = NOTHING;
      return reading;
    },
  };
}

/** Resolves when `check` gives something; throws with `what` after `timeoutMs`. */
export async function until<T>(
  what: string,
  timeoutMs: number,
  check: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const found = await check();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${timeoutMs} ms`);
    await sleep(50);
  }
}

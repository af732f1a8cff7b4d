import { AppError } from '../errors.ts';
import type { ChangeEvent } from '../events.ts';
import { keyOfRef } from '../kubernetes/keys.ts';
import type { SliceRequest, SliceResult } from '../slice.ts';
import type { Message } from './messages.ts';

/** What a batch needs from outside. */
export interface BatchTools {
  run(request: SliceRequest): Promise<SliceResult>;
  sleep(ms: number): Promise<void>;
  /** Time left for work, ms. */
  remainingMs(): number;
  /** Pauses before looking again at an object that was not stored yet, ms. */
  readonly earlyDelaysMs: readonly number[];
}

/** What became of a batch. */
export interface BatchReport {
  /** Ids of the messages that the queue has to deliver again. */
  readonly failed: readonly string[];
  /** Why, by code; one an error, not one a message. */
  readonly errors: readonly AppError[];
  readonly slices: readonly SliceResult[];
  /** Objects that were still as they were before their change after the last look: it was refused, or changed nothing. */
  readonly early: readonly ChangeEvent[];
}

/** Below this time no further slice is begun, ms. */
const SLICE_MS = 5_000;

function outOfTime(): AppError {
  return new AppError('OUT_OF_TIME', 'the rest of the batch has to be delivered again');
}

/** Runs slices until nothing is left of a change that touches very many roots. */
async function runWhole(
  changes: readonly ChangeEvent[],
  tools: BatchTools,
  slices: SliceResult[],
): Promise<readonly ChangeEvent[]> {
  const first = await tools.run({ changes });
  slices.push(first);
  let { remaining } = first;
  while (remaining.length > 0) {
    if (tools.remainingMs() < SLICE_MS) throw outOfTime();
    const next = await tools.run({ roots: remaining });
    slices.push(next);
    const done = new Set(next.roots);
    remaining = next.remaining.filter((key) => !done.has(key));
  }
  return first.early;
}

/** Looks again at what was too early, with growing pauses. */
async function runPatiently(
  changes: readonly ChangeEvent[],
  tools: BatchTools,
  slices: SliceResult[],
): Promise<readonly ChangeEvent[]> {
  let early = await runWhole(changes, tools, slices);
  for (const delay of tools.earlyDelaysMs) {
    if (early.length === 0 || tools.remainingMs() < SLICE_MS + delay) break;
    await tools.sleep(delay);
    early = await runWhole(early, tools, slices);
  }
  return early;
}

type Valid = Extract<Message, { change: ChangeEvent }>;

/** One slice for all; when that fails for good, one an object, so that one object does not hold up the others. */
async function runAll(
  messages: readonly Valid[],
  tools: BatchTools,
  slices: SliceResult[],
): Promise<Omit<BatchReport, 'slices'>> {
  if (messages.length === 0) return { failed: [], errors: [], early: [] };
  try {
    const changes = distinct(messages.map((message) => message.change));
    return { failed: [], errors: [], early: await runPatiently(changes, tools, slices) };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const objects = [...Map.groupBy(messages, (message) => keyOfRef(message.change.ref)).values()];
    if (error.info.retryable || objects.length === 1) {
      return { failed: messages.map((message) => message.id), errors: [error], early: [] };
    }
    const parts = [];
    for (const group of objects) parts.push(await runAll(group, tools, slices));
    return {
      failed: parts.flatMap((part) => part.failed),
      errors: parts.flatMap((part) => part.errors),
      early: parts.flatMap((part) => part.early),
    };
  }
}

/** Without events that say the same, whenever they were seen. */
function distinct(changes: readonly ChangeEvent[]): readonly ChangeEvent[] {
  const found = new Map(
    changes.map((change) => {
      const { operation, uid, resourceVersion, previousResourceVersion } = change;
      return [JSON.stringify([keyOfRef(change.ref), operation, uid, resourceVersion, previousResourceVersion]), change];
    }),
  );
  return [...found.values()];
}

/**
 * Works off a batch of messages in as few slices as possible. Messages that cannot be understood and those whose slice
 * failed are given back to the queue, which delivers them again and in the end sets them aside.
 */
export async function syncBatch(messages: readonly Message[], tools: BatchTools): Promise<BatchReport> {
  const slices: SliceResult[] = [];
  const invalid = messages.filter((message) => 'error' in message);
  const valid = messages.filter((message) => 'change' in message);
  const report = await runAll(valid, tools, slices);
  return {
    failed: [...invalid.map((message) => message.id), ...report.failed],
    errors: [...invalid.map((message) => message.error), ...report.errors],
    early: report.early,
    slices,
  };
}

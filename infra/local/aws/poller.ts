import type { Functions } from './functions.ts';
import { isObject } from './json.ts';
import type { Message, Queue } from './queue.ts';
import { ACCOUNT, REGION } from './wiring.ts';
import type { QueueEvent } from './wiring.ts';

export interface Poller {
  /** Makes what failed visible at once instead of at the end of its visibility timeout; gives how many. */
  retryNow(): number;
  /** Takes no more batches; those that run go on. */
  stop(): void;
}

const LONG_POLL_MS = 20_000;

function recordOf(message: Message, queue: Queue): Record<string, unknown> {
  return {
    ...message,
    eventSource: 'aws:sqs',
    eventSourceARN: `arn:aws:sqs:${REGION}:${ACCOUNT}:${queue.name}`,
    awsRegion: REGION,
  };
}

/**
 * The message ids that a function says failed: none for an answer without a list, all of them (undefined) for one that
 * names no message of the batch, as Lambda has it.
 */
export function failedOf(answer: unknown, batch: readonly Message[]): ReadonlySet<string> | undefined {
  const failures = isObject(answer) ? (answer['batchItemFailures'] ?? []) : [];
  if (!Array.isArray(failures)) return undefined;
  const known = new Set(batch.map(({ messageId }) => messageId));
  const failed = new Set<string>();
  for (const failure of failures) {
    const id: unknown = isObject(failure) ? failure['itemIdentifier'] : undefined;
    if (typeof id !== 'string' || !known.has(id)) return undefined;
    failed.add(id);
  }
  return failed;
}

/**
 * Lambda's event source mapping: up to `concurrency` batches at once, each gathered until it is full or the window
 * after its first message has passed. What succeeded is deleted, what failed comes back after the visibility timeout.
 */
export function startPoller(name: string, event: QueueEvent, queue: Queue, functions: Functions): Poller {
  const stopping = new AbortController();
  const waiting = new Set<string>();

  const gather = async (): Promise<Message[]> => {
    const batch = await queue.receive(event.batchSize, LONG_POLL_MS, stopping.signal);
    const deadline = Date.now() + event.windowMs;
    while (batch.length > 0 && batch.length < event.batchSize && Date.now() < deadline && !stopping.signal.aborted) {
      batch.push(...(await queue.receive(event.batchSize - batch.length, deadline - Date.now(), stopping.signal)));
    }
    return batch;
  };
  const invoke = async (batch: readonly Message[]): Promise<ReadonlySet<string> | undefined> => {
    try {
      const answer = await functions.invoke(name, { Records: batch.map((message) => recordOf(message, queue)) });
      return event.partialFailures ? failedOf(answer, batch) : new Set();
    } catch {
      // The function's log has it; the messages come back.
      return undefined;
    }
  };
  const work = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const batch = await gather();
      if (batch.length === 0) continue;
      const failed = await invoke(batch);
      for (const { messageId, receiptHandle } of batch) {
        if (failed !== undefined && !failed.has(messageId)) queue.delete(receiptHandle);
        else waiting.add(receiptHandle);
      }
    }
  };
  for (let worker = 0; worker < event.concurrency; worker += 1) void work();
  return {
    retryNow: () => {
      const receipts = [...waiting];
      waiting.clear();
      return receipts.filter((receipt) => queue.changeVisibility(receipt, 0)).length;
    },
    stop: () => stopping.abort(),
  };
}

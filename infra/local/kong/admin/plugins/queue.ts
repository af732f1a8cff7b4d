import { integer, mapOf, number, oneOf, record, string } from '../schema/typedefs.ts';
import type { Field } from '../schema/types.ts';

/** How a plugin batches and retries what it sends. */
export const queue: Field = record(
  {
    max_batch_size: integer({ default: 1, between: [1, 1000000] }),
    max_coalescing_delay: number({ default: 1, between: [0, 3600] }),
    max_entries: integer({ default: 10000, between: [1, 1000000] }),
    max_bytes: integer(),
    max_retry_time: number({ default: 60 }),
    initial_retry_delay: number({ default: 0.01, between: [0.001, 1000000] }),
    max_retry_delay: number({ default: 60, between: [0.001, 1000000] }),
    concurrency_limit: oneOf([-1, 1], { default: 1 }),
  },
  { required: true },
);

export const customFields: Field = mapOf(string({ len_min: 1 }), string({ len_min: 1 }));

/** Settings of the time before queues: taken, shown, without effect. */
export function outdated(field: Field, oldDefault: number | string): Field {
  return { ...field, deprecation: { old_default: oldDefault } };
}

export const OUTDATED_QUEUE = {
  retry_count: outdated(integer(), 10),
  queue_size: outdated(integer(), 1),
  flush_timeout: outdated(number(), 2),
} as const;

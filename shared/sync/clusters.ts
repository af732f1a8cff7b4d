import { AppError } from '../errors.ts';
import type { BatchReport } from './batch.ts';
import type { Message } from './messages.ts';

type Parts = Pick<BatchReport, 'failed' | 'errors'>;

/** Gives a cluster's messages back when nothing could be done for it, so that the others' are done all the same. */
async function attempt(messages: readonly Message[], work: () => Promise<Parts>): Promise<Parts> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { failed: messages.map(({ id }) => id), errors: [error] };
  }
}

/**
 * Works off a batch cluster by cluster, side by side. Messages that cannot be understood fail; those of a cluster that
 * cannot be reached fail together, but when it is the only one: then the error is the caller's.
 */
export async function syncClusters(
  messages: readonly Message[],
  run: (cluster: string, messages: readonly Message[]) => Promise<Parts>,
): Promise<Parts> {
  const groups = [
    ...Map.groupBy(messages, (message) => ('change' in message ? message.change.ref.cluster : undefined)),
  ];
  const invalid = messages.flatMap((message) => ('error' in message ? [message] : []));
  const wanted = groups.flatMap(([cluster, own]) => (cluster === undefined ? [] : [{ cluster, own }]));
  const alone = wanted.length === 1;
  const parts = await Promise.all(
    wanted.map(({ cluster, own }) => (alone ? run(cluster, own) : attempt(own, () => run(cluster, own)))),
  );
  return {
    failed: [...invalid.map(({ id }) => id), ...parts.flatMap(({ failed }) => failed)],
    errors: [...invalid.map(({ error }) => error), ...parts.flatMap(({ errors }) => errors)],
  };
}

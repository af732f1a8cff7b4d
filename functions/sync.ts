import { setTimeout as sleep } from 'node:timers/promises';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { connectOnce } from '../shared/control.ts';
import { handler as onion, type Invocation } from '../shared/handler.ts';
import { publisher } from '../shared/publish.ts';
import { report } from '../shared/report/report.ts';
import { runSlice } from '../shared/slice.ts';
import { syncBatch } from '../shared/sync/batch.ts';
import { syncClusters } from '../shared/sync/clusters.ts';
import { parseBatch, type Message } from '../shared/sync/messages.ts';

const fleet = connectOnce(() => process.env);
const client = new EventBridgeClient({});

/** Works off the messages of one cluster, and tells of it. */
async function sync(
  cluster: string,
  messages: readonly Message[],
  { logger, remainingMs }: Pick<Invocation, 'logger' | 'remainingMs'>,
): ReturnType<typeof syncBatch> {
  const { dependencies, slices, reporters, takeNotices } = await (await fleet()).of(cluster);
  const result = await syncBatch(messages, {
    run: (request) => runSlice(request, dependencies),
    sleep: (ms) => sleep(ms),
    remainingMs,
    earlyDelaysMs: slices.earlyDelaysMs,
  });
  for (const notice of takeNotices()) logger.error('the Admin API needs attention', { cluster, notice });
  const bus = publisher({ client, eventBusName: process.env['EVENT_BUS_NAME'] ?? '', cluster });
  await report(result.slices, { logger, publisher: bus, reporters });
  for (const { ref, operation } of result.early) logger.info('never stored, or without effect', { ref, operation });
  return result;
}

/** SQS: a batch of changes to Kong, of one cluster or several. Answers which messages have to be delivered again. */
export const handler = onion(
  'sync',
  async (event, { logger, remainingMs }) => {
    const messages = parseBatch(event, (await fleet()).names);
    const result = await syncClusters(messages, (cluster, own) => sync(cluster, own, { logger, remainingMs }));
    for (const { code, message } of result.errors) logger.error('not synchronised', { code, reason: message });
    return { batchItemFailures: result.failed.map((itemIdentifier) => ({ itemIdentifier })) };
  },
  { kind: 'batch', parse: (event) => event },
);

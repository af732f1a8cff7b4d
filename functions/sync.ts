import { setTimeout as sleep } from 'node:timers/promises';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { connectOnce } from '../shared/control.ts';
import { handler as onion } from '../shared/handler.ts';
import { publisher } from '../shared/publish.ts';
import { report } from '../shared/report/report.ts';
import { runSlice } from '../shared/slice.ts';
import { syncBatch } from '../shared/sync/batch.ts';
import { parseBatch } from '../shared/sync/messages.ts';

const control = connectOnce(() => process.env);
const client = new EventBridgeClient({});

/** SQS: a batch of changes to Kong. Answers which messages have to be delivered again. */
export const handler = onion(
  'sync',
  async (event, { logger, remainingMs }) => {
    const { dependencies, slices, reporters, takeNotices } = await control();
    const messages = parseBatch(event, dependencies.options.cluster);
    const result = await syncBatch(messages, {
      run: (request) => runSlice(request, dependencies),
      sleep: (ms) => sleep(ms),
      remainingMs,
      earlyDelaysMs: slices.earlyDelaysMs,
    });
    for (const notice of takeNotices()) logger.error('the Admin API needs attention', { notice });
    const bus = publisher({ client, eventBusName: process.env['EVENT_BUS_NAME'] ?? '' });
    await report(result.slices, { logger, publisher: bus, reporters });
    for (const { code, message } of result.errors) logger.error('not synchronised', { code, reason: message });
    for (const { ref, operation } of result.early) logger.info('never stored, or without effect', { ref, operation });
    return { batchItemFailures: result.failed.map((itemIdentifier) => ({ itemIdentifier })) };
  },
  { kind: 'batch', parse: (event) => event },
);

import { setTimeout as sleep } from 'node:timers/promises';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { connectOnce } from '../shared/control.ts';
import { handler as onion } from '../shared/handler.ts';
import { announce } from '../shared/outcome.ts';
import { publisher } from '../shared/publish.ts';
import { runSlice } from '../shared/slice.ts';
import { syncBatch } from '../shared/sync/batch.ts';
import { parseBatch } from '../shared/sync/messages.ts';

const control = connectOnce(() => process.env);
const client = new EventBridgeClient({});

/** SQS: a batch of changes to Kong. Answers which messages have to be delivered again. */
export const handler = onion(
  'sync',
  async (event, { logger, remainingMs }) => {
    const { dependencies, slices, takeNotices } = await control();
    const messages = parseBatch(event, dependencies.options.cluster);
    const report = await syncBatch(messages, {
      run: (request) => runSlice(request, dependencies),
      sleep: (ms) => sleep(ms),
      remainingMs,
      earlyDelaysMs: slices.earlyDelaysMs,
    });
    for (const notice of takeNotices()) logger.error('the Admin API needs attention', { notice });
    await announce(report.slices, logger, publisher({ client, eventBusName: process.env['EVENT_BUS_NAME'] ?? '' }));
    for (const { code, message } of report.errors) logger.error('not synchronised', { code, reason: message });
    for (const { ref, operation } of report.early) logger.info('never stored, or without effect', { ref, operation });
    return { batchItemFailures: report.failed.map((itemIdentifier) => ({ itemIdentifier })) };
  },
  { kind: 'batch', parse: (event) => event },
);

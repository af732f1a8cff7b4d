import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { connectOnce } from '../shared/control.ts';
import { handler as onion } from '../shared/handler.ts';
import { isRecord } from '../shared/json.ts';
import { listCluster } from '../shared/kubernetes/cluster.ts';
import { announce } from '../shared/outcome.ts';
import { publisher } from '../shared/publish.ts';
import { reconcile } from '../shared/reconcile.ts';

const control = connectOnce(() => process.env);
const client = new EventBridgeClient({});

/** What the schedule, or somebody who invokes the function, asks for. */
interface Request {
  readonly force: boolean;
}

function parse(event: unknown): Request {
  return { force: isRecord(event) && event['force'] === true };
}

/** Schedule: the whole cluster, compared and healed. An input of `{ "force": true }` releases the delete brake. */
export const handler = onion(
  'reconcile',
  async ({ force }: Request, { logger, remainingMs }) => {
    const { dependencies, kubernetes } = await control();
    const report = await reconcile({ dependencies, list: () => listCluster(kubernetes), remainingMs, force });
    const { slices, differences, ...rest } = report;
    const { roots, gone, ...found } = differences;
    const summary = { ...rest, ...found, roots: roots.length, gone: gone.length, slices: slices.length };
    await announce(slices, logger, publisher({ client, eventBusName: process.env['EVENT_BUS_NAME'] ?? '' }));
    if (report.braked > 0) logger.error('deletes are held back: run it with "force" when they are meant', summary);
    else logger.info('reconciled', summary);
    return summary;
  },
  { kind: 'schedule', parse },
);

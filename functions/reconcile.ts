import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { connectOnce } from '../shared/control.ts';
import { handler as onion } from '../shared/handler.ts';
import { listCluster } from '../shared/kubernetes/cluster.ts';
import { publisher } from '../shared/publish.ts';
import { reconcile } from '../shared/reconcile.ts';
import { isAnswered, parseRequest, type Request } from '../shared/reconcile/request.ts';
import { report } from '../shared/report/report.ts';

const control = connectOnce(() => process.env);
const client = new EventBridgeClient({});

/** When the last complete run of this function instance began, ms since the epoch; there is one instance at a time. */
let begunAt: number | undefined;

/**
 * Schedule, and changes that nobody named: the whole cluster, compared and healed. An input of `{ "force": true }`
 * releases the delete brake.
 */
export const handler = onion(
  'reconcile',
  async (request: Request, { logger, remainingMs }) => {
    if (isAnswered(request, begunAt)) {
      logger.info('a run since the request has done it', { begunAt });
      return { complete: true };
    }
    const { dependencies, kubernetes, reporters, takeNotices } = await control();
    const { force } = request;
    const now = Date.now();
    const result = await reconcile({ dependencies, list: () => listCluster(kubernetes), remainingMs, force });
    if (result.complete) begunAt = now;
    const { slices, differences, ...rest } = result;
    const { roots, gone, ...found } = differences;
    const summary = { ...rest, ...found, roots: roots.length, gone: gone.length, slices: slices.length };
    for (const notice of takeNotices()) logger.error('the Admin API needs attention', { notice });
    const bus = publisher({ client, eventBusName: process.env['EVENT_BUS_NAME'] ?? '' });
    await report(slices, { logger, publisher: bus, reporters });
    if (result.braked > 0) logger.error('deletes are held back: run it with "force" when they are meant', summary);
    else logger.info('reconciled', summary);
    return summary;
  },
  { kind: 'schedule', parse: parseRequest },
);

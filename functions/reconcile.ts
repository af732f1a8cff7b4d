import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { forEachCluster } from '../shared/access/each.ts';
import { connectOnce } from '../shared/control.ts';
import { AppError } from '../shared/errors.ts';
import { handler as onion, type Invocation } from '../shared/handler.ts';
import { listCluster } from '../shared/kubernetes/cluster.ts';
import { publisher } from '../shared/publish.ts';
import { reconcile } from '../shared/reconcile.ts';
import { isAnswered, parseRequest, type Request } from '../shared/reconcile/request.ts';
import { remind, report } from '../shared/report/report.ts';

const fleet = connectOnce(() => process.env);
const client = new EventBridgeClient({});

/** When the last complete run of each cluster began in this function instance, ms since the epoch; there is one at a time. */
const begunAt = new Map<string, number>();

/** Which clusters a request is about; those first that have waited for longest. */
function clustersOf({ cluster, force }: Request, names: readonly string[]): readonly string[] {
  if (cluster !== undefined && !names.includes(cluster)) {
    throw new AppError('EVENT_INVALID', 'a reconcile is asked for of a cluster that is not served');
  }
  if (force && cluster === undefined && names.length > 1) {
    throw new AppError('EVENT_INVALID', 'with several clusters "force" needs the one that is meant as "cluster"');
  }
  if (cluster !== undefined) return [cluster];
  return names.toSorted((one, other) => (begunAt.get(one) ?? 0) - (begunAt.get(other) ?? 0));
}

/** Compares and heals one cluster, and tells of it. */
async function heal(
  cluster: string,
  request: Request,
  { logger, remainingMs }: Pick<Invocation, 'logger' | 'remainingMs'>,
): Promise<{ readonly complete: boolean }> {
  if (isAnswered(request, begunAt.get(cluster))) {
    logger.info('a run since the request has done it', { cluster, begunAt: begunAt.get(cluster) });
    return { complete: true };
  }
  const { dependencies, kubernetes, reporters, takeNotices } = await (await fleet()).of(cluster);
  const { force } = request;
  const now = Date.now();
  const result = await reconcile({ dependencies, list: () => listCluster(kubernetes), remainingMs, force });
  if (result.complete) begunAt.set(cluster, now);
  const { slices, differences, ...rest } = result;
  const { roots, gone, ...found } = differences;
  const summary = { ...rest, ...found, roots: roots.length, gone: gone.length, slices: slices.length };
  for (const notice of takeNotices()) logger.error('the Admin API needs attention', { cluster, notice });
  const bus = publisher({ client, eventBusName: process.env['EVENT_BUS_NAME'] ?? '', cluster });
  await report(slices, { logger, publisher: bus, reporters });
  await remind({ logger, reporters });
  const held = 'deletes are held back: run it with "force" when they are meant';
  if (result.braked > 0) logger.error(held, { cluster, ...summary });
  else logger.info('reconciled', { cluster, ...summary });
  return summary;
}

/**
 * Schedule, and changes that nobody named: the whole cluster, compared and healed; with several clusters one after the
 * other. An input of `{ "force": true, "cluster": "…" }` releases the delete brake.
 */
export const handler = onion(
  'reconcile',
  async (request: Request, { logger, remainingMs }) => {
    const { names } = await fleet();
    return forEachCluster(
      clustersOf(request, names),
      (cluster) => heal(cluster, request, { logger, remainingMs }),
      (cluster, { code, message }) => {
        if (names.length > 1) logger.error('not reconciled', { cluster, code, reason: message });
      },
    );
  },
  { kind: 'schedule', parse: parseRequest },
);

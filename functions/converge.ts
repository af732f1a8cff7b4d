import type { Logger } from '@aws-lambda-powertools/logger';
import { Metrics } from '@aws-lambda-powertools/metrics';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { forEachCluster } from '../shared/access/each.ts';
import { keepFleet } from '../shared/access/fleet.ts';
import { checkAgain } from '../shared/convergence/again.ts';
import { announceVerdicts } from '../shared/convergence/announce.ts';
import { connectConvergence } from '../shared/convergence/connect.ts';
import { converge, type Converged, type Convergence } from '../shared/convergence/converge.ts';
import { indexMeasurements, lagMeasurements, measurements, type Measured } from '../shared/convergence/metrics.ts';
import { AppError } from '../shared/errors.ts';
import { handler as onion } from '../shared/handler.ts';
import { readRecorded } from '../shared/page/read.ts';
import { statusOf, type Status } from '../shared/page/status.ts';
import { publisher } from '../shared/publish.ts';
import { connectConvergedReporter, type ConvergedReporter } from '../shared/report/reporters.ts';

/** Connections of this function instance for one cluster. */
interface Setup {
  readonly run: Convergence;
  readonly statuses: ConvergedReporter;
  close(): Promise<void>;
}

const fleet = keepFleet(
  () => process.env,
  async (settings, secrets): Promise<Setup> => {
    const run = await connectConvergence(settings, secrets);
    const statuses = await connectConvergedReporter(settings, run.index);
    const close = async (): Promise<void> => {
      statuses.close();
      await run.close();
    };
    return { run, statuses, close };
  },
);
const client = new EventBridgeClient({});
let collector: Metrics | undefined;

function publish(metrics: Metrics, measured: readonly Measured[]): void {
  for (const { name, unit, value } of measured) metrics.addMetric(name, unit, value);
  metrics.publishStoredMetrics();
}

/** Each data plane is a dimension of its own, which an own set of metrics carries. */
function publishLags(metrics: Metrics, status: Status): void {
  for (const { dataPlane, metrics: measured } of lagMeasurements(status)) {
    metrics.addDimension('DataPlane', dataPlane);
    publish(metrics, measured);
  }
}

/** What is found stays found when the bus cannot be reached: that is only logged. */
async function tell(failure: string, logger: Pick<Logger, 'warn'>, publishing: () => Promise<void>): Promise<void> {
  try {
    await publishing();
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'EVENTS_NOT_PUBLISHED') throw error;
    logger.warn(failure, { code: error.code, reason: error.message });
  }
}

/** Judges the data planes of one cluster, and tells of it. */
async function judge(cluster: string, logger: Logger): Promise<Converged> {
  collector ??= new Metrics();
  const { run, statuses } = await (await fleet()).of(cluster);
  const bus = publisher({ client, eventBusName: process.env['EVENT_BUS_NAME'] ?? '', cluster });
  const result = await converge(run);
  const status = statusOf(await readRecorded(run.index));
  publish(collector, [...measurements(result), ...indexMeasurements(status)]);
  publishLags(collector, status);
  await tell('verdicts were not announced', logger, () => announceVerdicts(run.index, result, bus));
  await tell('the next check was not asked for', logger, () => checkAgain(run.index, result, bus));
  await statuses.tell(result, logger);
  logger.info('converge', {
    cluster,
    topology: result.topology,
    newest: result.newest?.id,
    converged: result.converged,
    warnings: result.warnings,
    dataPlanes: result.verdicts.map(({ name, state, revision, evidence, proof }) => ({
      name,
      state,
      revision,
      evidence,
      proof,
    })),
  });
  return result;
}

/**
 * Schedule, and a delayed message after each write: which data planes run the newest revision. Answers `Converged`, see
 * `shared/convergence`, with several clusters by name; tells the bus what is new, and asks for the next check while
 * something is being applied.
 */
export const handler = onion(
  'converge',
  async (_event, { logger }) => {
    const { names } = await fleet();
    return forEachCluster(
      names,
      (cluster) => judge(cluster, logger),
      (cluster, { code, message }) => {
        if (names.length > 1) logger.error('not judged', { cluster, code, reason: message });
      },
    );
  },
  { kind: 'schedule', parse: () => undefined },
);

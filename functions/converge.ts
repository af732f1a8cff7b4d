import { Metrics } from '@aws-lambda-powertools/metrics';
import pg from 'pg';
import { kongConfig } from '../shared/config.ts';
import { convergenceConfig } from '../shared/convergence/config.ts';
import { converge } from '../shared/convergence/converge.ts';
import type { Convergence } from '../shared/convergence/converge.ts';
import { measurements } from '../shared/convergence/metrics.ts';
import { handler as onion } from '../shared/handler.ts';

const CONNECT_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 10_000;

let made: (Convergence & { readonly metrics: Metrics }) | undefined;

function pool(connectionString: string): pg.Pool {
  const opened = new pg.Pool({
    connectionString,
    max: 2,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: STATEMENT_TIMEOUT_MS,
    allowExitOnIdle: true,
  });
  // The server may close an idle connection; the next run opens another.
  opened.on('error', () => undefined);
  return opened;
}

/** Settings and connections of this function instance, made at its first event. */
function setup(): Convergence & { readonly metrics: Metrics } {
  if (made === undefined) {
    const config = { ...kongConfig(process.env), ...convergenceConfig(process.env) };
    const kong = pool(config.databaseUrl);
    const index = config.stateDatabaseUrl === config.databaseUrl ? kong : pool(config.stateDatabaseUrl);
    made = { kong, index, config, metrics: new Metrics() };
  }
  return made;
}

/** Schedule: which data planes run the newest revision. Answers `Converged`, see `shared/convergence`. */
export const handler = onion(
  'converge',
  async (_event, { logger }) => {
    const { metrics, ...run } = setup();
    const result = await converge(run);
    for (const { name, unit, value } of measurements(result)) metrics.addMetric(name, unit, value);
    metrics.publishStoredMetrics();
    logger.info('converge', {
      topology: result.topology,
      newest: result.newest?.id,
      converged: result.converged,
      dataPlanes: result.verdicts.map(({ name, state, revision, evidence, proof }) => ({
        name,
        state,
        revision,
        evidence,
        proof,
      })),
    });
    return result;
  },
  { kind: 'schedule', parse: () => undefined },
);

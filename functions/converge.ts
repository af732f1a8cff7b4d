import { Metrics } from '@aws-lambda-powertools/metrics';
import { connectConvergence } from '../shared/convergence/connect.ts';
import { converge } from '../shared/convergence/converge.ts';
import type { Convergence } from '../shared/convergence/converge.ts';
import { measurements } from '../shared/convergence/metrics.ts';
import { handler as onion } from '../shared/handler.ts';

let made: (Convergence & { readonly metrics: Metrics }) | undefined;

/** Settings and connections of this function instance, made at its first event. */
function setup(): Convergence & { readonly metrics: Metrics } {
  made ??= { ...connectConvergence(process.env), metrics: new Metrics() };
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

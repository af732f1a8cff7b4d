import type { Converged } from '../convergence/converge.ts';
import { awsSecretReader, resolveSettings } from '../access/settings.ts';
import { eventsEnabled, kubernetesConfig } from '../config.ts';
import { optional, type Environment } from '../environment.ts';
import type { Queryable } from '../index/database.ts';
import { kubernetesClient, type KubernetesClient } from '../kubernetes/client.ts';
import type { SliceDependencies } from '../slice.ts';
import { statusConfig } from '../status/config.ts';
import { eventReporter } from './events.ts';
import { reported, type Reporter, type ReportLogger } from './report.ts';
import { statusReporter } from './statuses.ts';

/** What reporters are made of. */
export interface ReporterParts {
  readonly env: Environment;
  readonly kubernetes: KubernetesClient;
  readonly dependencies: SliceDependencies;
}

/** Everybody who is told of slices, in order. Throws CONFIG_INVALID. */
export function makeReporters({ env, kubernetes, dependencies }: ReporterParts): readonly Reporter[] {
  const config = statusConfig(env);
  const parts = { index: dependencies.statePool, kubernetes };
  return [
    ...(config.enabled ? [statusReporter({ ...parts, config })] : []),
    ...(eventsEnabled(env) ? [eventReporter({ ...parts, cluster: dependencies.options.cluster })] : []),
  ];
}

/** Tells the objects that waited for it of a convergence. Never rejects: what could not be written is written later. */
export interface ConvergedReporter {
  tell(result: Converged, logger: ReportLogger): Promise<void>;
  close(): void;
}

const NOBODY: ConvergedReporter = { tell: async () => undefined, close: () => undefined };

/** Whether settings name a cluster, or a pod's own one. */
function hasCluster(env: Environment): boolean {
  return optional(env, 'KUBERNETES_URL') !== undefined || optional(env, 'KUBERNETES_SERVICE_HOST') !== undefined;
}

/**
 * Who is told of a convergence, with a connection to the cluster of its own; nobody where no cluster is configured or
 * statuses are not wanted. Throws CONFIG_INVALID and SECRET_*.
 */
export async function connectConvergedReporter(settings: Environment, index: Queryable): Promise<ConvergedReporter> {
  const config = statusConfig(settings);
  if (!config.enabled || !hasCluster(settings)) return NOBODY;
  const secrets = awsSecretReader(settings);
  const kubernetes = kubernetesClient(kubernetesConfig(await resolveSettings(settings, secrets), () => secrets));
  const reporter = statusReporter({ index, kubernetes, config });
  return {
    tell: (result, logger) => reported(reporter.name, logger, () => reporter.converged(result, logger)),
    close: () => kubernetes.close(),
  };
}

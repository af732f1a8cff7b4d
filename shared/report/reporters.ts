import type { Environment } from '../environment.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { SliceDependencies } from '../slice.ts';
import type { Reporter } from './report.ts';

/** What reporters are made of. */
export interface ReporterParts {
  readonly env: Environment;
  readonly kubernetes: KubernetesClient;
  readonly dependencies: SliceDependencies;
}

/** Everybody who is told of slices, in order. Throws CONFIG_INVALID. */
export function makeReporters(_parts: ReporterParts): readonly Reporter[] {
  return [];
}

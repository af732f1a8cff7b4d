import type { KongConfig } from '../../shared/config.ts';
import type { ConvergenceConfig } from '../../shared/convergence/config.ts';

/** Settings of a Kong whose data planes are those seen lately, with nothing but SQL to judge by. */
export function convergenceSettings(adminUrls: readonly string[], databaseUrl: string): KongConfig & ConvergenceConfig {
  return {
    adminUrls,
    adminToken: undefined,
    workspace: '',
    filterTags: ['ours'],
    databaseUrl,
    stateDatabaseUrl: databaseUrl,
    adminConcurrency: 4,
    adminTimeoutMs: 5_000,
    controlPlanes: 1,
    live: { kind: 'seen', forgetAfterMs: 300_000 },
    incompatible: 'block',
    pushInvalidate: false,
    status: { urls: new Map(), podPort: undefined },
  };
}

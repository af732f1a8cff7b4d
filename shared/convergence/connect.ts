import type pg from 'pg';
import type { SecretReader } from '../access/secrets.ts';
import { awsSecretReader, resolveSettings } from '../access/settings.ts';
import { kongConfig, kubernetesConfig, stateSchema, type Environment } from '../config.ts';
import { indexPool, samePool } from '../index/schema.ts';
import { nodeLister } from '../kong/discovery-nodes.ts';
import { kubernetesClient } from '../kubernetes/client.ts';
import { openPool } from '../pool.ts';
import { convergenceConfig } from './config.ts';
import type { Convergence } from './converge.ts';
import { podLister } from './live.ts';

const CONNECTIONS = 2;
const STATEMENT_TIMEOUT_MS = 10_000;

function open(url: string): pg.Pool {
  return openPool(url, CONNECTIONS, STATEMENT_TIMEOUT_MS);
}

/** What a run of converge needs, with its connections. */
export interface ConvergenceConnection extends Convergence {
  readonly close: () => Promise<void>;
}

/**
 * What a run of converge needs, by environment variables, references among them resolved; connections are opened when
 * they are used. Throws CONFIG_INVALID and SECRET_*.
 */
export async function connectConvergence(
  settings: Environment,
  secrets: SecretReader = awsSecretReader(settings),
): Promise<ConvergenceConnection> {
  const env = await resolveSettings(settings, secrets);
  const config = { ...kongConfig(env), ...convergenceConfig(env) };
  const kong = open(config.databaseUrl);
  const state = config.stateDatabaseUrl === config.databaseUrl ? kong : open(config.stateDatabaseUrl);
  const index = indexPool(state, stateSchema(env));
  // Only discovery needs the cluster here.
  const isUsed = config.adminService !== undefined || config.service !== undefined;
  const kubernetes = isUsed ? kubernetesClient(kubernetesConfig(env, () => secrets)) : undefined;
  return {
    kong,
    index,
    config,
    ...(kubernetes === undefined ? {} : { nodes: nodeLister(config, kubernetes) }),
    ...(kubernetes === undefined || config.service === undefined
      ? {}
      : { pods: podLister(config.service, kubernetes) }),
    close: async () => {
      kubernetes?.close();
      await kong.end();
      if (!samePool(index, kong)) await index.end();
    },
  };
}

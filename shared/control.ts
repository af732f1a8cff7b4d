import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { type Fleet, keepFleet } from './access/fleet.ts';
import type { SecretReader } from './access/secrets.ts';
import { awsSecretReader, resolveSettings } from './access/settings.ts';
import {
  kongConfig,
  kubernetesConfig,
  sliceConfig,
  stateSchema,
  translateOptions,
  type Environment,
} from './config.ts';
import type { KubernetesConfig, SliceConfig } from './config.ts';
import { indexPool, samePool } from './index/schema.ts';
import { kubernetesClient } from './kubernetes/client.ts';
import type { RetryPolicy } from './kubernetes/transport.ts';
import { adminClient } from './kong/admin.ts';
import { adminNodes } from './kong/discovery-nodes.ts';
import { eventReader } from './kong/pace-events.ts';
import { pacer } from './kong/pacer.ts';
import { openPool } from './pool.ts';
import type { Reporter } from './report/report.ts';
import { makeReporters } from './report/reporters.ts';
import type { SliceDependencies } from './slice.ts';

/** A function instance's connections to a cluster, a control plane and the index. */
export interface Control {
  readonly dependencies: SliceDependencies;
  readonly kubernetes: KubernetesConfig;
  readonly slices: SliceConfig;
  /** Who is told of slices. */
  readonly reporters: readonly Reporter[];
  /** What somebody should know of the Admin API's nodes, each once: the caller logs it. */
  readonly takeNotices: () => readonly string[];
  close(): Promise<void>;
}

/** How long a function waits for others before it gives up. */
export interface Patience {
  /** Tries of one request to the Admin API. */
  readonly attempts?: number;
  /** Repetition of requests to the API server. */
  readonly retry?: RetryPolicy;
  /** One request at most, ms, whatever the settings say. */
  readonly requestMs: number;
  /** One SQL statement, ms. */
  readonly statementMs: number;
  /** To each PostgreSQL. */
  readonly connections: number;
}

/** Statements may wait for the lock; its connection, the intents' and two that read. */
const PATIENT: Patience = { requestMs: Infinity, statementMs: 60_000, connections: 4 };

/** ms; a monotonic clock may stand still while Lambda has the instance frozen. */
function clock(): number {
  return Date.now();
}

/**
 * Connects by environment variables, references among them resolved. Asks Kong for its version and router. Throws
 * CONFIG_INVALID, SECRET_*, KONG_* and KUBERNETES_* errors.
 */
export async function connect(
  settings: Environment,
  secrets: SecretReader = awsSecretReader(settings),
  patience: Patience = PATIENT,
): Promise<Control> {
  const env = await resolveSettings(settings, secrets);
  const [given, reached, slices] = [kongConfig(env), kubernetesConfig(env, () => secrets), sliceConfig(env)];
  const kong = { ...given, adminTimeoutMs: Math.min(given.adminTimeoutMs, patience.requestMs) };
  const cluster = { ...reached, timeoutMs: Math.min(reached.timeoutMs, patience.requestMs) };
  const open = (url: string): pg.Pool => openPool(url, patience.connections, patience.statementMs);
  const kubernetes = kubernetesClient(cluster, patience.retry);
  const notices: string[] = [];
  const nodes = adminNodes(kong, kubernetes, (message) => notices.push(message));
  const admin = adminClient(kong, patience.attempts, nodes);
  const { routerFlavor, version, edition, role } = await admin.root();
  const flavor = routerFlavor === 'expressions' ? 'expressions' : 'traditional';
  const options = translateOptions(env, { routerFlavor: flavor, kongVersion: version, kongEdition: edition });
  const kongPool = open(kong.databaseUrl);
  const statePool = indexPool(
    kong.stateDatabaseUrl === kong.databaseUrl ? kongPool : open(kong.stateDatabaseUrl),
    stateSchema(env),
  );
  const pace = pacer({ events: eventReader(kongPool, role, clock), clock, sleep: (ms) => delay(ms) });
  const dependencies = { statePool, kongPool, kong, admin, pace, kubernetes, options, settings: slices };
  return {
    dependencies,
    kubernetes: cluster,
    slices,
    reporters: makeReporters({ env, kubernetes, dependencies }),
    takeNotices: () => notices.splice(0),
    close: async () => {
      admin.close();
      kubernetes.close();
      await kongPool.end();
      if (!samePool(statePool, kongPool)) await statePool.end();
    },
  };
}

/** A connection to every cluster, kept for the events of a function instance; see `keepFleet`. */
export function connectOnce(env: () => Environment, patience?: Patience): () => Promise<Fleet<Control>> {
  return keepFleet(env, (settings, secrets) => connect(settings, secrets, patience));
}

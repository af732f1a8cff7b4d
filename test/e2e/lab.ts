import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import type { BusEvent } from '../../infra/local/aws/index.ts';
import { startBackend, type Backend } from '../../infra/local/demo/backends.ts';
import { connectCluster, type Cluster } from '../../infra/local/demo/cluster.ts';
import type { Faults as KongFaults } from '../../infra/local/kong/index.ts';
import type { Faults as KubernetesFaults } from '../../infra/local/kubernetes/index.ts';
import { startStack, type Stack, type Topology } from '../../infra/local/stack.ts';
import { isRecord } from '../../shared/json.ts';
import { kubernetesClient, type KubernetesClient } from '../../shared/kubernetes/client.ts';

/** One line that a function logged. */
export type LogRecord = Readonly<Record<string, unknown>>;

/** The whole local stack with handles on everything that can go wrong in it. */
export interface Lab {
  readonly stack: Stack;
  /** Writes objects. */
  readonly cluster: Cluster;
  /** Reads objects. */
  readonly kubernetes: KubernetesClient;
  readonly backend: Backend;
  /** On Kong's database. */
  readonly pool: pg.Pool;
  /** What goes wrong with requests to the Admin API and to the API server; may be replaced at any time. */
  faults: { kong: KongFaults; kubernetes: KubernetesFaults };
  /** Requests to the Admin API other than GET, as `METHOD path`. */
  readonly writes: string[];
  /** What functions logged. */
  readonly log: LogRecord[];
  /** What the bus carried. */
  readonly events: BusEvent[];
  stop(): Promise<void>;
}

export interface LabOptions {
  readonly topology?: Topology;
  /** Most items in a page of the API server's lists. */
  readonly pageLimit?: number;
  /** Settings of the functions. */
  readonly environment?: Readonly<Record<string, string>>;
}

function parsed(line: string): LogRecord | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isRecord(value) ? value : undefined;
  } catch {
    // A library's warning, not a log record.
    return undefined;
  }
}

/** Waits that are as short as they can be without hiding an order of things. */
const SETTINGS = { dbUpdateFrequencySeconds: 0.2, workerStateUpdateFrequencySeconds: 0.2 } as const;
const NO_FAULTS: Lab['faults'] = { kong: () => undefined, kubernetes: () => undefined };

export function heal(lab: Lab): void {
  lab.faults = { ...NO_FAULTS };
}

/** Starts the stack with one backend; functions run by events and by `cloud.tick` only. */
export async function startLab({ topology = 'hybrid', pageLimit, environment = {} }: LabOptions = {}): Promise<Lab> {
  const directory = await mkdtemp(path.join(tmpdir(), 'kong-ingress-e2e-'));
  // PostgreSQL runs as an unprivileged user where this one is root, and must be able to enter.
  await chmod(directory, 0o755);
  const [writes, log, events]: [string[], LogRecord[], BusEvent[]] = [[], [], []];
  const switchboard = { faults: { ...NO_FAULTS } };
  const backend = await startBackend('echo');
  const stack = await startStack({
    topology,
    directory,
    environment,
    schedules: false,
    log: (line) => log.push(...[parsed(line)].filter((record) => record !== undefined)),
    standIns: {
      kong: {
        settings: SETTINGS,
        log: () => undefined,
        faults: (method, requested) => {
          if (method !== 'GET') writes.push(`${method} ${requested}`);
          return switchboard.faults.kong(method, requested);
        },
      },
      kubernetes: {
        faults: (method, requested) => switchboard.faults.kubernetes(method, requested),
        ...(pageLimit === undefined ? {} : { pageLimit }),
      },
    },
  });
  stack.cloud.onEvent((event) => events.push(event));
  const pool = new pg.Pool({ connectionString: stack.kong.databaseUrl, max: 2 });
  // Tests end the server on purpose.
  pool.on('error', () => undefined);
  const kubernetes = kubernetesClient(stack.kubernetes);
  return {
    stack,
    backend,
    cluster: connectCluster(stack.kubeconfig),
    kubernetes,
    pool,
    writes,
    log,
    events,
    get faults() {
      return switchboard.faults;
    },
    set faults(faults) {
      switchboard.faults = faults;
    },
    stop: async () => {
      kubernetes.close();
      await pool.end();
      await stack.stop();
      await backend.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

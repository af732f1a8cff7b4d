import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { KubernetesObject } from '../../shared/kubernetes/resources.ts';
import type { KongConfig } from '../../shared/config.ts';
import { adminClient } from '../../shared/kong/admin.ts';
import { eventReader } from '../../shared/kong/pace-events.ts';
import { pacer } from '../../shared/kong/pacer.ts';
import { openPool } from '../../shared/pool.ts';
import { reconcile } from '../../shared/reconcile.ts';
import { OPTIONS } from '../support/control-plane.ts';

/** What one invocation is given. */
export interface WorkerInput {
  readonly config: KongConfig;
  /** A file of the cluster's lists: a page of objects a line, as the API server would answer them. */
  readonly lists: string;
  /** ms, of the whole invocation. */
  readonly limitMs: number;
}

/** What it did. */
export interface WorkerOutput {
  readonly complete: boolean;
  readonly kongRequests: number;
  readonly writes: number;
  readonly slices: number;
  readonly listMs: number;
  /** After the lists were in. */
  readonly ms: number;
  /** Of this process, without PostgreSQL and Kong. */
  readonly cpuMs: number;
  readonly peakMemoryMb: number;
}

async function read(lists: string): Promise<readonly KubernetesObject[]> {
  const objects: KubernetesObject[] = [];
  for await (const line of createInterface({ input: createReadStream(lists) })) {
    const page: readonly KubernetesObject[] = JSON.parse(line);
    objects.push(...page);
  }
  return objects;
}

function clock(): number {
  return Date.now();
}

/** One invocation of the function `reconcile` in a process of its own, as Lambda would have it. */
async function invoke({ config, lists, limitMs }: WorkerInput): Promise<WorkerOutput> {
  const end = performance.now() + limitMs;
  const pool = openPool(config.databaseUrl, 4, 60_000);
  const admin = adminClient(config);
  const pace = pacer({ events: eventReader(pool, 'control_plane', clock), clock, sleep: (ms) => delay(ms) });
  let listed = 0;
  let cpu = process.cpuUsage();
  const begun = performance.now();
  const report = await reconcile({
    dependencies: {
      statePool: pool,
      kongPool: pool,
      kong: config,
      admin,
      pace,
      // Whatever the lists have needs no further reading; an empty cluster would delete everything.
      kubernetes: {
        requests: 0,
        get: () => Promise.reject(new Error('nothing is read one by one')),
        list: () => Promise.reject(new Error('nothing is listed again')),
      },
      options: OPTIONS,
      settings: { lockWaitMs: 10_000, maxRoots: 200 },
    },
    list: async () => {
      const objects = await read(lists);
      listed = performance.now();
      cpu = process.cpuUsage();
      return { objects, requests: 0 };
    },
    remainingMs: () => end - performance.now(),
    force: false,
  });
  const ms = performance.now() - listed;
  const { user, system } = process.cpuUsage(cpu);
  admin.close();
  await pool.end();
  return {
    complete: report.complete,
    kongRequests: admin.requests(),
    writes: report.slices.reduce((sum, slice) => sum + slice.applied.length, 0),
    slices: report.slices.length,
    listMs: Math.round(listed - begun),
    ms: Math.round(ms),
    cpuMs: Math.round((user + system) / 1_000),
    peakMemoryMb: Math.round(process.resourceUsage().maxRSS / 1024),
  };
}

process.once('message', (input: WorkerInput) => {
  void invoke(input).then(
    (output) => process.send?.(output, () => process.disconnect()),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});

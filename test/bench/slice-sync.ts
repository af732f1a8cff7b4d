import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startAdmin, type AdminWrite } from '../../infra/local/kong/admin/server.ts';
import { ANNOUNCED_TYPES } from '../../shared/kong/pace-events.ts';
import type { KubernetesObject } from '../../shared/kubernetes/resources.ts';
import { controlPlane, type ControlPlane } from '../support/control-plane.ts';
import { INGRESS_CLASS } from '../support/manifests.ts';
import type { TemporaryPostgres } from '../support/postgres.ts';
import { rounded } from './slice-run.ts';
import { member } from './slice-crowd.ts';
import type { WorkerInput, WorkerOutput } from './slice-worker.ts';

/** Far below Lambda's 15 minutes, so that the work takes several invocations. */
const LIMIT_MS = 45_000;
/** Objects a page. */
const PAGE = 500;
const MOST_MEMORY_MB = 1_024;
/** More than this means that it does not get on. */
const MOST_INVOCATIONS = 50;

/** The first sync into an empty Kong, and a reconcile after it that finds nothing to do. */
export interface SyncFigures {
  readonly ingresses: number;
  readonly limitMs: number;
  readonly invocations: number;
  readonly writes: number;
  readonly writesPerSecond: number;
  readonly seconds: number;
  /** Of the fullest invocation. */
  readonly peakMemoryMb: number;
  /** Writes of types that are announced by name, and rows of cluster_events that announce them. */
  readonly announcements: { readonly writes: number; readonly events: number };
  /** The longest that an event came after its write. */
  readonly lagMs: number;
  readonly unchanged: {
    readonly kongRequests: number;
    readonly writes: number;
    /** After the lists were in. */
    readonly ms: number;
    /** Of the function alone, without PostgreSQL. */
    readonly cpuMs: number;
    readonly listMs: number;
    readonly peakMemoryMb: number;
  };
}

async function writeLists(file: string, ingresses: number): Promise<void> {
  const handle = await open(file, 'w');
  let page: KubernetesObject[] = [INGRESS_CLASS];
  try {
    for (let number = 1; number <= ingresses; number += 1) {
      for (const object of await member(number)) {
        const metadata = { ...object.metadata, resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' };
        page.push({ ...object, metadata });
      }
      if (page.length < PAGE && number < ingresses) continue;
      await handle.write(`${JSON.stringify(page)}\n`);
      page = [];
    }
  } finally {
    await handle.close();
  }
}

async function invoke(input: WorkerInput): Promise<WorkerOutput> {
  // Lambda tells Node.js likewise how much memory there is.
  const execArgv = [`--max-old-space-size=${MOST_MEMORY_MB - 200}`];
  const child = fork(path.join(import.meta.dirname, 'slice-worker.ts'), { execArgv });
  child.send(input);
  const ended = once(child, 'exit');
  const [output]: (WorkerOutput | undefined)[] = await Promise.race([
    once(child, 'message'),
    ended.then(() => Promise.reject(new Error('an invocation failed'))),
  ]);
  await ended;
  if (output === undefined) throw new Error('an invocation said nothing');
  return output;
}

/** When the stand-in committed each write of a type that is announced, by type and operation, ms since the epoch. */
type Commits = ReadonlyMap<string, readonly number[]>;

/** The nth event of a type belongs to its nth write: how many there are, and how late the latest one came. */
async function announcements(
  { pool }: ControlPlane,
  commits: Commits,
): Promise<Pick<SyncFigures, 'announcements' | 'lagMs'>> {
  const { rows } = await pool.query<{ data: string; at: number[] }>(
    `SELECT data, array_agg(extract(epoch FROM at) * 1000 ORDER BY at)::float8[] AS at FROM cluster_events
     WHERE data = ANY ($1) GROUP BY data`,
    [[...commits.keys()]],
  );
  const events = new Map(rows.map(({ data, at }) => [data, at]));
  const lags = [...commits].flatMap(([data, times]) =>
    times.map((time, n) => (events.get(data)?.[n] ?? Number.POSITIVE_INFINITY) - time),
  );
  return {
    announcements: {
      writes: [...commits.values()].flat().length,
      events: [...events.values()].flat().length,
    },
    lagMs: Math.round(lags.reduce((most, lag) => Math.max(most, lag), 0)),
  };
}

/** Brings so many Ingresses into an empty Kong, in invocations that are cut short, and reconciles once more. */
export async function firstSync(server: TemporaryPostgres, ingresses: number): Promise<SyncFigures> {
  const plane = await controlPlane(server, `sync_${ingresses}`);
  const commits = new Map<string, number[]>();
  const onWrite = ({ entity, operation }: AdminWrite): void => {
    if (![...ANNOUNCED_TYPES].some((type) => type === entity)) return;
    const key = `${entity}:${operation}`;
    const times = commits.get(key);
    if (times === undefined) commits.set(key, [Date.now()]);
    else times.push(Date.now());
  };
  const directory = await mkdtemp(path.join(tmpdir(), 'kong-ingress-bench-'));
  const lists = path.join(directory, 'lists');
  const admin = await startAdmin({ pool: plane.pool, role: 'control_plane', nodeId: randomUUID(), onWrite });
  const config = { ...plane.config, adminUrls: [admin.url] };
  try {
    await writeLists(lists, ingresses);
    const begun = performance.now();
    const outputs: WorkerOutput[] = [];
    do {
      if (outputs.length === MOST_INVOCATIONS) throw new Error(`not complete after ${MOST_INVOCATIONS} invocations`);
      outputs.push(await invoke({ config, lists, limitMs: LIMIT_MS }));
      console.log(outputs.at(-1));
    } while (outputs.at(-1)?.complete !== true);
    const seconds = (performance.now() - begun) / 1000;
    const writes = outputs.reduce((sum, output) => sum + output.writes, 0);
    await admin.settled();
    const { complete: _complete, slices: _slices, ...unchanged } = await invoke({ config, lists, limitMs: LIMIT_MS });
    return {
      ingresses,
      limitMs: LIMIT_MS,
      invocations: outputs.length,
      writes,
      writesPerSecond: Math.round(writes / seconds),
      seconds: rounded(seconds, 1),
      peakMemoryMb: Math.max(...outputs.map((output) => output.peakMemoryMb)),
      ...(await announcements(plane, commits)),
      unchanged,
    };
  } finally {
    await admin.stop();
    await plane.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

/** What is promised of them and does not hold (DESIGN §9), but for milliseconds, which are for the reader to judge. */
export function broken({ announcements: { writes, events }, peakMemoryMb, unchanged }: SyncFigures): readonly string[] {
  return [
    ...(events === writes ? [] : [`${writes} writes were announced by ${events} events`]),
    ...(peakMemoryMb < MOST_MEMORY_MB ? [] : [`the first sync took ${peakMemoryMb} MB`]),
    ...(unchanged.kongRequests === 0 ? [] : [`a reconcile without changes sent ${unchanged.kongRequests} requests`]),
  ];
}

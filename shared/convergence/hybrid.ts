import type { AppError } from '../errors.ts';
import type { KongRoot } from '../kong/root.ts';
import { canaries } from './canary.ts';
import type { Convergence } from './converge.ts';
import { holdMs, marginMs, reportMs } from './delays.ts';
import { announcements, dataPlaneRows } from './evidence.ts';
import type { DatabaseFacts } from './evidence.ts';
import { expectation } from './expectation.ts';
import { fence } from './fence.ts';
import type { HybridFacts } from './hybrid-verdict.ts';
import { liveNow } from './live.ts';
import type { LiveSet } from './live-verdict.ts';
import { observed, recalled, seenNow, steadySince } from './observations.ts';
import { statuses } from './status-api.ts';
import type { Revision } from './types.ts';

/** How much of the index a run may use: `remember` it, only `recall` what is there, or there is `none`. */
export type Memory = 'remember' | 'recall' | 'none';

const OBSERVE = { remember: observed, recall: recalled, none: seenNow } as const;

/** What a run knows before it looks at the data planes. */
export interface Known {
  readonly roots: readonly KongRoot[];
  readonly database: DatabaseFacts;
  /** Newest first. */
  readonly revisions: readonly Revision[];
}

/** What the hybrid verdicts are made of, and why the data planes' pods could not be listed. */
export interface HybridEvidence {
  readonly facts: HybridFacts;
  readonly failure: AppError | undefined;
}

/** How the control planes push; the slowest of them decides. */
function delays(
  { roots, database }: Known,
  { config }: Convergence,
): Pick<HybridFacts, 'holdMs' | 'reportMs' | 'marginMs' | 'pauseMs' | 'oneControlPlane' | 'replica'> {
  const { entities } = database;
  const controlPlanes = Math.max(config.controlPlanes, roots.length);
  const settings = {
    dbUpdateFrequency: Math.max(...roots.map((root) => root.dbUpdateFrequency)),
    dbUpdatePropagation: Math.max(...roots.map((root) => root.dbUpdatePropagation)),
  };
  return {
    holdMs: holdMs({ settings, controlPlanes, entities }),
    reportMs: reportMs(entities),
    marginMs: marginMs(entities),
    // The fastest one: what came sooner than its pause did not come after it.
    pauseMs: Math.min(...roots.map((root) => root.dbUpdateFrequency)) * 1000,
    oneControlPlane: controlPlanes === 1,
    replica: roots.some((root) => root.readOnlyHost !== undefined),
  };
}

async function rowsNow(
  run: Convergence,
  { revisions, database }: Known,
  live: LiveSet,
  memory: Memory,
): Promise<Pick<HybridFacts, 'rows' | 'silent'>> {
  const rows = await dataPlaneRows(run.kong, revisions);
  const said = await statuses(rows, run.config.status, live.kind === 'pods' ? live.pods : []);
  const seen = rows.map((row) => ({ ...row, statusHash: said.hashes.get(row.id) }));
  return { rows: await OBSERVE[memory](run.index, seen, database.now), silent: said.silent };
}

async function expectations(
  run: Convergence,
  { roots, revisions }: Known,
  rows: HybridFacts['rows'],
  memory: Memory,
): Promise<Pick<HybridFacts, 'shadow' | 'fence'>> {
  const { kong, index, config } = run;
  const [root] = roots;
  const timer = Math.max(...roots.map((item) => item.workerStateUpdateFrequency)) * 1000;
  const fenced = await fence(kong, revisions, rows, timer);
  const shadowed =
    config.cluster === undefined || root === undefined || memory === 'none'
      ? undefined
      : await expectation({
          kong,
          index,
          cluster: config.cluster,
          root,
          revisions,
          rows,
          remembers: memory === 'remember',
        });
  return {
    ...(fenced === undefined ? {} : { fence: fenced }),
    ...(shadowed === undefined ? {} : { shadow: shadowed }),
  };
}

/** Reads all evidence of hybrid mode that is set up. Throws KONG_DATABASE_UNAVAILABLE and INDEX_*. */
export async function hybridEvidence(run: Convergence, known: Known, memory: Memory): Promise<HybridEvidence> {
  const { roots, database, revisions } = known;
  const { live, failure } = await liveNow(run.config.live, run.pods);
  const [pushes, seen] = [await announcements(run.kong, revisions), await rowsNow(run, known, live, memory)];
  const nodes = roots.map(({ nodeId }) => nodeId);
  const steady =
    memory === 'none' ? database.now : await steadySince(run.index, nodes, database.now, memory === 'remember');
  const facts: HybridFacts = {
    now: database.now,
    revisions,
    live,
    ...(run.config.silentAfterMs === undefined ? {} : { silentAfterMs: run.config.silentAfterMs }),
    ...delays(known, run),
    ...seen,
    ...(await expectations(run, known, seen.rows, memory)),
    pushes,
    steadySince: steady,
    canaries: await canaries(
      run,
      revisions,
      seen.rows.map(({ id, hostname, ip }) => ({ id, names: [hostname, id, ip] })),
    ),
  };
  return { facts, failure };
}

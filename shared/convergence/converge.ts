import type { KongConfig } from '../config.ts';
import { AppError } from '../errors.ts';
import type { Database, Queryable } from '../index/database.ts';
import { guarded } from '../index/guarded.ts';
import { hasIndex, migrate } from '../index/migrate.ts';
import { probe } from '../kong/admin-probe.ts';
import { nodesAt } from '../kong/admin-nodes.ts';
import { byDatabase } from '../kong/discovery-database.ts';
import type { NodeLister } from '../kong/discovery-nodes.ts';
import type { KongRoot } from '../kong/root.ts';
import type { ConvergenceConfig } from './config.ts';
import { databaseFacts, timelineOf } from './evidence.ts';
import type { DatabaseFacts } from './evidence.ts';
import { hybridEvidence } from './hybrid.ts';
import type { Known, Memory } from './hybrid.ts';
import { hybridVerdicts } from './hybrid-verdict.ts';
import type { PodLister } from './live.ts';
import { preflight } from './preflight.ts';
import { rememberVerdicts } from './remember.ts';
import { failedOver, lastConverged, markConverged, openRevisions, recordBaseline } from './revisions.ts';
import type { Mark } from './revisions.ts';
import { provenEverywhere } from './proven-verdict.ts';
import { traditionalEvidence } from './traditional.ts';
import type { ProbedNode } from './traditional.ts';
import { traditionalVerdicts } from './traditional-verdict.ts';
import type { Revision, Verdict } from './types.ts';

/** What a run needs. Nothing of it is closed here. */
export interface Convergence {
  /** Kong's PostgreSQL, read only. */
  readonly kong: Queryable;
  /** The index's PostgreSQL. */
  readonly index: Database;
  readonly config: KongConfig & ConvergenceConfig;
  /** Lists the Admin API's nodes; those of `config.adminUrls` unless given. */
  readonly nodes?: NodeLister;
  /** Lists the data planes' pods; `config.live` tells who counts unless given. */
  readonly pods?: PodLister;
}

/** What a run found. */
export interface Converged {
  readonly topology: 'hybrid' | 'traditional' | 'unknown';
  readonly verdicts: readonly Verdict[];
  /** The newest revision; undefined when nothing has been written or adopted yet. */
  readonly newest: Revision | undefined;
  /** Revisions that this run proved on every live data plane, oldest first. */
  readonly converged: readonly string[];
  /**
   * The newest revision that is proven on every live data plane, by this run or an earlier one: what was written up to
   * it is programmed, what was written later is not. Undefined while none is.
   */
  readonly proven: string | undefined;
  /** Settings of Kong that make convergence slow or weaken its proof, each with what to do; for people. */
  readonly warnings: readonly string[];
}

/** The nodes of the control plane, silent ones included, and those that say that they use another database. */
interface Nodes {
  readonly own: readonly ProbedNode[];
  readonly foreign: readonly ProbedNode[];
}

async function adminNodes({ config, nodes }: Convergence): Promise<Nodes> {
  const listed = nodes === undefined ? nodesAt(config.adminUrls) : await nodes();
  const answers = await Promise.all(listed.map(async (node) => ({ node, root: await probe(config, node) })));
  const { foreign } = byDatabase(
    answers.flatMap(({ node, root }) => (root instanceof AppError ? [] : [{ node, root }])),
    config.databaseUrl,
  );
  const others = new Set(foreign.map(({ node }) => node));
  const { yes = [], no = [] } = Object.groupBy(answers, ({ node }) => (others.has(node) ? 'no' : 'yes'));
  const described = ({ node, root }: (typeof answers)[number]): ProbedNode => ({
    node,
    root: root instanceof AppError ? undefined : root,
  });
  return { own: yes.map(described), foreign: no.map(described) };
}

function unknown(node: string, reason: string): Verdict {
  return {
    node,
    name: node,
    state: 'unknown',
    revision: undefined,
    evidence: 'agreement',
    proof: undefined,
    marginMs: undefined,
    reason,
    sinceWriteMs: undefined,
  };
}

/** A run without what it says of revisions. `clock` is undefined when Kong's PostgreSQL could not be read. */
interface Judged extends Pick<Converged, 'topology' | 'verdicts' | 'warnings'> {
  readonly clock: Mark | undefined;
}

type Topology = Exclude<Converged['topology'], 'unknown'>;

function topologyOf(roots: readonly KongRoot[]): Topology | undefined {
  const role = roots[0]?.role;
  return role === 'control_plane' ? 'hybrid' : role === 'traditional' ? 'traditional' : undefined;
}

async function hybrid(run: Convergence, known: Known, memory: Memory): Promise<readonly Verdict[]> {
  const { facts, failure } = await hybridEvidence(run, known, memory);
  // What could not be listed may be there: nothing is proven everywhere then.
  const unlisted =
    failure === undefined
      ? []
      : [unknown('KONG_DATA_PLANE_SERVICE', `its pods could not be listed: ${failure.message}`)];
  return [...hybridVerdicts(facts), ...unlisted];
}

async function traditional(
  run: Convergence,
  known: Known,
  nodes: readonly ProbedNode[],
  memory: Memory,
): Promise<readonly Verdict[]> {
  return traditionalVerdicts(await traditionalEvidence(run, known, nodes, memory));
}

async function isNewTimeline({ kong, index }: Convergence, database: DatabaseFacts): Promise<boolean> {
  const timeline = await timelineOf(kong);
  return timeline !== undefined && failedOver(index, timeline, database);
}

/** Fails closed: evidence that cannot be read gives `unknown` with the reason. */
async function judge(run: Convergence, revisions: readonly Revision[], memory: Memory): Promise<Judged> {
  const found = await adminNodes(run).catch((error: unknown) => {
    if (error instanceof AppError) return error;
    throw error;
  });
  const nothing = { clock: undefined, warnings: [] };
  if (found instanceof AppError) {
    return { topology: 'unknown', ...nothing, verdicts: [unknown('Admin API', found.message)] };
  }
  const { own: nodes, foreign } = found;
  const strangers = foreign.map(({ node }) => unknown(node.name, 'it uses another database than KONG_DATABASE_URL'));
  const because = (reason: string): readonly Verdict[] => [
    ...nodes.map(({ node }) => unknown(node.name, reason)),
    ...strangers,
  ];
  const roots = nodes.flatMap(({ root }) => root ?? []);
  const topology = topologyOf(roots);
  if (topology === undefined) {
    const reason = roots.length === 0 ? 'its Admin API does not answer' : 'it is a data plane, which has no database';
    return { topology: 'unknown', ...nothing, verdicts: because(reason) };
  }
  try {
    const database = await databaseFacts(run.kong);
    if (memory === 'remember' && (await isNewTimeline(run, database))) {
      return {
        topology,
        ...nothing,
        verdicts: because('PostgreSQL failed over; everything is proven anew from now on'),
      };
    }
    const known = { roots, database, revisions };
    const verdicts = await (topology === 'hybrid'
      ? hybrid(run, known, memory)
      : traditional(run, known, nodes, memory));
    return {
      topology,
      verdicts: [...verdicts, ...strangers],
      clock: database,
      warnings: preflight(roots, database.entities),
    };
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'KONG_DATABASE_UNAVAILABLE') throw error;
    return { topology, ...nothing, verdicts: because(error.message) };
  }
}

/**
 * Judges the newest revision on every data plane, and marks what is proven on all of them. Throws INDEX_*; evidence
 * that is missing elsewhere gives `unknown`, never `converged`.
 */
export function converge(run: Convergence): Promise<Converged> {
  return guarded(async () => {
    await migrate(run.index);
    const revisions = await openRevisions(run.index);
    const { topology, verdicts, clock, warnings } = await judge(run, revisions, 'remember');
    const everywhere = provenEverywhere(verdicts, revisions, run.config.incompatible);
    const converged = everywhere === undefined || !clock ? [] : await markConverged(run.index, everywhere, clock.now);
    if (revisions.length === 0 && clock !== undefined) await recordBaseline(run.index, clock);
    const proven = (await lastConverged(run.index))?.id;
    await rememberVerdicts(run.index, { topology, verdicts, warnings });
    return { topology, verdicts, newest: revisions[0], converged, proven, warnings };
  });
}

/** The verdicts as they stand, without leaving a trace: nothing is remembered, marked or created. Throws as `converge`. */
export function inspect(run: Convergence): Promise<Omit<Converged, 'converged'>> {
  return guarded(async () => {
    const ready = await hasIndex(run.index);
    const revisions = ready ? await openRevisions(run.index) : [];
    const { topology, verdicts, warnings } = await judge(run, revisions, ready ? 'recall' : 'none');
    const proven = ready ? (await lastConverged(run.index))?.id : undefined;
    return { topology, verdicts, newest: revisions[0], proven, warnings };
  });
}

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
import { boundMs, holdMs, marginMs, reportMs } from './delays.ts';
import { announcements, databaseFacts, dataPlaneRows, lastEvents } from './evidence.ts';
import type { DatabaseFacts } from './evidence.ts';
import { hybridVerdicts } from './hybrid-verdict.ts';
import { observed, recalled, seenNow } from './observations.ts';
import { rememberVerdicts } from './remember.ts';
import { lastConverged, markConverged, openRevisions, recordBaseline } from './revisions.ts';
import type { Mark } from './revisions.ts';
import { provenEverywhere } from './proven-verdict.ts';
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
}

/** What is known of data planes from earlier runs: `observed` remembers this one too, `recalled` does not. */
type Observe = typeof observed;

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
}

/** A node of the Admin API; `root` is undefined when it does not answer. */
interface AdminNode {
  readonly node: string;
  readonly root: KongRoot | undefined;
}

/** The nodes of the control plane, silent ones included, and those that say that they use another database. */
interface Nodes {
  readonly own: readonly AdminNode[];
  readonly foreign: readonly AdminNode[];
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
  const described = ({ node, root }: (typeof answers)[number]): AdminNode => ({
    node: node.name,
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

/** The slowest of the control planes decides. */
function slowest(roots: readonly KongRoot[]): Pick<KongRoot, 'dbUpdateFrequency' | 'dbUpdatePropagation'> {
  return {
    dbUpdateFrequency: Math.max(...roots.map((root) => root.dbUpdateFrequency)),
    dbUpdatePropagation: Math.max(...roots.map((root) => root.dbUpdatePropagation)),
  };
}

async function hybrid(
  { kong, index, config }: Convergence,
  roots: readonly KongRoot[],
  database: DatabaseFacts,
  revisions: readonly Revision[],
  observe: Observe,
): Promise<readonly Verdict[]> {
  const [rows, announced] = await Promise.all([dataPlaneRows(kong, revisions), announcements(kong, revisions)]);
  const [announcer] = announced.nodes;
  const running = roots.some((root) => root.nodeId === announcer);
  const controlPlanes = Math.max(config.controlPlanes, roots.length);
  const settings = slowest(roots);
  const seen = await observe(index, rows, database.now);
  return hybridVerdicts({
    now: database.now,
    revisions,
    rows: seen,
    live: config.live,
    ...(config.silentAfterMs === undefined ? {} : { silentAfterMs: config.silentAfterMs }),
    holdMs: holdMs({ settings, controlPlanes, entities: database.entities }),
    reportMs: reportMs(database.entities),
    marginMs: marginMs(database.entities),
    pauseMs: settings.dbUpdateFrequency * 1000,
    oneControlPlane: controlPlanes === 1,
    replica: roots.some((root) => root.readOnlyHost !== undefined),
    pushes: { ...announced, oneNode: announced.nodes.length === 1 && running },
  });
}

async function traditional(
  { kong }: Convergence,
  nodes: readonly AdminNode[],
  database: DatabaseFacts,
  revisions: readonly Revision[],
): Promise<readonly Verdict[]> {
  return traditionalVerdicts({
    now: database.now,
    revisions,
    lastEvents: await lastEvents(kong, revisions),
    nodes: nodes.map(({ node, root }) => ({
      node,
      boundMs: root === undefined ? undefined : boundMs(root, database.entities),
    })),
  });
}

/** A run without what it says of revisions. `clock` is undefined when Kong's PostgreSQL could not be read. */
interface Judged extends Pick<Converged, 'topology' | 'verdicts'> {
  readonly clock: Mark | undefined;
}

/** Fails closed: evidence that cannot be read gives `unknown` with the reason. */
async function judge(run: Convergence, revisions: readonly Revision[], observe: Observe): Promise<Judged> {
  const found = await adminNodes(run).catch((error: unknown) => {
    if (error instanceof AppError) return error;
    throw error;
  });
  if (found instanceof AppError) {
    return { topology: 'unknown', clock: undefined, verdicts: [unknown('Admin API', found.message)] };
  }
  const { own: nodes, foreign } = found;
  const strangers = foreign.map(({ node }) => unknown(node, 'it uses another database than KONG_DATABASE_URL'));
  const roots = nodes.flatMap(({ root }) => root ?? []);
  const role = roots[0]?.role;
  const topology = role === 'control_plane' ? 'hybrid' : role === 'traditional' ? 'traditional' : 'unknown';
  if (topology === 'unknown') {
    const reason = role === undefined ? 'its Admin API does not answer' : 'it is a data plane, which has no database';
    const verdicts = [...nodes.map(({ node }) => unknown(node, reason)), ...strangers];
    return { topology, clock: undefined, verdicts };
  }
  try {
    const database = await databaseFacts(run.kong);
    const verdicts =
      topology === 'hybrid'
        ? await hybrid(run, roots, database, revisions, observe)
        : await traditional(run, nodes, database, revisions);
    return { topology, verdicts: [...verdicts, ...strangers], clock: database };
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'KONG_DATABASE_UNAVAILABLE') throw error;
    const verdicts = [...nodes.map(({ node }) => unknown(node, error.message)), ...strangers];
    return { topology, clock: undefined, verdicts };
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
    const { topology, verdicts, clock } = await judge(run, revisions, observed);
    const everywhere = provenEverywhere(verdicts, revisions, run.config.incompatible);
    const converged = everywhere === undefined || !clock ? [] : await markConverged(run.index, everywhere, clock.now);
    if (revisions.length === 0 && clock !== undefined) await recordBaseline(run.index, clock);
    const proven = await lastConverged(run.index);
    await rememberVerdicts(run.index, { topology, verdicts });
    return { topology, verdicts, newest: revisions[0], converged, proven };
  });
}

/** The verdicts as they stand, without leaving a trace: nothing is remembered, marked or created. Throws as `converge`. */
export function inspect(run: Convergence): Promise<Omit<Converged, 'converged'>> {
  return guarded(async () => {
    const ready = await hasIndex(run.index);
    const revisions = ready ? await openRevisions(run.index) : [];
    const { topology, verdicts } = await judge(run, revisions, ready ? recalled : seenNow);
    const proven = ready ? await lastConverged(run.index) : undefined;
    return { topology, verdicts, newest: revisions[0], proven };
  });
}

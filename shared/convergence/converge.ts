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
import { boundMs, holdMs } from './delays.ts';
import { databaseFacts, dataPlaneRows, lastAnnouncer, lastEvents } from './evidence.ts';
import type { DatabaseFacts } from './evidence.ts';
import { hybridVerdicts } from './hybrid-verdict.ts';
import { observed, recalled, seenNow } from './observations.ts';
import { markConverged, openRevisions } from './revisions.ts';
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
  /** The newest revision; undefined when nothing has been written yet. */
  readonly newest: Revision | undefined;
  /** Revisions that this run proved on every live data plane, oldest first. */
  readonly converged: readonly string[];
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
  const evidence = 'agreement';
  return { node, name: node, state: 'unknown', revision: undefined, evidence, proof: undefined, reason };
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
  const [rows, announcer] = await Promise.all([dataPlaneRows(kong, revisions), lastAnnouncer(kong)]);
  const hold = holdMs({
    settings: slowest(roots),
    controlPlanes: Math.max(config.controlPlanes, roots.length),
    entities: database.entities,
    restarted: !roots.some((root) => root.nodeId === announcer),
  });
  const seen = await observe(index, rows, database.now);
  return hybridVerdicts({ now: database.now, revisions, rows: seen, live: config.live, holdMs: hold });
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

type Judged = Pick<Converged, 'topology' | 'verdicts'> & { readonly now: number | undefined };

/** Fails closed: evidence that cannot be read gives `unknown` with the reason. */
async function judge(run: Convergence, revisions: readonly Revision[], observe: Observe): Promise<Judged> {
  const found = await adminNodes(run).catch((error: unknown) => {
    if (error instanceof AppError) return error;
    throw error;
  });
  if (found instanceof AppError) {
    return { topology: 'unknown', now: undefined, verdicts: [unknown('Admin API', found.message)] };
  }
  const { own: nodes, foreign } = found;
  const strangers = foreign.map(({ node }) => unknown(node, 'it uses another database than KONG_DATABASE_URL'));
  const roots = nodes.flatMap(({ root }) => root ?? []);
  const role = roots[0]?.role;
  const topology = role === 'control_plane' ? 'hybrid' : role === 'traditional' ? 'traditional' : 'unknown';
  if (topology === 'unknown') {
    const reason = role === undefined ? 'its Admin API does not answer' : 'it is a data plane, which has no database';
    return { topology, now: undefined, verdicts: [...nodes.map(({ node }) => unknown(node, reason)), ...strangers] };
  }
  try {
    const database = await databaseFacts(run.kong);
    const verdicts =
      topology === 'hybrid'
        ? await hybrid(run, roots, database, revisions, observe)
        : await traditional(run, nodes, database, revisions);
    return { topology, verdicts: [...verdicts, ...strangers], now: database.now };
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'KONG_DATABASE_UNAVAILABLE') throw error;
    return {
      topology,
      now: undefined,
      verdicts: [...nodes.map(({ node }) => unknown(node, error.message)), ...strangers],
    };
  }
}

/** The newest revision that every data plane has. None without data planes: that would prove nothing. */
function provenEverywhere(verdicts: readonly Verdict[], revisions: readonly Revision[]): string | undefined {
  const places = verdicts.map(({ revision }) => revisions.findIndex(({ id }) => id === revision));
  if (places.length === 0 || places.includes(-1)) return undefined;
  return revisions[Math.max(...places)]?.id;
}

/**
 * Judges the newest revision on every data plane, and marks what is proven on all of them. Throws INDEX_*; evidence
 * that is missing elsewhere gives `unknown`, never `converged`.
 */
export function converge(run: Convergence): Promise<Converged> {
  return guarded(async () => {
    await migrate(run.index);
    const revisions = await openRevisions(run.index);
    const { topology, verdicts, now } = await judge(run, revisions, observed);
    const proven = provenEverywhere(verdicts, revisions);
    const converged = proven === undefined || now === undefined ? [] : await markConverged(run.index, proven, now);
    return { topology, verdicts, newest: revisions[0], converged };
  });
}

/** The verdicts as they stand, without leaving a trace: nothing is remembered, marked or created. Throws as `converge`. */
export function inspect(run: Convergence): Promise<Omit<Converged, 'converged'>> {
  return guarded(async () => {
    const ready = await hasIndex(run.index);
    const revisions = ready ? await openRevisions(run.index) : [];
    const { topology, verdicts } = await judge(run, revisions, ready ? recalled : seenNow);
    return { topology, verdicts, newest: revisions[0] };
  });
}

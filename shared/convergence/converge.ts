import type { KongConfig } from '../config.ts';
import { AppError } from '../errors.ts';
import type { Database, Queryable } from '../index/database.ts';
import { hasIndex, migrate } from '../index/migrate.ts';
import { adminClient } from '../kong/admin.ts';
import type { KongRoot } from '../kong/root.ts';
import type { ConvergenceConfig } from './config.ts';
import { boundMs, holdMs } from './delays.ts';
import { databaseFacts, dataPlaneRows, lastAnnouncer, lastEvents } from './evidence.ts';
import type { DatabaseFacts } from './evidence.ts';
import { hybridVerdicts } from './hybrid-verdict.ts';
import { firstSeen, observed, recalled } from './observations.ts';
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

/** A silent node must not use up the run's time. */
const ROOT_TIMEOUT_MS = 3_000;
const ROOT_ATTEMPTS = 2;

async function adminNode(config: KongConfig, url: string): Promise<AdminNode> {
  const timeout = Math.min(config.adminTimeoutMs, ROOT_TIMEOUT_MS);
  const admin = adminClient({ ...config, adminUrls: [url], adminTimeoutMs: timeout }, ROOT_ATTEMPTS);
  try {
    return { node: new URL(url).host, root: await admin.root() };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { node: new URL(url).host, root: undefined };
  } finally {
    admin.close();
  }
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
  const nodes = await Promise.all(run.config.adminUrls.map((url) => adminNode(run.config, url)));
  const roots = nodes.flatMap(({ root }) => root ?? []);
  const role = roots[0]?.role;
  const topology = role === 'control_plane' ? 'hybrid' : role === 'traditional' ? 'traditional' : 'unknown';
  if (topology === 'unknown') {
    const reason = role === undefined ? 'its Admin API does not answer' : 'it is a data plane, which has no database';
    return { topology, now: undefined, verdicts: nodes.map(({ node }) => unknown(node, reason)) };
  }
  try {
    const database = await databaseFacts(run.kong);
    const verdicts =
      topology === 'hybrid'
        ? await hybrid(run, roots, database, revisions, observe)
        : await traditional(run, nodes, database, revisions);
    return { topology, verdicts, now: database.now };
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'KONG_DATABASE_UNAVAILABLE') throw error;
    return { topology, now: undefined, verdicts: nodes.map(({ node }) => unknown(node, error.message)) };
  }
}

/** The newest revision that every data plane has. None without data planes: that would prove nothing. */
function provenEverywhere(verdicts: readonly Verdict[], revisions: readonly Revision[]): string | undefined {
  const places = verdicts.map(({ revision }) => revisions.findIndex(({ id }) => id === revision));
  if (places.length === 0 || places.includes(-1)) return undefined;
  return revisions[Math.max(...places)]?.id;
}

/**
 * Judges the newest revision on every data plane, and marks what is proven on all of them. Throws what the index's
 * database throws; evidence that is missing elsewhere gives `unknown`, never `converged`.
 */
export async function converge(run: Convergence): Promise<Converged> {
  await migrate(run.index);
  const revisions = await openRevisions(run.index);
  const { topology, verdicts, now } = await judge(run, revisions, observed);
  const proven = provenEverywhere(verdicts, revisions);
  const converged = proven === undefined || now === undefined ? [] : await markConverged(run.index, proven, now);
  return { topology, verdicts, newest: revisions[0], converged };
}

/** The verdicts as they stand, without leaving a trace: nothing is remembered, marked or created. Throws as `converge`. */
export async function inspect(run: Convergence): Promise<Omit<Converged, 'converged'>> {
  const ready = await hasIndex(run.index);
  const revisions = ready ? await openRevisions(run.index) : [];
  const { topology, verdicts } = await judge(run, revisions, ready ? recalled : firstSeen);
  return { topology, verdicts, newest: revisions[0] };
}

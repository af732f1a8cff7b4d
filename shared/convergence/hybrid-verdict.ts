import { sinceWrite } from './since-verdict.ts';
import type { DataPlaneRow, DataPlaneState, Revision, Verdict } from './types.ts';

/** A control plane drops a data plane after so long without a ping; a live one pings every 30 s (DB §2.3). */
export const SEEN_LATELY_MS = 45_000;
/** Two pings: from then on a data plane that keeps the old hash does so on purpose. */
const REJECTING_AFTER_MS = 60_000;
/** Hash of a data plane that has received nothing yet (DB §2.4). */
const NOTHING_RECEIVED = /^0*$/;

/** Which data planes count. */
export type LiveSet =
  /** Names, ids or addresses that must be there. */
  | { readonly kind: 'list'; readonly nodes: readonly string[] }
  /** Those that were heard of lately; a silent one is waited for during this time, ms, and then forgotten. */
  | { readonly kind: 'seen'; readonly forgetAfterMs: number };

/** Everything that the verdicts are made of. Times are ms of the clock of Kong's PostgreSQL. */
export interface HybridFacts {
  readonly now: number;
  /** Newest first; the newest one, and those that have not converged. */
  readonly revisions: readonly Revision[];
  readonly rows: readonly DataPlaneRow[];
  readonly live: LiveSet;
  /** How long a new hash must be held before it proves anything, ms: see `holdMs`. */
  readonly holdMs: number;
  /** What a stored configuration is given for the rebuild, ms, within `holdMs`: see `marginMs`. */
  readonly marginMs: number;
}

/** Why, and how, without the proof. */
interface Judged {
  readonly row: DataPlaneRow;
  readonly state: DataPlaneState;
  readonly reason: string;
}

/** What agreement cannot see, to be said with every proof. */
function blindSpots(live: LiveSet): string {
  const common = 'data planes that all failed alike would not be seen';
  return live.kind === 'list' ? common : `${common}, nor one that was not heard of for long`;
}

/** Heard of lately by either clock: believing a dead row to be alive only delays, the other way round would lie. */
function heardOf(row: DataPlaneRow, now: number): boolean {
  return now - row.lastSeen <= SEEN_LATELY_MS || now - row.rowSince <= SEEN_LATELY_MS;
}

/** The state of a row by itself; undefined when it depends on what the others have. */
function alone(row: DataPlaneRow, revision: Revision, place: number, facts: HybridFacts): Judged | undefined {
  const { now, holdMs } = facts;
  if (row.syncStatus.endsWith('_incompatible')) {
    return {
      row,
      state: 'incompatible',
      reason: `Kong does not configure it: ${row.syncStatus}, version ${row.version}`,
    };
  }
  if (!heardOf(row, now)) {
    return { row, state: 'partitioned', reason: 'its control plane has not heard of it for more than 45 s' };
  }
  if (NOTHING_RECEIVED.test(row.hash)) {
    return { row, state: 'applying', reason: 'it has not received a configuration yet' };
  }
  if (row.afterRevision === undefined || row.afterRevision > place) {
    return { row, state: 'applying', reason: 'it has not been heard of since the write' };
  }
  // What was there before the first write need not be new.
  if (row.hashSince > revision.startedAt || revision.changes === 0) return undefined;
  const stuck = now - revision.writtenAt > holdMs + REJECTING_AFTER_MS;
  return stuck
    ? { row, state: 'rejecting', reason: 'it answers, but keeps the configuration that it had before the write' }
    : { row, state: 'applying', reason: 'it still has the configuration that it had before the write' };
}

/** What the rows that were judged by themselves mean for the agreement of the others. */
interface Others {
  /** One of them has another configuration, or none. */
  readonly differ: boolean;
  /** Those that have the revision. */
  readonly proven: readonly DataPlaneRow[];
}

/** Rows with a hash that is new since the write: converged when all live ones share it and have held it long enough. */
function together(rows: readonly DataPlaneRow[], others: Others, revision: Revision, facts: HybridFacts): Judged[] {
  const all = [...rows, ...others.proven];
  const held = facts.now - Math.max(revision.writtenAt, ...all.map((row) => row.hashSince));
  const agree = !others.differ && new Set(all.map((row) => row.hash)).size <= 1;
  const state: DataPlaneState = agree && held >= facts.holdMs ? 'converged' : 'applying';
  const reason =
    state === 'converged'
      ? `all live data planes hold one new configuration for ${seconds(held)}; ${blindSpots(facts.live)}`
      : agree
        ? `new configuration held for ${seconds(held)} of ${seconds(facts.holdMs)}`
        : 'the data planes do not agree on one configuration';
  return rows.map((row) => ({ row, state, reason }));
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** Nobody took it: then it cannot be told from a write that does not show in the configuration. */
function withoutWitness(judged: Judged): Judged {
  if (judged.state !== 'rejecting') return judged;
  return { ...judged, state: 'unknown', reason: 'no data plane has another configuration than before the write' };
}

function judge(
  rows: readonly DataPlaneRow[],
  revision: Revision,
  place: number,
  facts: HybridFacts,
): readonly Judged[] {
  const { convergedAt } = revision;
  const judged = rows.map((row): Judged | DataPlaneRow => {
    const own = alone(row, revision, place, facts);
    // What was proven stays proven for the nodes that were there, whatever is pushed afterwards.
    const before = convergedAt !== undefined && row.firstSeen <= convergedAt;
    if (before && own?.state !== 'incompatible' && own?.state !== 'partitioned') {
      return { row, state: 'converged', reason: `it had the revision before; ${blindSpots(facts.live)}` };
    }
    return own ?? row;
  });
  const settled = judged.filter((item): item is Judged => 'state' in item);
  const fresh = judged.filter((item): item is DataPlaneRow => !('state' in item));
  const proven = settled.filter((item) => item.state === 'converged').map((item) => item.row);
  if (fresh.length === 0 && proven.length === 0) return settled.map(withoutWitness);
  const differ = settled.some(({ state }) => state === 'applying' || state === 'rejecting');
  return [...settled, ...together(fresh, { differ, proven }, revision, facts)];
}

/** The newest row that a name of the list stands for. */
function rowOf(name: string, rows: readonly DataPlaneRow[]): DataPlaneRow | undefined {
  const matching = rows.filter((row) => [row.id, row.hostname, row.ip].includes(name));
  return matching.toSorted((a, b) => b.lastSeen - a.lastSeen)[0];
}

function liveRows({ live, rows, now }: HybridFacts): readonly DataPlaneRow[] {
  if (live.kind === 'list') return live.nodes.flatMap((name) => rowOf(name, rows) ?? []);
  return rows.filter((row) => heardOf(row, now) || now - row.lastSeen <= live.forgetAfterMs);
}

function missing(facts: HybridFacts): readonly Verdict[] {
  const { live, rows } = facts;
  if (live.kind === 'seen') return [];
  return live.nodes
    .filter((name) => rowOf(name, rows) === undefined)
    .map((name) => ({
      node: name,
      name,
      state: 'unknown',
      revision: undefined,
      evidence: 'agreement',
      proof: undefined,
      marginMs: undefined,
      reason: 'no control plane has ever heard of it',
      sinceWriteMs: sinceWrite(facts),
    }));
}

/** The newest revision that each of the live rows is proven to have, by row id. */
function provenRevisions(byRevision: readonly (readonly Judged[])[], facts: HybridFacts): ReadonlyMap<string, string> {
  const proven = new Map<string, string>();
  for (const [place, judged] of byRevision.entries()) {
    const id = facts.revisions[place]?.id;
    for (const { row, state } of judged) {
      if (state === 'converged' && id !== undefined && !proven.has(row.id)) proven.set(row.id, id);
    }
  }
  return proven;
}

/**
 * Verdicts of hybrid mode by agreement (DB §2.7 H3, CV §2): a live data plane has the revision when all of them share
 * one hash that none had before the write and have held it for `holdMs`. Without that hold the rule would be false:
 * a control plane pushes at the first write of a change and again `db_update_frequency` later. Pure.
 */
export function hybridVerdicts(facts: HybridFacts): readonly Verdict[] {
  const rows = liveRows(facts);
  const byRevision = facts.revisions.map((revision, place) => judge(rows, revision, place, facts));
  const proven = provenRevisions(byRevision, facts);
  const nothingWritten = rows.map((row): Judged => ({ row, state: 'unknown', reason: 'nothing has been written yet' }));
  const verdicts = (byRevision[0] ?? nothingWritten).map(({ row, state, reason }): Verdict => {
    const proof = state === 'converged' ? ('stored' as const) : undefined;
    return {
      node: row.id,
      name: row.hostname,
      state,
      revision: proven.get(row.id),
      evidence: 'agreement',
      proof,
      marginMs: proof === undefined ? undefined : facts.marginMs,
      reason,
      sinceWriteMs: sinceWrite(facts),
    };
  });
  return [...verdicts, ...missing(facts)].toSorted((a, b) => (a.node < b.node ? -1 : 1));
}

import type { PushFacts } from './complete-verdict.ts';
import { heardOf, SEEN_LATELY_MS } from './live-verdict.ts';
import type { LiveFacts } from './live-verdict.ts';
import type { Opinion } from './opinion-verdict.ts';
import type { DataPlaneRow, DataPlaneState, Revision } from './types.ts';

/** Two pings: from then on a data plane that keeps the old configuration does so on purpose. */
const REJECTING_AFTER_MS = 60_000;
/** Hash of a data plane that has received nothing yet (DB §2.4). */
const NOTHING_RECEIVED = /^0*$/;

/** The Status API shows a configuration up to 0.9 s before all workers serve it, the rows up to 0.4 s (CV §2, DB §7). */
const STATUS_LEAD_MS = 500;

/** What rows are judged by. */
export interface RowFacts extends PushFacts {
  /** Newest first. */
  readonly revisions: readonly Revision[];
  /** What a stored configuration is given for the rebuild, ms: see `marginMs`. */
  readonly marginMs: number;
  /** As in `LiveFacts`. */
  readonly silentAfterMs?: number;
}

export interface Said {
  readonly state: DataPlaneState;
  readonly reason: string;
}

/** What was said of a row and one of the revisions. */
export interface Judged extends Said {
  readonly row: DataPlaneRow;
}

/** The configuration of a data plane, by its own word where there is one. Pure. */
export function reading({ status, hash, hashSince }: DataPlaneRow): { readonly hash: string; readonly since: number } {
  return status ?? { hash, since: hashSince };
}

/** What is waited after a configuration is stored, ms. Pure. */
export function margin({ status }: DataPlaneRow, { marginMs }: Pick<RowFacts, 'marginMs'>): number {
  return status === undefined ? marginMs : marginMs + STATUS_LEAD_MS;
}

/** The opinion that follows from what was said of each revision, newest first; who says it is for the caller to set. Pure. */
export function blank(judged: readonly Judged[], facts: RowFacts): Opinion {
  const [newest] = judged;
  const proven = facts.revisions[judged.findIndex(({ state }) => state === 'converged')]?.id;
  const isProven = newest?.state === 'converged';
  return {
    evidence: 'agreement',
    state: newest?.state ?? 'unknown',
    revision: proven,
    proof: isProven ? 'stored' : undefined,
    marginMs: isProven ? margin(newest.row, facts) : undefined,
    reason: newest?.reason ?? 'nothing has been written yet',
  };
}

/** Whether a row is of use at all; undefined when it is. Pure. */
export function unusable(row: DataPlaneRow, facts: Pick<LiveFacts, 'now' | 'silentAfterMs'>): Said | undefined {
  if (row.syncStatus.endsWith('_incompatible')) {
    return { state: 'incompatible', reason: `Kong does not configure it: ${row.syncStatus}, version ${row.version}` };
  }
  return row.status === undefined ? cutOff(row, facts) : undefined;
}

/** A data plane that its control planes have not heard of for long; undefined for others. */
function cutOff(row: DataPlaneRow, facts: Pick<LiveFacts, 'now' | 'silentAfterMs'>): Said | undefined {
  if (heardOf(row, facts)) return undefined;
  const silent = Math.round((facts.silentAfterMs ?? SEEN_LATELY_MS) / 1000);
  return { state: 'partitioned', reason: `its control plane has not heard of it for more than ${silent} s` };
}

/** What a data plane does that could have a revision, when it does not. Pure. */
export function without(row: DataPlaneRow, revision: Revision, place: number, facts: RowFacts): Said {
  // Its own word says what it holds, and not that it would hear of anything newer.
  const lost = cutOff(row, facts);
  if (lost !== undefined) return lost;
  if (empty(reading(row))) return { state: 'applying', reason: 'it has not received a configuration yet' };
  if (!heardSince(row, place)) {
    return { state: 'applying', reason: 'it has not been heard of since the write' };
  }
  return facts.now - revision.writtenAt > facts.holdMs + REJECTING_AFTER_MS
    ? { state: 'rejecting', reason: 'it answers, but keeps the configuration that it had before the write' }
    : { state: 'applying', reason: 'it still has the configuration that it had before the write' };
}

/**
 * What was proven stays proven for the nodes that were there, whatever is pushed afterwards; unless a control plane reads
 * a replica, and may push what is older. Pure.
 */
export function hadBefore(
  row: DataPlaneRow,
  { convergedAt }: Revision,
  { replica }: Pick<PushFacts, 'replica'>,
): boolean {
  return !replica && convergedAt !== undefined && row.firstSeen <= convergedAt;
}

/** The reading is younger than the revision of this place: the data plane itself answered, or its row was written later. Pure. */
export function heardSince({ status, afterRevision }: DataPlaneRow, place: number): boolean {
  return status !== undefined || (afterRevision !== undefined && afterRevision <= place);
}

/** Nothing was received yet. Pure. */
export function empty({ hash }: { readonly hash: string }): boolean {
  return NOTHING_RECEIVED.test(hash);
}

/** A time for people. Pure. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

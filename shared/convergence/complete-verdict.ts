import type { DataPlaneRow, Earlier, Pushes, Revision } from './types.ts';

/** A data plane that lost its control plane connects again after at least so long, ms (DB §6 row 6). */
const RECONNECT_LEAST_MS = 5_000;
/** After this time every data plane of a control plane that restarted is connected again, ms (DB §6 row 6). */
const RECONNECT_MOST_MS = 15_000;
/** Kong announces a write a few ms after it; where it announces nothing else, never later than this. */
const ANNOUNCED_WITHIN_MS = 1_000;

/** How control planes push. Times are ms. */
export interface PushFacts {
  /** ms of the clock of Kong's PostgreSQL. */
  readonly now: number;
  /** `db_update_frequency`: a control plane pauses for so long after a push. */
  readonly pauseMs: number;
  /** After this everything that a write caused is pushed, stored and reported: see `holdMs`. */
  readonly holdMs: number;
  /** From an export to the report of the data planes that store it, at the longest. */
  readonly reportMs: number;
  /** A single control plane: its data planes get the same pushes, one after the other. */
  readonly oneControlPlane: boolean;
  /** A control plane exports from a replica, which may be late: no agreement proves anything then (DB §2.2). */
  readonly replica: boolean;
  /** Since when runs see the control planes' processes that run now, and no other. */
  readonly steadySince: number;
  /** Undefined when they could not be read. */
  readonly pushes: Pushes | undefined;
}

/** What a row had when the writes began, and what it had between that and now, newest first. */
interface Story {
  readonly row: DataPlaneRow;
  readonly before: Pick<Earlier, 'hash' | 'floor'>;
  readonly between: readonly Earlier[];
}

/** Undefined for a row of which nobody knows what it had before. */
function storyOf(row: DataPlaneRow, { startedAt }: Revision): Story | undefined {
  if (row.hashSince <= startedAt) return { row, before: { hash: row.hash, floor: row.rowFloor }, between: [] };
  const place = row.earlier.findIndex(({ since }) => since <= startedAt);
  const before = row.earlier[place];
  return before === undefined ? undefined : { row, before, between: row.earlier.slice(0, place) };
}

/**
 * No control plane restarted lately: whoever was connected stayed so, and was sent all pushes. After a restart data planes
 * report what they had and not what they are being sent, and a control plane without any exports for the first to come. Pure.
 */
export function steady(revision: Revision, { steadySince }: Pick<PushFacts, 'steadySince'>): boolean {
  return steadySince <= revision.startedAt - RECONNECT_MOST_MS;
}

/** Nobody else wrote since the data planes had what they had before, until the end of the revision's writes. */
function undisturbed(stories: readonly Story[], revision: Revision, { now, holdMs, pushes }: PushFacts): boolean {
  const from = Math.min(revision.startedAt, ...stories.map(({ before }) => before.floor)) - holdMs;
  const until = revision.writtenAt + ANNOUNCED_WITHIN_MS;
  if (pushes === undefined || from < pushes.completeFrom || now < until) return false;
  const writes = pushes.at.filter((at) => at >= from && at <= until);
  return writes.length === revision.changes && writes.every((at) => at >= revision.startedAt);
}

/** The second new configuration was exported a pause after the first, which holds one of the writes already. */
function isSecondPush(revision: Revision, { between }: Story, facts: PushFacts): boolean {
  const took = revision.writtenAt - revision.startedAt;
  return facts.oneControlPlane && between.length > 0 && took <= Math.min(facts.pauseMs, RECONNECT_LEAST_MS);
}

function mustHold(story: Story, revision: Revision, facts: PushFacts): boolean {
  const { row, before, between } = story;
  if (row.hashSince <= revision.startedAt || [...between, before].some(({ hash }) => hash === row.hash)) return false;
  return revision.changes === 1 || isSecondPush(revision, story, facts);
}

/**
 * Configurations of the live rows that must hold all of a revision, as those show that came before. Only when the data
 * planes agreed on one when the writes began, and nobody else wrote meanwhile: then a configuration unlike that one holds
 * at least one of the writes. It holds all when there was a single one, or when it is the second new one: the push after
 * the first came a pause later, with everything that was written by then. The latter needs a single control plane, as
 * another one pushes in its own time. Pure.
 */
export function completeHashes(
  rows: readonly DataPlaneRow[],
  revision: Revision,
  facts: PushFacts,
): ReadonlySet<string> {
  const known = rows.filter(({ firstSeen }) => firstSeen <= revision.startedAt);
  const stories = known.flatMap((row) => storyOf(row, revision) ?? []);
  // One whose story was forgotten could be the only one that was up to date.
  const agreed = stories.length === known.length && new Set(stories.map(({ before }) => before.hash)).size === 1;
  if (revision.changes === 0 || !agreed || !steady(revision, facts) || !undisturbed(stories, revision, facts))
    return new Set();
  return new Set(stories.filter((story) => mustHold(story, revision, facts)).map(({ row }) => row.hash));
}

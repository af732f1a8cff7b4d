import type { Queryable } from '../index/database.ts';
import { hasIndex } from '../index/migrate.ts';
import type { Revision } from './types.ts';

/** Older open revisions than these are settled by the newer ones. */
const MOST = 50;

interface Row {
  readonly id: string;
  readonly changes: number;
  readonly startedAt: number;
  readonly writtenAt: number;
  readonly snapshotXmax: string;
  readonly convergedAt: number | null;
  readonly epoch: number | null;
}

/** The newest revision, and those that have not converged; newest first. */
export async function openRevisions(index: Queryable): Promise<readonly Revision[]> {
  const { rows } = await index.query<Row>(
    `SELECT id::text AS id, changes, (extract(epoch FROM written_at) * 1000)::float8 AS "writtenAt",
       (extract(epoch FROM least(started_at, written_at)) * 1000)::float8 AS "startedAt",
       snapshot_xmax AS "snapshotXmax", (extract(epoch FROM converged_at) * 1000)::float8 AS "convergedAt",
       canary_epoch::float8 AS epoch
     FROM kong_ingress.revisions
     WHERE converged_at IS NULL OR id = (SELECT max(id) FROM kong_ingress.revisions)
     ORDER BY revisions.id DESC LIMIT $1`,
    [MOST],
  );
  return rows.map((row) => ({ ...row, convergedAt: row.convergedAt ?? undefined, epoch: row.epoch ?? undefined }));
}

/** A moment of Kong's PostgreSQL. */
export interface Mark {
  /** ms of its clock. */
  readonly now: number;
  /** `pg_snapshot_xmax` then. */
  readonly snapshotXmax: string;
}

/**
 * Records the baseline of an adopted database: a revision without changes, which stands for what was in Kong before we
 * wrote anything. Without it nothing could be proven there, and `Programmed` would wait for a write that never comes.
 * Nothing happens when there is a revision, or when the index knows no entity that is in Kong.
 */
export async function recordBaseline(index: Queryable, { now, snapshotXmax }: Mark): Promise<void> {
  await index.query(
    `INSERT INTO kong_ingress.revisions (written_at, started_at, snapshot_xmax, changes)
     SELECT to_timestamp($1::float8 / 1000), to_timestamp($1::float8 / 1000), $2, 0
     WHERE NOT EXISTS (SELECT FROM kong_ingress.revisions)
       AND EXISTS (SELECT FROM kong_ingress.entities WHERE hash IS NOT NULL)`,
    [now, snapshotXmax],
  );
}

/**
 * Remembers the timeline of Kong's PostgreSQL; true when it is another one than before. Then everything is to be proven
 * anew: a revision without changes is recorded, as a baseline.
 */
export async function failedOver(index: Queryable, timeline: number, { now, snapshotXmax }: Mark): Promise<boolean> {
  const { rows } = await index.query(
    `WITH before AS (SELECT value FROM kong_ingress.meta WHERE name = 'timeline'),
     remembered AS (
       INSERT INTO kong_ingress.meta (name, value) VALUES ('timeline', $1)
       ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE meta.value <> excluded.value
     )
     INSERT INTO kong_ingress.revisions (written_at, started_at, snapshot_xmax, changes)
     SELECT to_timestamp($2::float8 / 1000), to_timestamp($2::float8 / 1000), $3, 0 FROM before WHERE value <> $1
     RETURNING id`,
    [String(timeline), now, snapshotXmax],
  );
  return rows.length > 0;
}

/** The newest revision that was proven on every live data plane, by whichever run; undefined while none is. */
export async function lastConverged(index: Queryable): Promise<Pick<Revision, 'id' | 'snapshotXmax'> | undefined> {
  const { rows } = await index.query<Pick<Revision, 'id' | 'snapshotXmax'>>(
    `SELECT id::text AS id, snapshot_xmax AS "snapshotXmax" FROM kong_ingress.revisions
     WHERE converged_at IS NOT NULL ORDER BY revisions.id DESC LIMIT 1`,
  );
  return rows[0];
}

/** Remembers that a configuration was seen to hold a revision; those that nobody has had for a day are forgotten. */
export async function rememberConfiguration(index: Queryable, hash: string, revision: string): Promise<void> {
  await index.query(
    `WITH old AS (DELETE FROM kong_ingress.configurations WHERE seen_at < now() - interval '1 day' AND hash <> $1)
     INSERT INTO kong_ingress.configurations AS c (hash, revision, seen_at) VALUES ($1, $2::bigint, now())
     ON CONFLICT (hash) DO UPDATE SET revision = greatest(c.revision, excluded.revision), seen_at = excluded.seen_at`,
    [hash, revision],
  );
}

/** Configuration → number of the newest revision that it was seen to hold. */
export async function knownConfigurations(index: Queryable): Promise<ReadonlyMap<string, number>> {
  const { rows } = await index.query<{ hash: string; revision: string }>(
    'SELECT hash, revision::text AS revision FROM kong_ingress.configurations',
  );
  return new Map(rows.map(({ hash, revision }) => [hash, Number(revision)]));
}

/** Marks a revision and all before it as converged at `now` (ms); gives the ids that were not yet. */
export async function markConverged(index: Queryable, id: string, now: number): Promise<readonly string[]> {
  const { rows } = await index.query<{ id: string }>(
    `UPDATE kong_ingress.revisions SET converged_at = to_timestamp($2::float8 / 1000)
     WHERE id <= $1::bigint AND converged_at IS NULL RETURNING id::text AS id`,
    [id, now],
  );
  return rows.map((row) => row.id).toSorted((a, b) => Number(a) - Number(b));
}

/** A revision for people. Times are ms of the clock of Kong's PostgreSQL. */
export type RevisionRecord = Pick<Revision, 'id' | 'changes' | 'startedAt' | 'writtenAt' | 'convergedAt'>;

/** The last revisions, newest first; none without an index. */
export async function lastRevisions(index: Queryable, count: number): Promise<readonly RevisionRecord[]> {
  if (!(await hasIndex(index))) return [];
  const { rows } = await index.query<Omit<Row, 'snapshotXmax' | 'epoch'>>(
    `SELECT id::text AS id, changes, (extract(epoch FROM written_at) * 1000)::float8 AS "writtenAt",
       (extract(epoch FROM least(started_at, written_at)) * 1000)::float8 AS "startedAt",
       (extract(epoch FROM converged_at) * 1000)::float8 AS "convergedAt"
     FROM kong_ingress.revisions ORDER BY revisions.id DESC LIMIT $1`,
    [count],
  );
  return rows.map((row) => ({ ...row, convergedAt: row.convergedAt ?? undefined }));
}

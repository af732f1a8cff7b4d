import type { Queryable } from '../index/database.ts';
import type { Revision } from './types.ts';

/** Older open revisions than these are settled by the newer ones. */
const MOST = 50;

interface Row {
  readonly id: string;
  readonly startedAt: number;
  readonly writtenAt: number;
  readonly snapshotXmax: string;
  readonly convergedAt: number | null;
}

/** The newest revision, and those that have not converged; newest first. */
export async function openRevisions(index: Queryable): Promise<readonly Revision[]> {
  const { rows } = await index.query<Row>(
    `SELECT id::text AS id, (extract(epoch FROM written_at) * 1000)::float8 AS "writtenAt",
       (extract(epoch FROM least(started_at, written_at)) * 1000)::float8 AS "startedAt",
       snapshot_xmax AS "snapshotXmax", (extract(epoch FROM converged_at) * 1000)::float8 AS "convergedAt"
     FROM kong_ingress.revisions
     WHERE converged_at IS NULL OR id = (SELECT max(id) FROM kong_ingress.revisions)
     ORDER BY revisions.id DESC LIMIT $1`,
    [MOST],
  );
  return rows.map((row) => ({ ...row, convergedAt: row.convergedAt ?? undefined }));
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

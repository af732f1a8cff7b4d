import type { Queryable } from '../index/database.ts';
import { select } from '../kong/database.ts';
import { AppError } from '../errors.ts';
import type { Mark } from './revisions.ts';
import { EVENT_GRACE_MS } from './traditional-verdict.ts';
import type { Invalidations } from './traditional-verdict.ts';
import type { DataPlaneRow, Pushes, Revision } from './types.ts';

/** What Kong's PostgreSQL says of itself. */
export interface DatabaseFacts extends Mark {
  /** Rows in Kong's big tables, roughly. */
  readonly entities: number;
}

/** A row of `clustering_data_planes` as it stands, before anything is known of earlier runs. */
export interface SeenRow extends Omit<
  DataPlaneRow,
  'firstSeen' | 'hashSince' | 'rowSince' | 'rowFloor' | 'earlier' | 'status'
> {
  readonly rowXmin: string;
  /** What its Status API says; undefined: it was not asked, or did not answer. */
  readonly statusHash: string | undefined;
}

/** The clock and the size. Throws KONG_DATABASE_UNAVAILABLE, also when it is a replica, whose rows may be old (DB §6 row 9). */
export async function databaseFacts(kong: Queryable): Promise<DatabaseFacts> {
  const [row] = await select<DatabaseFacts & { replica: boolean }>(
    kong,
    "the database's clock",
    `SELECT pg_is_in_recovery() AS replica, (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now,
       pg_snapshot_xmax(pg_current_snapshot())::text AS "snapshotXmax",
       (SELECT coalesce(sum(n_live_tup), 0)::float8 FROM pg_stat_user_tables
        WHERE relname IN ('routes', 'services', 'plugins', 'upstreams', 'targets')) AS entities`,
    [],
  );
  if (row === undefined || row.replica) {
    throw new AppError('KONG_DATABASE_UNAVAILABLE', 'KONG_DATABASE_URL leads to a replica; its primary is needed');
  }
  return row;
}

/**
 * The timeline of Kong's PostgreSQL: another one after a failover, when what was acknowledged may be lost and numbers of
 * transactions mean something else (DB §6 row 7). Undefined where the service does not tell.
 */
export async function timelineOf(kong: Queryable): Promise<number | undefined> {
  const read = select<{ timeline: number }>(
    kong,
    'the timeline',
    'SELECT timeline_id AS timeline FROM pg_control_checkpoint()',
    [],
  );
  const rows = await read.catch(() => []);
  return rows[0]?.timeline;
}

/**
 * The data planes' rows. "After the write" needs no clock: a transaction that began later has a younger xid than the
 * snapshot's (DB §2.7). Throws KONG_DATABASE_UNAVAILABLE.
 */
export async function dataPlaneRows(kong: Queryable, revisions: readonly Revision[]): Promise<readonly SeenRow[]> {
  const rows = await select<Omit<SeenRow, 'afterRevision' | 'statusHash'> & { afterRevision: number | null }>(
    kong,
    'clustering_data_planes',
    `SELECT d.id::text AS id, d.hostname, d.ip, coalesce(d.version, '') AS version, d.sync_status AS "syncStatus",
       d.config_hash AS hash, (extract(epoch FROM d.last_seen) * 1000)::float8 AS "lastSeen", d.xmin::text AS "rowXmin",
       (SELECT min(r.place)::int - 1 FROM unnest($1::text[]) WITH ORDINALITY AS r(snapshot, place)
        WHERE age(d.xmin) <= age((r.snapshot::xid8)::xid)) AS "afterRevision"
     FROM clustering_data_planes d`,
    [revisions.map((revision) => revision.snapshotXmax)],
  );
  return rows.map((row) => ({ ...row, afterRevision: row.afterRevision ?? undefined, statusHash: undefined }));
}

/** Announcements that are looked at; where there are more, Kong is too busy to tell writes apart. */
const MOST_PUSHES = 500;
/** How far before a revision announcements are of interest, ms; Kong keeps them for an hour. */
const PUSHES_BEFORE_MS = 10 * 60_000;

/** Reads announcements since ten minutes before the oldest revision. Throws KONG_DATABASE_UNAVAILABLE. */
export async function announcements(kong: Queryable, revisions: readonly Revision[]): Promise<Pushes> {
  const from = Math.min(...revisions.map(({ startedAt }) => startedAt)) - PUSHES_BEFORE_MS;
  const rows = await select<{ at: number }>(
    kong,
    'cluster_events',
    `SELECT (extract(epoch FROM at) * 1000)::float8 AS at FROM cluster_events
     WHERE channel = 'clustering:push_config' AND at >= to_timestamp($1::float8 / 1000)
     ORDER BY cluster_events.at DESC LIMIT ${MOST_PUSHES}`,
    [Number.isFinite(from) ? from : 0],
  );
  const oldest = rows.at(-1)?.at ?? from;
  return {
    at: rows.map(({ at }) => at).toReversed(),
    completeFrom: rows.length < MOST_PUSHES ? from : oldest + 1,
  };
}

/** Clocks of the index's and of Kong's PostgreSQL may differ by so much, ms. */
const BEFORE_START_MS = 5_000;

/** By place: what Kong announced around each revision; undefined: nothing. */
export async function invalidations(
  kong: Queryable,
  revisions: readonly Revision[],
): Promise<readonly (Invalidations | undefined)[]> {
  const rows = await select<{ at: number | null; versions: Record<string, number> | null; balancer: boolean }>(
    kong,
    'cluster_events',
    `SELECT e.at, e.versions, coalesce(e.balancer, false) AS balancer
     FROM unnest($1::float8[], $2::float8[]) WITH ORDINALITY AS r(started, written, place)
     LEFT JOIN LATERAL (
       SELECT (extract(epoch FROM max(c.at)) * 1000)::float8 AS at, bool_or(c.channel LIKE 'balancer:%') AS balancer,
         jsonb_object_agg(c.data, (extract(epoch FROM c.at) * 1000)::float8 ORDER BY c.at)
           FILTER (WHERE c.data IN ('router:version', 'plugins_iterator:version')) AS versions
       FROM cluster_events c
       WHERE c.at BETWEEN to_timestamp((r.started - $3) / 1000) AND to_timestamp((r.written + $4) / 1000)
     ) e ON true ORDER BY r.place`,
    [
      revisions.map((revision) => revision.startedAt),
      revisions.map((revision) => revision.writtenAt),
      BEFORE_START_MS,
      EVENT_GRACE_MS,
    ],
  );
  return rows.map(({ at, versions, balancer }) =>
    at === null ? undefined : { last: at, versions: versions ?? {}, balancer },
  );
}

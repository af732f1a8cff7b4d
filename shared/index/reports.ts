import type { Key } from '../kubernetes/keys.ts';
import type { Content, Say } from '../status/types.ts';
import type { Queryable } from './database.ts';

/**
 * The part of a commit that is about statuses. What a root says replaces what it said before; each object of which
 * something else is said than before, or for which something was written, is marked. A root that joins those that say
 * the same of an object does not make it wait again.
 */
export const COMMIT_REPORTS = `
  new_reports AS MATERIALIZED (
    SELECT r.* FROM input, jsonb_to_recordset(doc->'reports')
      AS r(root text, object text, content jsonb, wrote boolean, rewrote boolean, shows boolean)
  ),
  old_reports AS MATERIALIZED (
    SELECT r.root, r.object, r.content FROM kong_ingress.reports r
    WHERE r.root = ANY (ARRAY(SELECT root FROM done UNION SELECT jsonb_array_elements_text(doc->'told') FROM input))
  ),
  changed_reports AS MATERIALIZED (
    SELECT n.* FROM new_reports n LEFT JOIN old_reports o USING (root, object)
    WHERE o.root IS NULL OR o.content <> n.content OR n.rewrote
  ),
  lost_reports AS MATERIALIZED (
    SELECT o.root, o.object FROM old_reports o LEFT JOIN new_reports n USING (root, object) WHERE n.root IS NULL
  ),
  del_reports AS (
    DELETE FROM kong_ingress.reports r USING lost_reports l WHERE r.root = l.root AND r.object = l.object
  ),
  put_reports AS (
    INSERT INTO kong_ingress.reports AS r (root, object, content, revision)
    SELECT n.root, n.object, n.content,
      CASE WHEN n.wrote AND (n.root = n.object OR o.content <> n.content OR NOT EXISTS (
        SELECT FROM kong_ingress.reports same
        WHERE same.object = n.object AND same.root <> n.root AND same.content = n.content
      )) THEN (SELECT id FROM revision) END
    FROM changed_reports n LEFT JOIN old_reports o USING (root, object)
    ON CONFLICT (root, object) DO UPDATE SET content = excluded.content,
      revision = coalesce(excluded.revision, r.revision)
  ),
  gone AS MATERIALIZED (
    SELECT jsonb_array_elements_text(doc->'gone') AS root FROM input
  ),
  touched AS MATERIALIZED (
    SELECT object, bool_or(shows) AS shows FROM (
      SELECT object, shows FROM changed_reports UNION ALL SELECT object, true FROM lost_reports
    ) AS t
    WHERE object <> ALL (ARRAY(SELECT root FROM gone))
    GROUP BY object
  ),
  del_statuses AS (
    DELETE FROM kong_ingress.statuses s WHERE s.object = ANY (ARRAY(SELECT root FROM gone))
  ),
  put_statuses AS (
    INSERT INTO kong_ingress.statuses AS s (object, version, dirty, waiting)
    SELECT t.object, nextval('kong_ingress.status_versions'), t.shows, CASE WHEN NOT t.shows
      THEN coalesce((SELECT id FROM revision), (SELECT max(id) FROM kong_ingress.revisions), 0) END
    FROM touched t
    ON CONFLICT (object) DO UPDATE SET version = excluded.version, dirty = s.dirty OR excluded.dirty,
      waiting = coalesce(excluded.waiting, s.waiting)
    RETURNING s.object, s.dirty
  )`;

/** All that is known of a status to be written. */
export interface StatusRow {
  readonly object: Key;
  readonly version: string;
  /** Hash of what was written last. */
  readonly reported: string | null;
  readonly own: Content | null;
  readonly others: readonly Say[];
  /** The newest revision that wrote for what is said; `'0'` when nothing had to be written. */
  readonly revision: string;
  /** The newest revision that is proven everywhere. */
  readonly converged: string | null;
}

const CONVERGED = '(SELECT max(id) FROM kong_ingress.revisions WHERE converged_at IS NOT NULL)';

const ROWS = `
  SELECT s.object, s.version::text AS version, s.reported,
    (SELECT r.content FROM kong_ingress.reports r WHERE r.root = s.object AND r.object = s.object) AS own,
    (SELECT coalesce(json_agg(json_build_object('content', g.content, 'count', g.count)), '[]') FROM (
      SELECT r.content, count(*) AS count FROM kong_ingress.reports r
      WHERE r.object = s.object AND r.root <> s.object GROUP BY r.content ORDER BY r.content
    ) AS g) AS others,
    (SELECT coalesce(max(r.revision), 0) FROM kong_ingress.reports r WHERE r.object = s.object)::text AS revision,
    ${CONVERGED}::text AS converged
  FROM kong_ingress.statuses s`;

/** The statuses of these objects, as far as they are ours. */
export async function statusesOf(index: Queryable, objects: readonly Key[]): Promise<readonly StatusRow[]> {
  const { rows } = await index.query<StatusRow>(`${ROWS} WHERE s.object = ANY ($1::text[]) ORDER BY s.object`, [
    objects,
  ]);
  return rows;
}

/** Statuses that have something new to say, or that waited for a revision that is proven now; at most `most`. */
export async function dueStatuses(index: Queryable, most: number): Promise<readonly StatusRow[]> {
  const { rows } = await index.query<StatusRow>(
    `${ROWS} WHERE s.dirty OR s.waiting <= ${CONVERGED} ORDER BY s.object LIMIT $1`,
    [most],
  );
  return rows;
}

/** What became of a status. */
export interface StatusMark {
  readonly object: Key;
  /** As it was read: what has changed since is not marked. */
  readonly version: string;
  readonly reported: string;
  /** The revision whose proof changes it; undefined when none does. */
  readonly waiting: string | undefined;
  /** The object is not there any more. */
  readonly gone: boolean;
}

const MARK = `
  WITH marks AS MATERIALIZED (
    SELECT m.* FROM jsonb_to_recordset($1::jsonb)
      AS m(object text, version bigint, reported text, waiting bigint, gone boolean)
  ),
  forgotten AS (
    DELETE FROM kong_ingress.statuses s USING marks m WHERE m.gone AND s.object = m.object AND s.version = m.version
  )
  UPDATE kong_ingress.statuses s SET reported = m.reported, waiting = m.waiting, dirty = false
  FROM marks m WHERE NOT m.gone AND s.object = m.object AND s.version = m.version`;

/** Remembers what was written, in one statement. */
export async function markStatuses(index: Queryable, marks: readonly StatusMark[]): Promise<void> {
  if (marks.length === 0) return;
  const rows = marks.map(({ waiting, ...mark }) => ({ ...mark, waiting: waiting ?? null }));
  await index.query(MARK, [JSON.stringify(rows)]);
}

/** Marks every status of these kinds: what all of them show has changed. */
export async function touchStatuses(index: Queryable, kinds: readonly string[]): Promise<void> {
  await index.query(
    `UPDATE kong_ingress.statuses SET dirty = true, version = nextval('kong_ingress.status_versions')
     WHERE split_part(object, '/', 1) = ANY ($1::text[]) AND reported IS NOT NULL`,
    [kinds],
  );
}

/** Remembers where Kong is reached, as a text; true when it was another one before, or none. */
export async function rememberPublished(index: Queryable, text: string): Promise<boolean> {
  const { rows } = await index.query(
    `INSERT INTO kong_ingress.meta AS m (name, value) VALUES ('published', $1)
     ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE m.value <> excluded.value RETURNING 1 AS changed`,
    [text],
  );
  return rows.length > 0;
}

/** What classes of Gateways say of themselves, by their keys. */
export async function classReportsOf(index: Queryable): Promise<ReadonlyMap<Key, Content>> {
  const { rows } = await index.query<{ object: Key; content: Content }>(
    "SELECT object, content FROM kong_ingress.reports WHERE root = object AND object LIKE 'GatewayClass/%'",
  );
  return new Map(rows.map((row) => [row.object, row.content]));
}

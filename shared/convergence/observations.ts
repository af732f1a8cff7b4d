import type { Queryable } from '../index/database.ts';
import type { SeenRow } from './evidence.ts';
import type { DataPlaneRow, Earlier } from './types.ts';

/** What is remembered of a data plane. Times are ms. */
interface Observation extends Pick<DataPlaneRow, 'firstSeen' | 'hashSince' | 'rowSince' | 'rowFloor' | 'earlier'> {
  readonly node: string;
  readonly hash: string;
  readonly rowXmin: string;
  readonly beforeFloor: number | null;
  readonly beforeSince: number | null;
  readonly seenAt: number;
  readonly statusHash: string | null;
  readonly statusSince: number | null;
}

const ms = (column: string): string => `(extract(epoch FROM ${column}) * 1000)::float8`;

const COLUMNS = `node::text AS node, hash, row_xmin AS "rowXmin", ${ms('first_seen')} AS "firstSeen",
    ${ms('hash_since')} AS "hashSince", ${ms('row_since')} AS "rowSince", ${ms('row_floor')} AS "rowFloor", ${ms('seen_at')} AS "seenAt",
    ${ms('before_floor')} AS "beforeFloor", ${ms('before_since')} AS "beforeSince",
    earlier, status_hash AS "statusHash", ${ms('status_since')} AS "statusSince"`;

/** Configurations before the present one that are remembered. */
const EARLIER = 3;

/** An older reading never overwrites a newer one: runs may overlap. Nodes that are long gone are forgotten. */
const REMEMBER = `
  WITH seen AS (
    SELECT *, to_timestamp($5::float8 / 1000) AS now
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) AS s(node, hash, row_xmin, status_hash)
  ), gone AS (
    DELETE FROM kong_ingress.data_planes WHERE seen_at < to_timestamp($5::float8 / 1000) - interval '1 day'
  )
  INSERT INTO kong_ingress.data_planes AS d
    (node, hash, row_xmin, first_seen, hash_since, row_since, seen_at, status_hash, status_since)
  SELECT node, hash, row_xmin, now, now, now, now, status_hash, now FROM seen ORDER BY node
  ON CONFLICT (node) DO UPDATE SET
    hash = excluded.hash, row_xmin = excluded.row_xmin, seen_at = excluded.seen_at, status_hash = excluded.status_hash,
    hash_since = CASE WHEN d.hash = excluded.hash THEN d.hash_since ELSE excluded.hash_since END,
    row_since = CASE WHEN d.row_xmin = excluded.row_xmin THEN d.row_since ELSE excluded.row_since END,
    row_floor = CASE WHEN d.row_xmin = excluded.row_xmin THEN d.row_floor ELSE d.seen_at END,
    before_floor = CASE WHEN d.row_xmin = excluded.row_xmin THEN d.before_floor
      WHEN d.hash = excluded.hash THEN d.row_floor END,
    before_since = CASE WHEN d.row_xmin = excluded.row_xmin THEN d.before_since
      WHEN d.hash = excluded.hash THEN d.row_since END,
    status_since = CASE WHEN d.status_hash = excluded.status_hash THEN d.status_since ELSE excluded.status_since END,
    earlier = CASE WHEN d.hash = excluded.hash THEN d.earlier ELSE (
      SELECT jsonb_agg(item ORDER BY place) FROM jsonb_array_elements(jsonb_build_array(jsonb_build_object(
        'hash', d.hash, 'since', ${ms('d.hash_since')}, 'floor', ${ms('d.row_floor')})) || d.earlier)
        WITH ORDINALITY AS list(item, place) WHERE place <= ${EARLIER}) END
  WHERE d.seen_at <= excluded.seen_at
  RETURNING ${COLUMNS}`;

const RECALL = `SELECT ${COLUMNS} FROM kong_ingress.data_planes WHERE node = ANY ($1::uuid[])`;

function statusOf(row: SeenRow, since: number): DataPlaneRow['status'] {
  return row.statusHash === undefined ? undefined : { hash: row.statusHash, since };
}

/** A row that no run has seen before. */
function unseen(row: SeenRow, now: number): DataPlaneRow {
  return {
    ...row,
    firstSeen: now,
    hashSince: now,
    rowSince: now,
    rowFloor: 0,
    earlier: [],
    status: statusOf(row, now),
  };
}

const REMEMBER_CONTROL_PLANES = `
  WITH gone AS (
    DELETE FROM kong_ingress.control_planes WHERE seen_at < to_timestamp($2::float8 / 1000) - interval '1 day'
  )
  INSERT INTO kong_ingress.control_planes AS c (node, first_seen, seen_at)
  SELECT DISTINCT node, to_timestamp($2::float8 / 1000), to_timestamp($2::float8 / 1000) FROM unnest($1::text[]) AS n(node)
  ON CONFLICT (node) DO UPDATE SET seen_at = greatest(c.seen_at, excluded.seen_at)
  RETURNING ${ms('first_seen')} AS "firstSeen"`;

const RECALL_CONTROL_PLANES = `
  SELECT ${ms('first_seen')} AS "firstSeen" FROM kong_ingress.control_planes WHERE node = ANY ($1::text[])`;

/**
 * Since when runs have seen these processes of control planes (their node ids), ms: the youngest decides. At `now` when one
 * of them is new, or nothing is known of it.
 */
export async function steadySince(
  index: Queryable,
  nodes: readonly string[],
  now: number,
  remember: boolean,
): Promise<number> {
  const distinct = [...new Set(nodes)];
  const [statement, parameters] = remember
    ? [REMEMBER_CONTROL_PLANES, [distinct, now]]
    : [RECALL_CONTROL_PLANES, [distinct]];
  const { rows } = await index.query<{ firstSeen: number }>(statement, parameters);
  return rows.length < distinct.length || rows.length === 0 ? now : Math.max(...rows.map(({ firstSeen }) => firstSeen));
}

/** Rows that no run has seen before, where there is no index yet. */
export async function seenNow(
  _index: Queryable,
  rows: readonly SeenRow[],
  now: number,
): Promise<readonly DataPlaneRow[]> {
  return rows.map((row) => unseen(row, now));
}

/** The report before the last one, as it was remembered or as it was the last one until now. */
function reportBefore(row: SeenRow, seen: Observation): DataPlaneRow['reportBefore'] {
  if (seen.hash !== row.hash) return undefined;
  if (seen.rowXmin !== row.rowXmin) return { floor: seen.rowFloor, since: seen.rowSince };
  const { beforeFloor: floor, beforeSince: since } = seen;
  return floor === null || since === null ? undefined : { floor, since };
}

/** A row in the light of what was remembered before; what has changed is new at `now`. */
function inTheLightOf(row: SeenRow, seen: Observation, now: number): DataPlaneRow {
  const { hash, hashSince: since, rowFloor: floor, seenAt } = seen;
  const earlier: readonly Earlier[] = hash === row.hash ? seen.earlier : [{ hash, since, floor }, ...seen.earlier];
  return {
    ...row,
    firstSeen: seen.firstSeen,
    hashSince: hash === row.hash ? since : now,
    rowSince: seen.rowXmin === row.rowXmin ? seen.rowSince : now,
    rowFloor: seen.rowXmin === row.rowXmin ? floor : seenAt,
    reportBefore: reportBefore(row, seen),
    earlier: earlier.slice(0, EARLIER),
    status: statusOf(row, seen.statusHash === row.statusHash ? (seen.statusSince ?? now) : now),
  };
}

/** Since when rows are as they are at `now` (ms), as far as earlier runs saw it. Remembers nothing. */
export async function recalled(
  index: Queryable,
  rows: readonly SeenRow[],
  now: number,
): Promise<readonly DataPlaneRow[]> {
  if (rows.length === 0) return [];
  const found = await index.query<Observation>(RECALL, [rows.map((row) => row.id)]);
  const byNode = new Map(found.rows.map((observation) => [observation.node, observation]));
  return rows.map((row) => {
    const seen = byNode.get(row.id);
    return seen === undefined ? unseen(row, now) : inTheLightOf(row, seen, now);
  });
}

/**
 * Remembers what was seen at `now` (ms, clock of Kong's PostgreSQL) and adds since when it is so. What a later run has
 * already overtaken counts as first seen now, which only delays a verdict.
 */
export async function observed(
  index: Queryable,
  rows: readonly SeenRow[],
  now: number,
): Promise<readonly DataPlaneRow[]> {
  if (rows.length === 0) return [];
  const parameters = [
    rows.map((row) => row.id),
    rows.map((row) => row.hash),
    rows.map((row) => row.rowXmin),
    rows.map((row) => row.statusHash ?? null),
    now,
  ];
  const found = (await index.query<Observation>(REMEMBER, parameters)).rows;
  const byNode = new Map(found.map((observation) => [observation.node, observation]));
  return rows.map((row) => {
    const seen = byNode.get(row.id);
    return seen === undefined ? unseen(row, now) : inTheLightOf(row, seen, now);
  });
}

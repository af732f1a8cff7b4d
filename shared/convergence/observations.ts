import type { Queryable } from '../index/database.ts';
import type { SeenRow } from './evidence.ts';
import type { DataPlaneRow } from './types.ts';

interface Observation {
  readonly node: string;
  readonly firstSeen: number;
  readonly hashSince: number;
  readonly rowSince: number;
}

/** An older reading never overwrites a newer one: runs may overlap. Nodes that are long gone are forgotten. */
const REMEMBER = `
  WITH seen AS (
    SELECT *, to_timestamp($4::float8 / 1000) AS now
    FROM unnest($1::uuid[], $2::text[], $3::text[]) AS s(node, hash, row_xmin)
  ), gone AS (
    DELETE FROM kong_ingress.data_planes WHERE seen_at < to_timestamp($4::float8 / 1000) - interval '1 day'
  )
  INSERT INTO kong_ingress.data_planes AS d (node, hash, row_xmin, first_seen, hash_since, row_since, seen_at)
  SELECT node, hash, row_xmin, now, now, now, now FROM seen ORDER BY node
  ON CONFLICT (node) DO UPDATE SET
    hash = excluded.hash, row_xmin = excluded.row_xmin, seen_at = excluded.seen_at,
    hash_since = CASE WHEN d.hash = excluded.hash THEN d.hash_since ELSE excluded.hash_since END,
    row_since = CASE WHEN d.row_xmin = excluded.row_xmin THEN d.row_since ELSE excluded.row_since END
  WHERE d.seen_at <= excluded.seen_at
  RETURNING node::text AS node, (extract(epoch FROM first_seen) * 1000)::float8 AS "firstSeen",
    (extract(epoch FROM hash_since) * 1000)::float8 AS "hashSince",
    (extract(epoch FROM row_since) * 1000)::float8 AS "rowSince"`;

/** Rows that no run has seen before, where there is no index yet. */
export async function seenNow(
  _index: Queryable,
  rows: readonly SeenRow[],
  now: number,
): Promise<readonly DataPlaneRow[]> {
  return rows.map((row) => ({ ...row, firstSeen: now, hashSince: now, rowSince: now }));
}

const RECALL = `
  SELECT node::text AS node, hash, row_xmin AS "rowXmin", (extract(epoch FROM first_seen) * 1000)::float8 AS "firstSeen",
    (extract(epoch FROM hash_since) * 1000)::float8 AS "hashSince",
    (extract(epoch FROM row_since) * 1000)::float8 AS "rowSince"
  FROM kong_ingress.data_planes WHERE node = ANY ($1::uuid[])`;

/** Since when rows are as they are at `now` (ms), as far as earlier runs saw it. Remembers nothing. */
export async function recalled(
  index: Queryable,
  rows: readonly SeenRow[],
  now: number,
): Promise<readonly DataPlaneRow[]> {
  if (rows.length === 0) return [];
  const found = await index.query<Observation & { hash: string; rowXmin: string }>(RECALL, [rows.map((row) => row.id)]);
  const byNode = new Map(found.rows.map((observation) => [observation.node, observation]));
  return rows.map((row) => {
    const seen = byNode.get(row.id);
    return {
      ...row,
      firstSeen: seen?.firstSeen ?? now,
      hashSince: seen?.hash === row.hash ? seen.hashSince : now,
      rowSince: seen?.rowXmin === row.rowXmin ? seen.rowSince : now,
    };
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
  const parameters = [rows.map((row) => row.id), rows.map((row) => row.hash), rows.map((row) => row.rowXmin), now];
  const found = rows.length === 0 ? [] : (await index.query<Observation>(REMEMBER, parameters)).rows;
  const byNode = new Map(found.map((observation) => [observation.node, observation]));
  return rows.map((row) => {
    const { firstSeen, hashSince, rowSince } = byNode.get(row.id) ?? { firstSeen: now, hashSince: now, rowSince: now };
    return { ...row, firstSeen, hashSince, rowSince };
  });
}

import type { Finding } from '../translate/types.ts';
import type { Key } from '../kubernetes/keys.ts';
import type { Queryable } from './database.ts';

/** How often something was said of an object, and whether the cluster is to be told now. */
export interface Told {
  readonly name: string;
  /** This time included. */
  readonly count: number;
  readonly tell: boolean;
}

/** What is said again sooner is only counted; what nobody has said for a day is forgotten, as the cluster has. */
const TELL = `
  WITH forgotten AS (
    DELETE FROM kong_ingress.events WHERE told_at < now() - interval '1 day' AND name <> ALL ($1::text[])
  )
  INSERT INTO kong_ingress.events AS e (name, count, told_at) SELECT unnest($1::text[]), 1, now()
  ON CONFLICT (name) DO UPDATE SET count = e.count + 1,
    told_at = CASE WHEN e.told_at <= now() - interval '5 minutes' THEN now() ELSE e.told_at END
  RETURNING name, count, told_at = now() AS tell`;

/** Counts what is said, by the names of its Events (each once), and says what the cluster has to hear. One statement. */
export async function countTold(database: Queryable, names: readonly string[]): Promise<ReadonlyMap<string, Told>> {
  const { rows } = await database.query<{ name: string; count: number; tell: boolean }>(TELL, [names]);
  return new Map(rows.map((row) => [row.name, row]));
}

/** Takes back that the cluster was told, so that the next time tells it. */
export async function forgetTold(database: Queryable, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  await database.query("UPDATE kong_ingress.events SET told_at = '-infinity' WHERE name = ANY ($1::text[])", [names]);
}

/** Roots with findings, as they were translated last: at most `limit` of those whose key comes after `root`, in order. */
export async function findingsAfter(
  database: Queryable,
  root: Key,
  limit: number,
): Promise<readonly { readonly root: Key; readonly findings: readonly Finding[] }[]> {
  const { rows } = await database.query<{ root: Key; findings: readonly Finding[] }>(
    `SELECT root, findings FROM kong_ingress.roots WHERE findings <> '[]'::jsonb AND root > $1 ORDER BY root LIMIT $2`,
    [root, limit],
  );
  return rows;
}

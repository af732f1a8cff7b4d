import type { Key } from '../kubernetes/keys.ts';
import type { Queryable } from './database.ts';

/** The number of the last slice that committed, `'0'` before the first. */
export async function lastSlice(database: Queryable): Promise<string> {
  const { rows } = await database.query<{ number: string }>(
    'SELECT CASE WHEN is_called THEN last_value ELSE 0 END::text AS number FROM kong_ingress.slices',
  );
  return rows[0]?.number ?? '0';
}

/** The largest number of a slice. */
const LAST = '9223372036854775807';

/**
 * Keys about which slices learnt something from the cluster after slice `since`: what changed, and all that the roots
 * read which they translated. A snapshot taken after `since` may be older than that.
 */
export async function learntSince(database: Queryable, since: string): Promise<ReadonlySet<Key>> {
  const { rows } = await database.query<{ key: Key }>(
    // With both ends PostgreSQL takes it for a narrow range even without statistics, and uses the indexes.
    `SELECT key FROM kong_ingress.changes WHERE slice > $1::bigint AND slice <= ${LAST}
     UNION
     SELECT s.key FROM kong_ingress.sources s WHERE s.root = ANY (ARRAY(
       SELECT root FROM kong_ingress.roots WHERE slice > $1::bigint AND slice <= ${LAST}))`,
    [since],
  );
  return new Set(rows.map((row) => row.key));
}

/** Forgets changes that no snapshot can be older than, and roots left by a change whose message comes no more. */
export async function forgetChanges(database: Queryable): Promise<void> {
  await database.query("DELETE FROM kong_ingress.pending WHERE at < now() - interval '1 day'");
  await database.query("DELETE FROM kong_ingress.changes WHERE at < now() - interval '1 day'");
}

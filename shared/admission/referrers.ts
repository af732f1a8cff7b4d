import type { Queryable } from '../index/database.ts';
import type { Key } from '../kubernetes/keys.ts';

/** Plugins that are looked at for one write. */
const MOST = 20;

/**
 * Plugins that roots read together with an object. Of a Secret they are those that may take something from it, and which
 * do, they say themselves; of a plugin those that may meet it. A plugin that nothing uses is not among them. One statement.
 */
export async function pluginsBeside(index: Queryable, key: Key): Promise<readonly Key[]> {
  const { rows } = await index.query<{ key: Key }>(
    `SELECT DISTINCT other.key FROM kong_ingress.sources own JOIN kong_ingress.sources other USING (root)
     WHERE own.key = $1 AND other.key <> $1
       AND (starts_with(other.key, 'KongPlugin/') OR starts_with(other.key, 'KongClusterPlugin/'))
     ORDER BY other.key LIMIT $2`,
    [key, MOST],
  );
  return rows.map((row) => row.key);
}

/** Who holds a credential's slot by way of another Secret than `secret` (`namespace/name`). One statement. */
export async function otherHolder(index: Queryable, slot: string, secret: string): Promise<Key | undefined> {
  const { rows } = await index.query<{ root: Key }>(
    'SELECT root FROM kong_ingress.proposals WHERE slot = $1 AND rank_name <> $2 ORDER BY root LIMIT 1',
    [slot, secret],
  );
  return rows[0]?.root;
}

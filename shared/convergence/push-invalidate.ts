import type { KongConfig } from '../config.ts';
import type { Queryable } from '../index/database.ts';
import { adminHttp } from '../kong/admin-http.ts';
import type { AdminHttp } from '../kong/admin-http.ts';
import type { AdminNode } from '../kong/admin-nodes.ts';
import { select } from '../kong/database.ts';
import { VERSION_KEYS } from './node-cache.ts';
import type { Revision } from './types.ts';

/** A node with the id that its announcements bear. */
export interface CachingNode {
  readonly node: AdminNode;
  readonly nodeId: string;
}

/** More keys than these are left to the nodes' own polling. */
const MOST_KEYS = 1_000;
/** Around a revision's writes, ms: what Kong announces comes a few ms after them. */
const AROUND_MS = 5_000;

interface Announced {
  readonly key: string;
  readonly node: string;
}

/** What Kong's nodes announced around a revision to be out of date, by whom. Throws KONG_DATABASE_UNAVAILABLE. */
async function announced(kong: Queryable, { startedAt, writtenAt }: Revision): Promise<readonly Announced[]> {
  return select<Announced>(
    kong,
    'cluster_events',
    `SELECT DISTINCT data AS key, node_id::text AS node FROM cluster_events
     WHERE channel IN ('invalidations', 'invalidations_kong_core_db_cache')
       AND at BETWEEN to_timestamp(($1::float8 - $3) / 1000) AND to_timestamp(($2::float8 + $3) / 1000)
     LIMIT ${MOST_KEYS + 1}`,
    [startedAt, writtenAt, AROUND_MS],
  );
}

/** Only one run tells the nodes of a revision. */
async function claim(index: Queryable, { id }: Revision): Promise<boolean> {
  const { rows } = await index.query(
    'UPDATE kong_ingress.revisions SET told_at = now() WHERE id = $1::bigint AND told_at IS NULL RETURNING 1',
    [id],
  );
  return rows.length > 0;
}

async function drop(http: AdminHttp, node: AdminNode, key: string): Promise<boolean> {
  try {
    const { status } = await http.send(node, { method: 'DELETE', path: `/cache/${encodeURIComponent(key)}` });
    return status === 204;
  } catch {
    return false;
  }
}

function isVersion(key: string): boolean {
  return VERSION_KEYS.some((version) => version === key);
}

/** Entities first: a rebuild that begins earlier would take them from the cache. Versions stay when one of those failed. */
async function tell(http: AdminHttp, node: AdminNode, keys: readonly string[]): Promise<void> {
  const entities = await Promise.all(keys.filter((key) => !isVersion(key)).map((key) => drop(http, node, key)));
  if (!entities.every(Boolean)) return;
  for (const version of VERSION_KEYS) if (keys.includes(version)) await drop(http, node, version);
}

/**
 * Tells the nodes that did not write what a revision made out of date, instead of waiting for their next look at
 * `cluster_events` (CV §3, DB §3.3). Once a revision; what a node does not take it hears of by itself. No effect on
 * upstreams and targets. Throws KONG_DATABASE_UNAVAILABLE.
 */
export async function pushInvalidate(
  run: { readonly kong: Queryable; readonly index: Queryable; readonly config: KongConfig },
  nodes: readonly CachingNode[],
  revision: Revision,
): Promise<void> {
  const all = await announced(run.kong, revision);
  if (all.length === 0 || all.length > MOST_KEYS || !(await claim(run.index, revision))) return;
  const http = adminHttp({ ...run.config, workspace: '' });
  try {
    await Promise.all(
      nodes.map(({ node, nodeId }) => {
        const keys = new Set(all.filter((item) => item.node !== nodeId).map(({ key }) => key));
        return tell(http, node, [...keys]);
      }),
    );
  } finally {
    http.close();
  }
}

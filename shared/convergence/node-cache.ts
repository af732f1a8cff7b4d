import type { KongConfig } from '../config.ts';
import type { Queryable } from '../index/database.ts';
import { isRecord } from '../json.ts';
import { adminHttp } from '../kong/admin-http.ts';
import type { AdminHttp } from '../kong/admin-http.ts';
import type { AdminNode } from '../kong/admin-nodes.ts';
import { text } from '../kong/json.ts';

/** Cache keys whose values workers look at before they rebuild (DB §3.1). */
export const VERSION_KEYS = ['router:version', 'plugins_iterator:version'] as const;
export type VersionKey = (typeof VERSION_KEYS)[number];

/** What a node's cache holds; times are ms. */
export interface CachedVersion {
  readonly key: VersionKey;
  /** When a run first saw the present value. */
  readonly since: number;
  /** The value came after this time. */
  readonly floor: number;
  /** The node has dropped the value, and no worker has asked for it since. */
  readonly dropped: boolean;
}

interface Reading {
  readonly node: string;
  readonly key: VersionKey;
  readonly value: string;
}

const TIMEOUT_MS = 2_000;
/** What stands for a key that the node has dropped and not made again. */
const DROPPED = '';

async function read(http: AdminHttp, node: AdminNode, key: VersionKey): Promise<readonly Reading[]> {
  try {
    const { status, data } = await http.send(node, { method: 'GET', path: `/cache/${key}` });
    if (status === 404) return [{ node: node.name, key, value: DROPPED }];
    const value = isRecord(data) ? text(data.message) : undefined;
    return status === 200 && value !== undefined ? [{ node: node.name, key, value }] : [];
  } catch {
    return [];
  }
}

/** Reads the versions from the caches of nodes (CV §4). What does not answer is left out. */
export async function readVersions(config: KongConfig, nodes: readonly AdminNode[]): Promise<readonly Reading[]> {
  const http = adminHttp({ ...config, workspace: '', adminTimeoutMs: Math.min(config.adminTimeoutMs, TIMEOUT_MS) });
  try {
    const found = await Promise.all(nodes.flatMap((node) => VERSION_KEYS.map((key) => read(http, node, key))));
    return found.flat();
  } finally {
    http.close();
  }
}

const COLUMNS = `node, key, value = '' AS dropped, (extract(epoch FROM since) * 1000)::float8 AS since,
    (extract(epoch FROM floor) * 1000)::float8 AS floor`;

const REMEMBER = `
  WITH gone AS (
    DELETE FROM kong_ingress.node_caches WHERE seen_at < to_timestamp($4::float8 / 1000) - interval '1 day'
  )
  INSERT INTO kong_ingress.node_caches AS c (node, key, value, since, floor, seen_at)
  SELECT node, key, value, to_timestamp($4::float8 / 1000), to_timestamp(0), to_timestamp($4::float8 / 1000)
  FROM unnest($1::text[], $2::text[], $3::text[]) AS r(node, key, value) ORDER BY node, key
  ON CONFLICT (node, key) DO UPDATE SET value = excluded.value, seen_at = excluded.seen_at,
    since = CASE WHEN c.value = excluded.value THEN c.since ELSE excluded.since END,
    floor = CASE WHEN c.value = excluded.value THEN c.floor ELSE c.seen_at END
  WHERE c.seen_at <= excluded.seen_at
  RETURNING ${COLUMNS}`;

const RECALL = `
  SELECT ${COLUMNS} FROM kong_ingress.node_caches
  JOIN unnest($1::text[], $2::text[], $3::text[]) AS r(node, key, value) USING (node, key, value)`;

/** Since when nodes' caches hold what they hold at `now` (ms), by the node's name; `remember` it, or only recall it. */
export async function observedVersions(
  index: Queryable,
  readings: readonly Reading[],
  now: number,
  remember: boolean,
): Promise<ReadonlyMap<string, readonly CachedVersion[]>> {
  if (readings.length === 0) return new Map();
  const found = [readings.map(({ node }) => node), readings.map(({ key }) => key), readings.map(({ value }) => value)];
  const { rows } = await index.query<CachedVersion & { node: string }>(
    remember ? REMEMBER : RECALL,
    remember ? [...found, now] : found,
  );
  return Map.groupBy(rows, ({ node }) => node);
}

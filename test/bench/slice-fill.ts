import type pg from 'pg';
import type { KubernetesObject } from '../../shared/kubernetes/resources.ts';
import { endpoints, ingress, service } from '../support/manifests.ts';

/** Stands in the names of everything that belongs to the Ingress that is copied, and in nothing else. */
const TOKEN = 'copied';

/** The Ingress whose rows are copied, with a Service of its own that two endpoints serve. */
export const COPIED: readonly KubernetesObject[] = [
  service(TOKEN),
  endpoints(TOKEN, ['10.1.0.1', '10.1.0.2']),
  ingress(TOKEN, [`${TOKEN}.test / ${TOKEN} 80`], { annotations: { 'konghq.com/plugins': TOKEN } }),
];

/** Targets name nothing but their address, which is no other's. */
const ADDRESS = '"target": "10[.]1[.]0[.]';

/** Columns that hold ids of rows that are copied too. */
const TABLES: readonly (readonly [table: string, ids: readonly string[]])[] = [
  ['upstreams', ['id']],
  ['services', ['id']],
  ['targets', ['id', 'upstream_id']],
  ['routes', ['id', 'service_id']],
  ['plugins', ['id', 'route_id']],
  ['kong_ingress.roots', []],
  ['kong_ingress.sources', []],
  ['kong_ingress.provides', []],
  ['kong_ingress.proposals', ['id']],
  ['kong_ingress.dependents', []],
  ['kong_ingress.entities', ['id', 'proposed_id']],
];

/** Tables whose rows have a key of Kong's cache, which is unique. */
const CACHE_KEYS: ReadonlySet<string> = new Set(['targets', 'plugins']);

/**
 * Copies every row that names the Ingress `copied`, and what belongs to it, under numbers `from` to `to`: as many
 * Ingresses more in the index and in Kong's tables. They are complete but for their ids, which are no name's UUIDv5.
 */
export async function fill(pool: pg.Pool, from: number, to: number): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    for (const [table, ids] of TABLES) {
      const copies = ids.map((column) => `'${column}', md5(t.${column}::text || n)::uuid`);
      const unique = CACHE_KEYS.has(table) ? ["'cache_key', md5(t.id::text || n)"] : [];
      const { rowCount } = await client.query(
        `WITH copied AS MATERIALIZED (
           SELECT t.* FROM ${table} t WHERE to_jsonb(t)::text ~ ANY (ARRAY[$1 || '([^-]|$)', $4])
         )
         INSERT INTO ${table}
         SELECT r.* FROM copied t, generate_series($2::integer, $3::integer) AS n, jsonb_populate_record(
           null::${table}, replace(to_jsonb(t)::text, $1, $1 || '-' || n)::jsonb ||
             jsonb_build_object(${[...copies, ...unique].join(', ')})) AS r`,
        [TOKEN, from, to, ADDRESS],
      );
      if ((rowCount ?? 0) < to - from + 1) throw new Error(`${table} got ${rowCount} rows`);
    }
    await client.query('COMMIT');
  } finally {
    client.release();
  }
  await pool.query('ANALYZE');
}

import { createHash } from 'node:crypto';
import pg from 'pg';
import { configurationOf } from '../proxy/configuration.ts';
import type { Configuration } from '../proxy/configuration.ts';
import { flag, parseRow, text } from '../proxy/rows.ts';
import type { Row, Tables } from '../proxy/rows.ts';

/** The whole configuration at one moment. */
export interface Snapshot {
  /** 32 hexadecimal digits, equal for equal content (timestamps included). */
  readonly hash: string;
  readonly tables: Tables;
}

/** What a data plane reports that has never had a configuration. */
export const EMPTY_HASH = '0'.repeat(32);

/** The tables that a control plane exports. */
const EXPORTED = [
  'workspaces',
  'parameters',
  'certificates',
  'ca_certificates',
  'snis',
  'services',
  'routes',
  'upstreams',
  'targets',
  'consumers',
  'plugins',
  'filter_chains',
  'sm_vaults',
  'key_sets',
  'keys',
  'acls',
  'basicauth_credentials',
  'hmacauth_credentials',
  'jwt_secrets',
  'keyauth_credentials',
  'oauth2_credentials',
] as const;

/** Hashed apart from the rest, since a data plane rebuilds only what changed of them. */
const SECTIONS = ['routes', 'services', 'plugins', 'upstreams', 'targets'];

type Lines = ReadonlyMap<string, readonly { readonly line: string; readonly row: Row }[]>;

async function read(client: pg.PoolClient, wanted: readonly string[]): Promise<Lines> {
  const present = await client.query<{ tablename: string }>(
    'SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename = ANY($1)',
    [wanted],
  );
  const names = new Set(present.rows.map((row) => row.tablename));
  const lines = new Map<string, { line: string; row: Row }[]>();
  for (const table of wanted.filter((name) => names.has(name))) {
    const order = table === 'parameters' ? 'key' : 'id';
    const result = await client.query<{ line: string }>(
      `SELECT to_jsonb(t)::text AS line FROM ${pg.escapeIdentifier(table)} t ORDER BY ${order}`,
    );
    lines.set(
      table,
      result.rows.flatMap(({ line }) => {
        const row = parseRow(line);
        return row === undefined ? [] : [{ line, row }];
      }),
    );
  }
  return lines;
}

/** Drops disabled services and plugins with what hangs on them, and credentials whose time is over. */
function effective(lines: Lines, now: number): Lines {
  const disabled = (table: string): Set<string> =>
    new Set(
      (lines.get(table) ?? [])
        .filter(({ row }) => flag(row, 'enabled') === false)
        .map(({ row }) => text(row, 'id') ?? ''),
    );
  const services = disabled('services');
  const orphaned = (lines.get('routes') ?? []).filter(({ row }) => services.has(text(row, 'service_id') ?? ''));
  const routes = new Set(orphaned.map(({ row }) => text(row, 'id') ?? ''));
  const kept = (row: Row): boolean =>
    flag(row, 'enabled') !== false &&
    !services.has(text(row, 'service_id') ?? '') &&
    !routes.has(text(row, 'route_id') ?? '') &&
    !(Date.parse(text(row, 'ttl') ?? '') <= now);
  return new Map([...lines].map(([table, entries]) => [table, entries.filter(({ row }) => kept(row))]));
}

const md5 = (content: string): string => createHash('md5').update(content).digest('hex');

function hashOf(lines: Lines): string {
  const content = [...lines].filter(([table, entries]) => table !== 'workspaces' && entries.length > 0);
  if (content.length === 0) return EMPTY_HASH;
  const section = (tables: readonly string[]): string =>
    md5(tables.flatMap((table) => (lines.get(table) ?? []).map(({ line }) => `${table} ${line}\n`)).join(''));
  const rest = [...lines.keys()].filter((table) => !SECTIONS.includes(table)).toSorted();
  return md5([...SECTIONS.map((name) => section([name])), section(rest)].join(''));
}

/**
 * Exports everything, or some tables, in one REPEATABLE READ transaction, so that no write is seen in part. Throws what
 * the database throws.
 */
export async function exportSnapshot(pool: pg.Pool, wanted: readonly string[] = EXPORTED): Promise<Snapshot> {
  const client = await pool.connect();
  let broken = true;
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    await client.query(`SET LOCAL TIME ZONE 'UTC'`);
    const lines = effective(await read(client, wanted), Date.now());
    await client.query('COMMIT');
    broken = false;
    const tables = Object.fromEntries([...lines].map(([table, entries]) => [table, entries.map(({ row }) => row)]));
    return { hash: hashOf(lines), tables };
  } finally {
    // A connection inside a failed transaction must not go back to the pool.
    client.release(broken);
  }
}

const configurations = new WeakMap<Snapshot, Configuration>();

/** The snapshot as the proxy reads it; all who hold the same snapshot share one. */
export function configurationIn(snapshot: Snapshot): Configuration {
  const known = configurations.get(snapshot);
  if (known !== undefined) return known;
  const configuration = configurationOf(snapshot.tables);
  configurations.set(snapshot, configuration);
  return configuration;
}

import type { Queryable } from '../index/database.ts';
import { isRecord } from '../json.ts';
import type { JsonRecord } from '../json.ts';
import { select } from '../kong/database.ts';
import type { Frame } from './shadow.ts';

/** Entity types whose rows a frame is compared with, and the columns beside their times; never key material. */
const COMPARED: Readonly<Record<string, readonly string[]>> = {
  certificates: [],
  ca_certificates: ['cert_digest'],
  consumers: ['username', 'custom_id'],
  upstreams: ['name', 'algorithm', 'hash_on', 'host_header', 'slots'],
  services: ['name', 'host', 'port', 'path', 'protocol', 'retries', 'enabled'],
  snis: ['name', 'certificate_id'],
  targets: ['target', 'weight', 'upstream_id'],
  routes: [
    'name',
    'service_id',
    'regex_priority',
    'strip_path',
    'preserve_host',
    'hosts',
    'paths',
    'methods',
    'expression',
  ],
  plugins: ['name', 'route_id', 'service_id', 'consumer_id', 'enabled'],
  acls: ['consumer_id'],
  keyauth_credentials: ['consumer_id'],
  basicauth_credentials: ['consumer_id', 'username'],
  hmacauth_credentials: ['consumer_id', 'username'],
  jwt_secrets: ['consumer_id'],
  oauth2_credentials: ['consumer_id'],
};

/** Kong does not note when a credential was changed last. */
function timesOf(table: string): readonly string[] {
  return /credentials$|^acls$|^jwt_secrets$/.test(table) ? ['created_at'] : ['created_at', 'updated_at'];
}

/** Tables and columns that a frame is compared with, for the grants in the README. */
export const COMPARED_COLUMNS: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries(COMPARED).map(([table, columns]) => [table, ['id', ...timesOf(table), ...columns]]),
);

/** Which of those columns this Kong's database has and the role may read, by table. */
async function readable(kong: Queryable): Promise<ReadonlyMap<string, readonly string[]>> {
  const rows = await select<{ table: string; columns: readonly string[] }>(
    kong,
    'information_schema.columns',
    `SELECT table_name::text AS table, array_agg(column_name::text) AS columns FROM information_schema.columns
     WHERE table_schema = current_schema() AND table_name = ANY ($1) GROUP BY table_name`,
    [[...COMPARED_COLUMNS.keys()]],
  );
  return new Map(
    rows.map(({ table, columns }) => [
      table,
      (COMPARED_COLUMNS.get(table) ?? []).filter((name) => columns.includes(name)),
    ]),
  );
}

interface Written {
  readonly id: string;
  /** Column → value; times in seconds. */
  readonly row: JsonRecord;
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

function shown(column: string): string {
  const value = column.endsWith('_at') ? `extract(epoch FROM ${quoted(column)})::float8` : quoted(column);
  return `'${column}', ${value}`;
}

/** Rows written from one mark on, and before another; `undefined`: from the beginning. */
async function writtenBetween(
  kong: Queryable,
  table: string,
  columns: readonly string[],
  from: string | undefined,
  until: string,
): Promise<readonly Written[]> {
  return select<Written>(
    kong,
    table,
    `SELECT id::text AS id, jsonb_build_object(${columns.map(shown).join(', ')}) AS row FROM ${quoted(table)} t
     WHERE age(t.xmin) > age(($1::xid8)::xid) AND ($2::text IS NULL OR age(t.xmin) <= age(($2::xid8)::xid))`,
    [until, from ?? null],
  );
}

/** Lua cannot tell an empty list from an empty object, and leaves out nulls in some versions. */
function plain(value: unknown): unknown {
  if (value === null || value === undefined) return undefined;
  if (Array.isArray(value)) return value.length === 0 ? undefined : JSON.stringify(value);
  return isRecord(value) && Object.keys(value).length === 0 ? undefined : value;
}

function fieldOf(entity: JsonRecord, column: string): unknown {
  const field = column.endsWith('_id') && column !== 'custom_id' ? column.replace(/_id$/, '') : column;
  const value = entity[field];
  return isRecord(value) && 'id' in value ? value.id : value;
}

/** Milliseconds are beyond what Kong shows of most entities. */
function same(column: string, a: unknown, b: unknown): boolean {
  if (!column.endsWith('_at')) return plain(a) === plain(b);
  return typeof a === 'number' && typeof b === 'number' ? Math.abs(a - b) < 0.002 : plain(a) === plain(b);
}

/** Kong leaves out what is disabled, and what hangs on it. */
async function disabled(
  kong: Queryable,
  columns: ReadonlyMap<string, readonly string[]>,
): Promise<ReadonlySet<string>> {
  if (columns.get('services')?.includes('enabled') !== true) return new Set();
  const rows = await select<{ id: string }>(
    kong,
    'services',
    `SELECT s.id::text AS id FROM services s WHERE NOT s.enabled
     UNION ALL SELECT r.id::text FROM routes r JOIN services s ON s.id = r.service_id WHERE NOT s.enabled
     UNION ALL SELECT p.id::text FROM plugins p LEFT JOIN routes r ON r.id = p.route_id
       JOIN services s ON s.id = coalesce(p.service_id, r.service_id) WHERE NOT s.enabled
     UNION ALL SELECT p.id::text FROM plugins p WHERE NOT p.enabled`,
    [],
  );
  return new Set(rows.map(({ id }) => id));
}

/** An entity of the frame that is not in the database any more: the frame is older than a delete. */
async function hasDeleted(kong: Queryable, table: string, entities: readonly JsonRecord[]): Promise<boolean> {
  const ids = entities.flatMap(({ id }) => (typeof id === 'string' ? [id] : []));
  const rows = await select<{ id: string }>(
    kong,
    table,
    `SELECT f.id::text AS id FROM unnest($1::uuid[]) AS f(id)
     WHERE NOT EXISTS (SELECT FROM ${quoted(table)} t WHERE t.id = f.id) LIMIT 1`,
    [ids],
  );
  return rows.length > 0;
}

/**
 * Whether a frame holds all that was written to Kong's database from one mark (`pg_snapshot_xmax`; undefined: ever) until
 * another, and nothing that was deleted since: by id, times and the columns that can be compared. An entity that was
 * written twice in one second is told apart by those columns alone. Throws KONG_DATABASE_UNAVAILABLE.
 */
export async function holds(kong: Queryable, frame: Frame, from: string | undefined, until: string): Promise<boolean> {
  const columns = await readable(kong);
  const hidden = await disabled(kong, columns);
  for (const [table, names] of columns) {
    const entities = new Map((frame.tables.get(table) ?? []).map((entity) => [entity.id, entity]));
    for (const { id, row } of await writtenBetween(kong, table, names, from, until)) {
      const entity = entities.get(id);
      if (entity === undefined && hidden.has(id)) continue;
      if (entity === undefined || !names.every((name) => same(name, row[name], fieldOf(entity, name)))) return false;
    }
    if (await hasDeleted(kong, table, [...entities.values()])) return false;
  }
  return true;
}

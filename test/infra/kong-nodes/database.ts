import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { migrate } from '../../../infra/local/kong/database/migrate.ts';
import { temporaryPostgres } from '../../support/postgres.ts';
import { uuid } from './fixtures.ts';

export interface KongDatabase {
  readonly pool: pg.Pool;
  readonly url: string;
  /** Inserts a row; columns are spelt as in Kong's tables. */
  insert(table: string, row: Readonly<Record<string, unknown>>): Promise<void>;
  /** Writes an event as another node would. */
  event(channel: string, data: string, nodeId?: string): Promise<void>;
  /** Empties the tables that configure. */
  clear(): Promise<void>;
  stop(): Promise<void>;
}

const CONFIGURATION =
  'targets, upstreams, plugins, routes, services, snis, certificates, consumers, keyauth_credentials';

/** A database with Kong's tables, of its own for one test file. */
export async function kongDatabase(): Promise<KongDatabase> {
  const postgres = await temporaryPostgres();
  const url = await postgres.createDatabase('kong');
  const pool = new pg.Pool({ connectionString: url });
  pool.on('error', () => undefined);
  await migrate(pool);
  return {
    pool,
    url,
    async insert(table, row) {
      const columns = Object.keys(row).map((name) => pg.escapeIdentifier(name));
      const places = columns.map((_, index) => `$${index + 1}`);
      await pool.query(
        `INSERT INTO ${table} (${columns.join(', ')}, ws_id) VALUES (${places.join(', ')}, (SELECT id FROM workspaces))`,
        Object.values(row),
      );
    },
    async event(channel, data, nodeId = uuid(1)) {
      await pool.query(
        `INSERT INTO cluster_events (id, node_id, at, expire_at, channel, data) VALUES ($1, $2, clock_timestamp(), now() + interval '1 hour', $3, $4)`,
        [randomUUID(), nodeId, channel, data],
      );
    },
    async clear() {
      await pool.query(`TRUNCATE ${CONFIGURATION}, clustering_data_planes, cluster_events CASCADE`);
    },
    async stop() {
      await pool.end();
      await postgres.stop();
    },
  };
}

/** A service that points at a port, as a row. */
export function serviceRow(
  n: number,
  port: number,
  fields: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  return {
    id: uuid(n),
    name: `s${n}`,
    protocol: 'http',
    host: '127.0.0.1',
    port,
    retries: 0,
    enabled: true,
    ...fields,
  };
}

/** A route by path to a service, as a row. */
export function routeRow(n: number, service: number, path: string): Record<string, unknown> {
  return {
    id: uuid(n),
    name: `r${n}`,
    service_id: uuid(service),
    paths: [path],
    protocols: ['http', 'https'],
    strip_path: true,
  };
}

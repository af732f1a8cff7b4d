import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { migrate } from '../../infra/local/kong/database/migrate.ts';
import type { EntityType } from '../../shared/kong/entities.ts';
import { ENTITIES } from '../../shared/kong/entities.ts';
import type { TemporaryPostgres } from '../support/postgres.ts';

export const OURS = ['managed-by-ingress-controller'];

/** Kong's tables in a database of their own, and a way to put rows into them. */
export interface KongTables {
  readonly pool: pg.Pool;
  /** Inserts a row with our tag unless `tags` says otherwise, and gives its id. */
  insert(type: EntityType, columns: Readonly<Record<string, unknown>>): Promise<string>;
  end(): Promise<void>;
}

export async function kongTables(server: TemporaryPostgres, name: string): Promise<KongTables> {
  const pool = new pg.Pool({ connectionString: await server.createDatabase(name), max: 4 });
  // The server may be stopped before a closed connection is gone.
  pool.on('error', () => undefined);
  await migrate(pool);
  const workspace = await pool.query<{ id: string }>(`SELECT id::text AS id FROM workspaces WHERE name = 'default'`);
  const wsId = workspace.rows[0]?.id;
  return {
    pool,
    insert: async (type, columns) => {
      const row: Record<string, unknown> = { id: randomUUID(), tags: OURS, ...columns };
      if (type !== 'ca_certificates' && row.ws_id === undefined) row.ws_id = wsId;
      const names = Object.keys(row).map((column) => pg.escapeIdentifier(column));
      const places = names.map((_name, n) => `$${n + 1}`);
      await pool.query(
        `INSERT INTO ${ENTITIES[type].table} (${names.join(', ')}) VALUES (${places.join(', ')})`,
        Object.values(row),
      );
      return String(row.id);
    },
    end: () => pool.end(),
  };
}

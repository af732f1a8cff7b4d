import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { createTable, FUNCTIONS } from './ddl.ts';
import { ENTITY_TABLES } from './entity-tables.ts';
import { NODE_TABLES, WORKSPACES } from './node-tables.ts';

/** Any number will do, as long as all stand-ins use the same: it keeps two of them from migrating at once. */
const MIGRATION_LOCK = 3_900_391;

/** The last migration of each part that this schema corresponds to. */
const EXECUTED: readonly (readonly [part: string, migration: string])[] = [
  ['core', '024_380_to_390'],
  ['acl', '004_212_to_213'],
  ['basic-auth', '003_200_to_210'],
  ['hmac-auth', '003_200_to_210'],
  ['jwt', '003_200_to_210'],
  ['key-auth', '004_320_to_330'],
  ['oauth2', '007_320_to_330'],
];

/** Creates Kong's tables in an empty database, or what is missing of them; what is there stays. */
export async function migrate(pool: Pool): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    await client.query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    await client.query('SET LOCAL client_min_messages = warning');
    await client.query(FUNCTIONS);
    for (const table of [WORKSPACES, ...NODE_TABLES, ...ENTITY_TABLES]) await client.query(createTable(table));
    await client.query(`INSERT INTO workspaces (id, name) VALUES ($1, 'default') ON CONFLICT (name) DO NOTHING`, [
      randomUUID(),
    ]);
    await client.query(
      `INSERT INTO parameters (key, value, created_at) VALUES ('cluster_id', $1, now()) ON CONFLICT (key) DO NOTHING`,
      [randomUUID()],
    );
    for (const [part, migration] of EXECUTED) {
      await client.query(
        `INSERT INTO schema_meta (key, subsystem, last_executed, executed) VALUES ('schema_meta', $1, $2, ARRAY[$2])
         ON CONFLICT (key, subsystem) DO NOTHING`,
        [part, migration],
      );
    }
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  } finally {
    client.release();
  }
}

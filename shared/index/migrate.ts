import { AppError } from '../errors.ts';
import type { Database, Queryable } from './database.ts';
import { MIGRATIONS } from './migrations.ts';
import { inSchema, schemaOf } from './schema.ts';

const SETUP = `
  CREATE SCHEMA IF NOT EXISTS kong_ingress;
  CREATE TABLE IF NOT EXISTS kong_ingress.migrations (
    version integer PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now()
  );`;

/** PostgreSQL's codes for a schema or table that is not there. */
const NOT_THERE = new Set(['3F000', '42P01']);

/** PostgreSQL's five-character code of an error, if it is one of its errors. */
export function sqlState(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

async function version(database: Queryable): Promise<number> {
  const { rows } = await database.query<{ version: number }>(
    'SELECT coalesce(max(version), 0) AS version FROM kong_ingress.migrations',
  );
  return rows[0]?.version ?? 0;
}

async function currentVersion(database: Queryable): Promise<number> {
  try {
    return await version(database);
  } catch (error) {
    if (NOT_THERE.has(sqlState(error) ?? '')) return 0;
    throw error;
  }
}

function tooNew(found: number): AppError {
  return new AppError('INDEX_TOO_NEW', `The index has version ${found}, this release knows ${MIGRATIONS.length}`);
}

/**
 * Whether there is an index to read, for commands that change nothing. Throws INDEX_TOO_NEW and INDEX_OUTDATED when
 * another release made it.
 */
export async function hasIndex(database: Queryable): Promise<boolean> {
  const found = await currentVersion(database);
  if (found > MIGRATIONS.length) throw tooNew(found);
  if (found > 0 && found < MIGRATIONS.length) {
    throw new AppError('INDEX_OUTDATED', `The index has version ${found}, this release needs ${MIGRATIONS.length}`);
  }
  return found > 0;
}

/**
 * Creates the index's schema or brings it up to date; costs one statement when there is nothing to do. Safe when several
 * functions start at once. Throws INDEX_TOO_NEW when a newer release has been here.
 */
export async function migrate(database: Database): Promise<void> {
  const before = await currentVersion(database);
  if (before > MIGRATIONS.length) throw tooNew(before);
  if (before === MIGRATIONS.length) return;
  const client = await database.connect();
  const schema = schemaOf(database);
  const run: Queryable['query'] = (text, values) => client.query(inSchema(text, schema), values);
  try {
    await client.query("BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('kong_ingress/migrate', 0))");
    await run(SETUP);
    for (let next = (await version({ query: run })) + 1; next <= MIGRATIONS.length; next += 1) {
      await run(MIGRATIONS[next - 1] ?? '');
      await run('INSERT INTO kong_ingress.migrations (version) VALUES ($1)', [next]);
    }
    await client.query('COMMIT');
    client.release();
  } catch (error) {
    client.release(true);
    throw error;
  }
}

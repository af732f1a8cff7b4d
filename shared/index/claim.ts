import type pg from 'pg';
import { AppError } from '../errors.ts';
import { sqlState } from './migrate.ts';
import { schemaOf, type IndexPool } from './schema.ts';

/** What a control plane's index knows: everything in one workspace of one Kong that carries these tags. */
export interface Claimed {
  readonly kongPool: pg.Pool;
  /** `''` for Kong's own. */
  readonly workspace: string;
  readonly filterTags: readonly string[];
}

/** PostgreSQL's code for what a role may not do: only a schema's owner may comment on it. */
const NOT_OWNER = '42501';

const INDEXES = `
  SELECT nspname AS schema, obj_description(oid, 'pg_namespace') AS claim FROM pg_namespace
  WHERE nspname = $1 OR obj_description(oid, 'pg_namespace') = $2`;

/** The words of a claim; the workspace's id is another in every Kong. Undefined when Kong does not have the workspace. */
async function wordsOf({ kongPool, workspace, filterTags }: Claimed): Promise<string | undefined> {
  const name = workspace === '' ? 'default' : workspace;
  const { rows } = await kongPool.query<{ id: string }>('SELECT id::text AS id FROM workspaces WHERE name = $1', [
    name,
  ]);
  const id = rows[0]?.id;
  return id === undefined ? undefined : `Index of what is tagged ${filterTags.join(' and ')} in Kong's workspace ${id}`;
}

/**
 * Makes sure that no other index of this database is for the same entities: its cluster's reconcile would take ours for
 * orphans. The claim is the comment on the schema. Throws INDEX_OTHER_CLUSTER.
 */
export async function claim(index: IndexPool, claimed: Claimed): Promise<void> {
  const words = await wordsOf(claimed);
  if (words === undefined) return;
  const schema = schemaOf(index);
  const { rows } = await index.query<{ schema: string; claim: string | null }>(INDEXES, [schema, words]);
  const other = rows.find((row) => row.schema !== schema);
  if (other !== undefined) {
    throw new AppError('INDEX_OTHER_CLUSTER', `The index in schema ${other.schema} is for the same entities of Kong`);
  }
  if (rows[0]?.claim === words) return;
  await index.query(`COMMENT ON SCHEMA ${schema} IS '${words.replaceAll("'", "''")}'`).catch((error: unknown) => {
    // Whoever made the schema for us has to see to it that there is one.
    if (sqlState(error) !== NOT_OWNER) throw error;
  });
}

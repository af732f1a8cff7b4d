import type { Queryable } from './database.ts';

/** Remembers a complete reconcile, and how many deletes its brake held back, for whoever only reads the index. */
export async function rememberReconcile(index: Queryable, withheldDeletes: number): Promise<void> {
  await index.query(
    `INSERT INTO kong_ingress.runs (name, at, report) VALUES ('reconcile', clock_timestamp(), $1::jsonb)
     ON CONFLICT (name) DO UPDATE SET at = excluded.at, report = excluded.report`,
    [JSON.stringify({ withheldDeletes })],
  );
}

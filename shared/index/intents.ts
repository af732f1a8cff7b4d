import type { Intent } from './affected.ts';
import type { Queryable } from './database.ts';

const INTEND = `
  INSERT INTO kong_ingress.intents (type, id, slot, root)
  SELECT type, id, slot, root FROM jsonb_to_recordset($1::jsonb) AS i(type text, id uuid, slot text, root text)
  ON CONFLICT (type, id) DO UPDATE SET slot = excluded.slot, root = excluded.root`;

/**
 * Records what is about to be written. Must not run on the lock's connection: it has to survive the slice. The next
 * slice takes up what is left (DESIGN §5 step 5).
 */
export async function intend(database: Queryable, intents: readonly Intent[]): Promise<void> {
  await database.query(INTEND, [
    JSON.stringify(intents.map(({ root, ...intent }) => ({ ...intent, root: root ?? null }))),
  ]);
}

import { AppError } from '../errors.ts';
import type { Key } from '../kubernetes/keys.ts';
import type { EntityRef } from '../plan/types.ts';
import type { Slot } from '../translate/types.ts';
import type { Queryable } from './database.ts';

/** A write that a slice announced and may have done, but did not live to remember. */
export interface Intent extends EntityRef {
  readonly slot: Slot;
  /** The root it was for; absent for an orphan's delete. */
  readonly root: Key | undefined;
}

export interface Affected {
  /** The keys given and those that the changed objects provided before. */
  readonly keys: readonly Key[];
  /** Roots that looked up one of them. */
  readonly roots: readonly Key[];
  /** What a slice that died left behind. */
  readonly intents: readonly Intent[];
}

const AFFECTED = `
  WITH changed AS MATERIALIZED (
    SELECT unnest($1::text[]) AS key
    UNION
    SELECT unnest(p.keys) FROM kong_ingress.provides p WHERE p.object = ANY ($1::text[])
  )
  SELECT
    (SELECT value FROM kong_ingress.meta WHERE name = 'cluster') AS cluster,
    (SELECT coalesce(json_agg(key), '[]') FROM changed) AS keys,
    (SELECT coalesce(json_agg(DISTINCT s.root), '[]') FROM changed JOIN kong_ingress.sources s USING (key)) AS roots,
    (SELECT coalesce(json_agg(json_build_object('type', type, 'id', id, 'slot', slot, 'root', root)), '[]')
       FROM kong_ingress.intents) AS intents`;

interface Row {
  readonly cluster: string | null;
  readonly keys: readonly Key[];
  readonly roots: readonly Key[];
  readonly intents: readonly (EntityRef & { readonly slot: Slot; readonly root: Key | null })[];
}

/**
 * Which roots a change touches. `keys`: the changed objects' own keys and what they provide now. Throws
 * INDEX_OTHER_CLUSTER when the index was made for another cluster.
 */
export async function affected(database: Queryable, cluster: string, keys: readonly Key[]): Promise<Affected> {
  const { rows } = await database.query<Row>(AFFECTED, [keys]);
  const row = rows[0];
  if (row === undefined) return { keys, roots: [], intents: [] };
  if (row.cluster !== null && row.cluster !== cluster) {
    throw new AppError('INDEX_OTHER_CLUSTER', `The index belongs to cluster "${row.cluster}", not to "${cluster}"`);
  }
  return {
    keys: row.keys,
    roots: row.roots,
    intents: row.intents.map((intent) => ({ ...intent, root: intent.root ?? undefined })),
  };
}

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

/** An object that changed, as it was found. */
export interface ChangedObject {
  readonly object: Key;
  /** Tells this state of the object from every other one. */
  readonly version: string;
  /** The query keys that it provides now. */
  readonly provides: readonly Key[];
}

export interface Affected {
  /** The objects' keys, what they provide now and what they provided before. */
  readonly keys: readonly Key[];
  /** Object → roots that looked up one of its keys. Where an earlier slice has begun with the same state of it, those that are left. */
  readonly reached: ReadonlyMap<Key, readonly Key[]>;
  /** What a slice that died left behind. */
  readonly intents: readonly Intent[];
}

// LATERAL with OFFSET 0: read by index, key by key, whatever the planner guesses of the JSON's size.
const AFFECTED = `
  WITH input AS MATERIALIZED (
    SELECT i.object, i.version, ARRAY(SELECT jsonb_array_elements_text(i.provides)) AS provides
    FROM jsonb_to_recordset($1::jsonb) AS i(object text, version text, provides jsonb)
  ), changed AS MATERIALIZED (
    SELECT object, object AS key FROM input
    UNION
    SELECT object, unnest(provides) FROM input
    UNION
    SELECT i.object, unnest(p.keys) FROM input i,
      LATERAL (SELECT keys FROM kong_ingress.provides p WHERE p.object = i.object OFFSET 0) p
  ), left_over AS MATERIALIZED (
    SELECT i.object, p.root, p.version = i.version AS same FROM input i,
      LATERAL (SELECT root, version FROM kong_ingress.pending p WHERE p.object = i.object OFFSET 0) p
  ), reached AS (
    SELECT c.object, s.root FROM changed c,
      LATERAL (SELECT root FROM kong_ingress.sources s WHERE s.key = c.key OFFSET 0) s
    WHERE c.object NOT IN (SELECT object FROM left_over WHERE same)
    UNION
    SELECT object, root FROM left_over
  ), grouped AS (
    SELECT object, json_agg(root) AS roots FROM reached GROUP BY object
  )
  SELECT
    (SELECT value FROM kong_ingress.meta WHERE name = 'cluster') AS cluster,
    (SELECT coalesce(json_agg(DISTINCT key), '[]') FROM changed) AS keys,
    (SELECT coalesce(json_agg(grouped), '[]') FROM grouped) AS reached,
    (SELECT coalesce(json_agg(json_build_object('type', type, 'id', id, 'slot', slot, 'root', root)), '[]')
       FROM kong_ingress.intents) AS intents`;

interface Row {
  readonly cluster: string | null;
  readonly keys: readonly Key[];
  readonly reached: readonly { readonly object: Key; readonly roots: readonly Key[] }[];
  readonly intents: readonly (EntityRef & { readonly slot: Slot; readonly root: Key | null })[];
}

/**
 * Which roots the changes touch. Throws INDEX_OTHER_CLUSTER when the index was made for another cluster.
 */
export async function affected(
  database: Queryable,
  cluster: string,
  changed: readonly ChangedObject[],
): Promise<Affected> {
  const { rows } = await database.query<Row>(AFFECTED, [JSON.stringify(changed)]);
  const row = rows[0];
  if (row === undefined) return { keys: changed.map(({ object }) => object), reached: new Map(), intents: [] };
  if (row.cluster !== null && row.cluster !== cluster) {
    throw new AppError('INDEX_OTHER_CLUSTER', `The index belongs to cluster "${row.cluster}", not to "${cluster}"`);
  }
  return {
    keys: row.keys,
    reached: new Map(row.reached.map(({ object, roots }) => [object, roots])),
    intents: row.intents.map((intent) => ({ ...intent, root: intent.root ?? undefined })),
  };
}

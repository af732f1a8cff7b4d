import type { Key } from '../kubernetes/keys.ts';
import type { Queryable } from './database.ts';

/** Query keys → the objects that provided them last. */
export type Providers = ReadonlyMap<Key, readonly Key[]>;

const PROVIDERS = `
  SELECT
    EXISTS (SELECT FROM kong_ingress.meta WHERE name = 'provides') AS complete,
    (SELECT coalesce(json_agg(json_build_object('key', key, 'object', p.object)), '[]')
       FROM kong_ingress.provides p, unnest(p.keys) AS key
       WHERE p.keys && $1::text[] AND key = ANY ($1::text[])) AS found`;

interface Row {
  readonly complete: boolean;
  readonly found: readonly { readonly key: Key; readonly object: Key }[];
}

/** Who provides these query keys. Undefined as long as no reconcile has told the index of every object there is. */
export async function providersOf(database: Queryable, keys: readonly Key[]): Promise<Providers | undefined> {
  const { rows } = await database.query<Row>(PROVIDERS, [keys]);
  const row = rows[0];
  if (row?.complete !== true) return undefined;
  const groups = Map.groupBy(row.found, (item) => item.key);
  return new Map(keys.map((key) => [key, (groups.get(key) ?? []).map((item) => item.object)]));
}

/** Objects and query keys: what they provide, or what they do not provide any more. */
export type Provided = ReadonlyMap<Key, readonly Key[]>;

/** All that the index knows about who provides what. */
export interface AllProvided {
  readonly provided: Provided;
  /** A reconcile has told of every object there is. */
  readonly complete: boolean;
}

/** Reads all of it, in one statement. */
export async function allProvided(database: Queryable): Promise<AllProvided> {
  const { rows } = await database.query<{ object: Key | null; keys: readonly Key[] | null; complete: boolean }>(
    `SELECT p.object, p.keys, m.name IS NOT NULL AS complete
     FROM (VALUES ('provides')) AS wanted(name) LEFT JOIN kong_ingress.meta m USING (name)
       LEFT JOIN kong_ingress.provides p ON true`,
  );
  return {
    provided: new Map(rows.flatMap(({ object, keys }) => (object === null ? [] : [[object, keys ?? []] as const]))),
    complete: rows[0]?.complete === true,
  };
}

/** Adds keys (`$1`: `{ provided, complete }`) to what objects provide. More than the truth does no harm: members are read before they count. */
export const LEARN_PROVIDED = `
  WITH input AS MATERIALIZED (SELECT $1::jsonb AS doc),
  marked AS (
    INSERT INTO kong_ingress.meta SELECT 'provides', 'complete' FROM input WHERE (doc->>'complete')::boolean
    ON CONFLICT DO NOTHING
  )
  INSERT INTO kong_ingress.provides AS p (object, keys)
  SELECT n.object, ARRAY(SELECT jsonb_array_elements_text(n.keys))
  FROM input, jsonb_to_recordset(doc->'provided') AS n(object text, keys jsonb)
  ON CONFLICT (object) DO UPDATE SET keys = ARRAY(SELECT unnest(p.keys) UNION SELECT unnest(excluded.keys))
  WHERE NOT p.keys @> excluded.keys`;

/** Takes keys (`$1`: `{ provided }`) from what objects provide. */
export const FORGET_PROVIDED = `
  WITH stale AS MATERIALIZED (
    SELECT n.object, ARRAY(SELECT jsonb_array_elements_text(n.keys)) AS keys
    FROM jsonb_to_recordset($1::jsonb->'provided') AS n(object text, keys jsonb)
  ),
  gone AS (
    DELETE FROM kong_ingress.provides p USING stale s WHERE p.object = s.object AND p.keys <@ s.keys
  )
  UPDATE kong_ingress.provides p SET keys = ARRAY(SELECT unnest(p.keys) EXCEPT SELECT unnest(s.keys))
  FROM stale s WHERE p.object = s.object AND NOT p.keys <@ s.keys`;

import type { Key } from '../kubernetes/keys.ts';
import type { Slot } from '../translate/types.ts';
import type { Queryable } from './database.ts';

/** What the index knows of an entity id. */
export interface Owner {
  readonly slot: Slot;
  /** Who held the slot last. */
  readonly root: Key;
  /** Somebody proposes the slot. */
  readonly proposed: boolean;
}

/** The owners of those entity ids that the index knows. */
export async function ownersOf(database: Queryable, ids: readonly string[]): Promise<ReadonlyMap<string, Owner>> {
  if (ids.length === 0) return new Map();
  const { rows } = await database.query<Owner & { id: string }>(
    `SELECT e.id::text AS id, e.slot, e.root,
       coalesce((SELECT true FROM kong_ingress.proposals p WHERE p.slot = e.slot AND NOT p.withheld LIMIT 1), false)
         AS proposed
     FROM unnest($1::uuid[]) AS w(id)
       CROSS JOIN LATERAL (SELECT * FROM kong_ingress.entities WHERE id = w.id OFFSET 0) AS e`,
    [ids],
  );
  return new Map(rows.map((row) => [row.id, row]));
}

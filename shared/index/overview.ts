import type { Key } from '../kubernetes/keys.ts';
import type { EntityRef } from '../plan/types.ts';
import type { Slot } from '../translate/types.ts';
import type { Queryable } from './database.ts';

/** An entity as the whole index shows it. */
export interface OverviewEntity extends EntityRef {
  readonly slot: Slot;
  readonly root: Key;
  readonly xmin: string | null;
  /** Somebody proposes the slot. */
  readonly proposed: boolean;
  /** What was wanted last is not in Kong. */
  readonly pending: boolean;
  /** Kong rejected it and its pause is not over. */
  readonly paused: boolean;
}

/** The whole index, as far as a reconcile compares it. */
export interface Overview {
  /** Root → what its last translation gave, as `translationText` has it. */
  readonly roots: ReadonlyMap<Key, string>;
  readonly entities: readonly OverviewEntity[];
  /** Roots with something that Kong rejected and that may be tried again. */
  readonly due: readonly Key[];
}

const ENTITIES = `
  SELECT e.slot, e.type, e.id::text AS id, e.root, e.row_version AS xmin,
    EXISTS (SELECT FROM kong_ingress.proposals p WHERE p.slot = e.slot AND NOT p.withheld) AS proposed,
    e.hash IS NULL OR e.body_hash = '' AS pending,
    coalesce(q.retry_at > now(), false) AS paused
  FROM kong_ingress.entities e LEFT JOIN kong_ingress.quarantine q USING (slot)`;

const ROOTS = `
  SELECT r.root, r.translation, t.targets
  FROM kong_ingress.roots r LEFT JOIN (
    SELECT root, string_agg(slot || ' ' || targets, ' ' ORDER BY slot COLLATE "C") AS targets
    FROM kong_ingress.proposals WHERE targets IS NOT NULL GROUP BY root
  ) t USING (root)`;

interface RootRow {
  readonly root: Key;
  readonly translation: string;
  readonly targets: string | null;
}

/** Reads the whole index, in three statements. */
export async function overview(database: Queryable): Promise<Overview> {
  const [roots, entities, due] = [
    await database.query<RootRow>(ROOTS),
    await database.query<OverviewEntity>(ENTITIES),
    await database.query<{ root: Key }>(
      'SELECT DISTINCT root FROM kong_ingress.quarantine WHERE root IS NOT NULL AND retry_at <= now()',
    ),
  ];
  return {
    roots: new Map(
      roots.rows.map(({ root, translation, targets }) => {
        return [root, targets === null ? translation : `${translation} ${targets}`];
      }),
    ),
    entities: entities.rows,
    due: due.rows.map((row) => row.root),
  };
}

import type { Key } from '../kubernetes/keys.ts';
import type { SlotState } from '../plan/joins.ts';
import type { StoredProposal } from '../plan/types.ts';
import type { Slot } from '../translate/types.ts';
import type { Queryable } from './database.ts';
import { fromEntityRow, fromProposalRow, type EntityRow, type ProposalRow } from './rows.ts';

/** What Kong rejected before: as long as the hash is the same, it is not tried again before its time. */
export interface Quarantine {
  readonly hash: string | undefined;
  /** Its pause is over. */
  readonly due: boolean;
}

export interface Loaded {
  /** What the slice's roots proposed before. */
  readonly old: readonly StoredProposal[];
  readonly slots: ReadonlyMap<Slot, SlotState>;
  readonly quarantine: ReadonlyMap<Slot, Quarantine>;
  /** Those of the slice's roots that had an error when they were translated last. */
  readonly failing: ReadonlySet<Key>;
}

// LATERAL with OFFSET 0, and LIMIT rather than EXISTS: one look into an index for each root and slot, whatever the
// planner guesses. Without statistics, as after a first sync, it would read whole tables.
const LOAD = `
  WITH old AS MATERIALIZED (
    SELECT p.* FROM unnest($1::text[]) AS r(root)
      CROSS JOIN LATERAL (SELECT * FROM kong_ingress.proposals WHERE root = r.root OFFSET 0) AS p
  ), touched AS MATERIALIZED (
    SELECT slot FROM old UNION SELECT unnest($2::text[])
  ), states AS (
    SELECT
      t.slot,
      (SELECT to_json(e) FROM kong_ingress.entities e WHERE e.slot = t.slot) AS known,
      (SELECT to_json(p) FROM kong_ingress.proposals p
        WHERE p.slot = t.slot AND NOT p.withheld AND p.root <> ALL ($1::text[])
        ORDER BY p.rank_class, p.rank_created, p.rank_name, p.root COLLATE "C" LIMIT 1) AS outside,
      coalesce((SELECT true FROM kong_ingress.dependents d
        WHERE d.slot = t.slot AND d.root <> ALL ($1::text[]) LIMIT 1), false) AS referenced,
      coalesce((SELECT true FROM kong_ingress.dependents d
        WHERE d.slot = t.slot AND d.own AND d.root <> ALL ($1::text[]) LIMIT 1), false) AS owned,
      (SELECT json_build_object('hash', q.hash, 'due', q.retry_at <= now())
         FROM kong_ingress.quarantine q WHERE q.slot = t.slot) AS quarantine
    FROM touched t
  )
  SELECT
    (SELECT coalesce(json_agg(old), '[]') FROM old) AS old,
    (SELECT coalesce(json_agg(states), '[]') FROM states) AS slots,
    (SELECT coalesce(json_agg(r.root), '[]') FROM kong_ingress.roots r
      WHERE r.root = ANY ($1::text[]) AND r.findings @> '[{"severity":"error"}]') AS failing`;

interface StateRow {
  readonly slot: Slot;
  readonly known: EntityRow | null;
  readonly outside: ProposalRow | null;
  readonly referenced: boolean;
  readonly owned: boolean;
  readonly quarantine: { readonly hash: string | null; readonly due: boolean } | null;
}

interface Row {
  readonly old: readonly ProposalRow[];
  readonly slots: readonly StateRow[];
  readonly failing: readonly Key[];
}

function toState(cluster: string, row: StateRow): SlotState {
  return {
    slot: row.slot,
    ...(row.known === null ? {} : { known: fromEntityRow(cluster, row.known) }),
    ...(row.outside === null ? {} : { outside: fromProposalRow(cluster, row.outside) }),
    referenced: row.referenced,
    owned: row.owned,
  };
}

/**
 * All that the index knows about the slots that a slice touches: those that its `roots` proposed before and `slots`.
 * One statement, whatever else the index holds; of the proposals outside the slice only the best one a slot is read.
 */
export async function load(
  database: Queryable,
  cluster: string,
  roots: readonly Key[],
  slots: readonly Slot[],
): Promise<Loaded> {
  const { rows } = await database.query<Row>(LOAD, [roots, slots]);
  const row = rows[0] ?? { old: [], slots: [], failing: [] };
  return {
    old: row.old.map((item) => fromProposalRow(cluster, item)),
    slots: new Map(row.slots.map((state) => [state.slot, toState(cluster, state)])),
    quarantine: new Map(
      row.slots.flatMap(({ slot, quarantine }) =>
        quarantine === null ? [] : [[slot, { hash: quarantine.hash ?? undefined, due: quarantine.due }] as const],
      ),
    ),
    failing: new Set(row.failing),
  };
}

const DEPENDENTS = `
  SELECT DISTINCT d.root
  FROM (SELECT unnest($1::text[]) AS slot, false AS own UNION ALL SELECT unnest($2::text[]), true) AS s
    CROSS JOIN LATERAL (
      SELECT root FROM kong_ingress.dependents WHERE slot = s.slot AND (own OR NOT s.own) OFFSET 0
    ) AS d
  WHERE d.root <> ALL ($3::text[])`;

/** Roots outside the slice that refer to `slots`, or that need their own `owned` slots or hang on winning them. */
export async function dependents(
  database: Queryable,
  slots: readonly Slot[],
  owned: readonly Slot[],
  inside: readonly Key[],
): Promise<readonly Key[]> {
  const { rows } = await database.query<{ root: Key }>(DEPENDENTS, [slots, owned, inside]);
  return rows.map((row) => row.root);
}

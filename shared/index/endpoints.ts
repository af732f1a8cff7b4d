import type { Key } from '../kubernetes/keys.ts';
import type { StoredProposal } from '../plan/types.ts';
import type { PlainBackend, Slot } from '../translate/types.ts';
import type { Queryable } from './database.ts';
import { fromProposalRow, type ProposalRow } from './rows.ts';

/** Proposals for an upstream by roots that name the same backends. */
export interface Sharing {
  readonly backends: readonly PlainBackend[] | undefined;
  /** One of them counts. */
  readonly counts: boolean;
  /** The best-ranked one, or any where none counts. */
  readonly best: StoredProposal;
}

/** An upstream some of whose endpoints changed. */
export interface SharedUpstream {
  readonly slot: Slot;
  readonly sharings: readonly Sharing[];
  /** Slots of the targets that were proposed for it. */
  readonly targets: readonly Slot[];
}

const UPSTREAMS = `
  WITH readers AS MATERIALIZED (
    SELECT DISTINCT root FROM kong_ingress.sources WHERE key = ANY ($1::text[])
  ), mine AS MATERIALIZED (
    SELECT p.* FROM readers r,
      LATERAL (SELECT * FROM kong_ingress.proposals p WHERE p.root = r.root AND p.type = 'upstreams' OFFSET 0) p
  ), slots AS MATERIALIZED (
    SELECT DISTINCT slot FROM mine WHERE backends @> ANY ($2::jsonb[])
  ), rows AS MATERIALIZED (
    SELECT * FROM mine WHERE slot = ANY (ARRAY(SELECT slot FROM slots))
    UNION
    SELECT p.* FROM slots s,
      LATERAL (SELECT * FROM kong_ingress.proposals p WHERE p.slot = s.slot AND NOT p.withheld OFFSET 0) p
  ), best AS (
    SELECT DISTINCT ON (slot, backends) * FROM rows
    ORDER BY slot, backends, withheld, rank_class, rank_created, rank_name, root COLLATE "C"
  ), targets AS (
    SELECT DISTINCT r.slot, t.slot AS target FROM rows r,
      LATERAL (SELECT slot FROM kong_ingress.proposals t WHERE t.root = r.root AND t.type = 'targets'
        AND t.refs->'upstream'->>'slot' = r.slot OFFSET 0) t
  )
  SELECT
    EXISTS (SELECT FROM mine WHERE backends IS NULL)
      OR EXISTS (SELECT FROM readers r, LATERAL (SELECT translation, findings FROM kong_ingress.roots o
        WHERE o.root = r.root OFFSET 0) o
        WHERE o.translation = 'failed' OR o.findings @> '[{"reason": "InvalidObject"}]'
          OR o.findings @> '[{"reason": "InvalidName"}]') AS unfit,
    (SELECT coalesce(json_agg(best), '[]') FROM best) AS best,
    (SELECT coalesce(json_agg(targets), '[]') FROM targets) AS targets`;

interface Row {
  readonly unfit: boolean;
  readonly best: readonly ProposalRow[];
  readonly targets: readonly { readonly slot: Slot; readonly target: Slot }[];
}

/** The Services of EndpointSlice keys, as a row's `backends` names them. */
function services(keys: readonly Key[]): readonly string[] {
  return keys.flatMap((key) => {
    const [, service] = key.split('EndpointSlice?service=');
    const [namespace, name] = service?.split('/') ?? [];
    return namespace === undefined || name === undefined ? [] : [JSON.stringify([{ namespace, name }])];
  });
}

/**
 * The upstreams whose targets are made of these endpoints (`EndpointSlice?service=…`). Undefined when a root that read
 * them has to be translated itself: it failed, complains of something, or says more than backends about its targets.
 */
export async function upstreamsOf(
  database: Queryable,
  cluster: string,
  keys: readonly Key[],
): Promise<readonly SharedUpstream[] | undefined> {
  const { rows } = await database.query<Row>(UPSTREAMS, [keys, services(keys)]);
  const row = rows[0];
  if (row === undefined || row.unfit) return undefined;
  const targets = Map.groupBy(row.targets, ({ slot }) => slot);
  return [...Map.groupBy(row.best, ({ slot }) => slot)].map(([slot, all]) => ({
    slot,
    sharings: all.map((item) => {
      const best = fromProposalRow(cluster, item);
      return { backends: best.backends, counts: !best.withheld, best };
    }),
    targets: (targets.get(slot) ?? []).map(({ target }) => target),
  }));
}

/** The targets that all roots propose from now on which say the same about an upstream. */
export interface SharedTargets {
  readonly slot: Slot;
  readonly backends: readonly PlainBackend[];
  /** Their hash. */
  readonly hash: string;
  readonly targets: readonly Pick<StoredProposal, 'slot' | 'id' | 'refs' | 'bodyHash' | 'contentHash'>[];
}

/** Parts of the commit that bring every root's rows to `doc->'endpoints'`. */
// Arrays beside the joins: without statistics the planner would read all proposals.
export const PUT_ENDPOINTS = `
  new_endpoints AS MATERIALIZED (
    SELECT e.* FROM input, jsonb_to_recordset(doc->'endpoints')
      AS e(slot text, backends jsonb, hash text, targets jsonb)
  ),
  sharers AS MATERIALIZED (
    SELECT p.root, p.rank_class, p.rank_created, p.rank_name, p.gate, p.quiet, p.withheld, e.slot AS upstream, e.targets
    FROM new_endpoints e, LATERAL (SELECT * FROM kong_ingress.proposals p
      WHERE p.slot = e.slot AND p.backends IS NOT NULL AND p.backends = e.backends OFFSET 0) p
  ),
  put_hashes AS (
    UPDATE kong_ingress.proposals p SET targets = e.hash FROM new_endpoints e
    WHERE p.slot = ANY (ARRAY(SELECT slot FROM new_endpoints)) AND p.slot = e.slot
      AND p.backends IS NOT NULL AND p.backends = e.backends AND p.targets IS DISTINCT FROM e.hash
  ),
  del_targets AS (
    DELETE FROM kong_ingress.proposals t USING sharers s
    WHERE t.root = ANY (ARRAY(SELECT root FROM sharers)) AND t.root = s.root AND t.type = 'targets' AND t.refs->'upstream'->>'slot' = s.upstream
      AND NOT EXISTS (SELECT FROM jsonb_to_recordset(s.targets) AS n(slot text) WHERE n.slot = t.slot)
  ),
  put_targets AS (
    INSERT INTO kong_ingress.proposals AS p (root, slot, type, id, rank_class, rank_created, rank_name, refs, gate, quiet,
      body_hash, content_hash, withheld)
    SELECT s.root, t.slot, 'targets', t.id, s.rank_class, s.rank_created, s.rank_name, t.refs, s.gate, s.quiet,
      t.body_hash, t.content_hash, s.withheld
    FROM sharers s, jsonb_to_recordset(s.targets)
      AS t(slot text, id uuid, refs jsonb, body_hash text, content_hash text)
    ON CONFLICT (root, slot) DO UPDATE SET body_hash = excluded.body_hash, content_hash = excluded.content_hash
    WHERE p.body_hash <> excluded.body_hash
  ),
  put_referrers AS (
    INSERT INTO kong_ingress.dependents SELECT upstream, root, false FROM sharers WHERE targets <> '[]'
    ON CONFLICT DO NOTHING
  ),
  del_referrers AS (
    DELETE FROM kong_ingress.dependents d USING sharers s
    WHERE d.slot = s.upstream AND d.root = s.root AND NOT d.own AND s.targets = '[]'
  ),`;

/** `doc->'endpoints'`. */
export function toEndpointsDocument(all: readonly SharedTargets[]): unknown {
  return all.map(({ slot, backends, hash, targets }) => ({
    slot,
    backends,
    hash,
    targets: targets.map(({ slot: target, id, refs, bodyHash, contentHash }) => {
      return { slot: target, id, refs, body_hash: bodyHash, content_hash: contentHash };
    }),
  }));
}

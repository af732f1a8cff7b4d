import { isRecord } from '../json.ts';
import type { Key } from '../kubernetes/keys.ts';
import { rowVersions } from '../kong/row-versions.ts';
import type { EntityRef, KnownSlot, StoredProposal } from '../plan/types.ts';
import { showsWaiting } from '../status/shows.ts';
import type { StatusReport } from '../status/types.ts';
import type { Finding, Slot } from '../translate/types.ts';
import type { Intent } from './affected.ts';
import { PUT_ENDPOINTS, toEndpointsDocument, type SharedTargets } from './endpoints.ts';
import type { Lock } from './lock.ts';
import type { Provided } from './providers.ts';
import { COMMIT_REPORTS } from './reports.ts';
import { toDependentRows, toEntityRow, toProposalRow } from './rows.ts';

/** A root as it was translated. */
export interface RootRecord {
  readonly root: Key;
  readonly uid: string | undefined;
  readonly resourceVersion: string | undefined;
  /** Hash of everything that the translation gave. */
  readonly translation: string;
  readonly findings: readonly Finding[];
  readonly sources: readonly Key[];
  /** Undefined when it could not be translated: what it proposed before stays. */
  readonly proposals: readonly StoredProposal[] | undefined;
  /** What it says of statuses, its own included. */
  readonly reports: readonly StatusReport[];
  /** The slice wrote something of it to Kong, and something other than targets. */
  readonly wrote: { readonly any: boolean; readonly configuration: boolean };
  /** The slice after which a snapshot was taken that this rests on; undefined when the cluster was read in this slice. */
  readonly asOf: string | undefined;
}

/** An entity that Kong rejected. */
export interface Rejected extends EntityRef {
  readonly slot: Slot;
  readonly root: Key | undefined;
  /** Hash of what was rejected; undefined for a delete. */
  readonly hash: string | undefined;
  readonly finding: Finding;
}

/** A root that a change reaches and that is left for another slice. */
export interface Pending {
  readonly object: Key;
  readonly version: string;
  readonly root: Key;
}

/** What a slice remembers, all or nothing. */
export interface Memory {
  readonly cluster: string;
  readonly roots: readonly RootRecord[];
  /** Roots that are gone, or that are no roots any more. */
  readonly gone: readonly Key[];
  /** Changed objects that are no roots, and what they say of their own status. */
  readonly told: ReadonlyMap<Key, readonly StatusReport[]>;
  /** Objects and the query keys that they provide now; none removes the object. */
  readonly provides: Provided;
  /** Objects that were met, and query keys that they provide: what they provided before stays too, as nobody has reached its readers yet. */
  readonly met: Provided;
  /** Roots that are left, by the object that changed. */
  readonly pending: readonly Pending[];
  /** Targets that were made anew for all roots that share them. */
  readonly endpoints: readonly SharedTargets[];
  /** Keys that changed, or were read without their readers being translated. */
  readonly changes: readonly Key[];
  readonly entities: readonly KnownSlot[];
  /** Entities whose xmin is read in the same statement, as Kong's tables are in this database too. */
  readonly readBack: readonly EntityRef[];
  /** Slots that nobody holds any more. */
  readonly dropped: readonly Slot[];
  /** Slots whose earlier rejection is over. */
  readonly released: readonly Slot[];
  readonly rejected: readonly Rejected[];
  /** Intents that this slice has dealt with, its own included. */
  readonly intents: readonly Intent[];
  /** The revision to record; undefined when nothing was written. */
  readonly revision:
    | { readonly changes: number; readonly clock: Clock | undefined; readonly epoch?: number | undefined }
    | undefined;
}

/** The clock of Kong's PostgreSQL, when the index lives in another one. */
export interface Clock {
  /** RFC 3339. */
  readonly now: string;
  readonly snapshotXmax: string;
}

/** The statement. `versions`: SQL for `type, id, xmin` of Kong's rows that the relation `read_back` names. */
// Arrays rather than joins: the planner then uses the indexes whatever it guesses of the JSON's size.
const commitWith = (versions: string, endpoints: boolean): string => `
  WITH input AS MATERIALIZED (SELECT $1::jsonb AS doc),
  slice AS MATERIALIZED (SELECT nextval('kong_ingress.slices') AS number),
  meta AS (
    INSERT INTO kong_ingress.meta SELECT 'cluster', doc->>'cluster' FROM input ON CONFLICT DO NOTHING
  ),
  revision AS (
    INSERT INTO kong_ingress.revisions (written_at, snapshot_xmax, changes, shared, canary_epoch)
    SELECT coalesce((doc->'revision'->>'now')::timestamptz, clock_timestamp()),
      coalesce(doc->'revision'->>'snapshot_xmax', pg_snapshot_xmax(pg_current_snapshot())::text),
      (doc->'revision'->>'changes')::integer, jsonb_array_length(doc->'endpoints') > 0,
      (doc->'revision'->>'epoch')::bigint
    FROM input WHERE doc->'revision' <> 'null'
    RETURNING id
  ),
  done AS MATERIALIZED (SELECT jsonb_array_elements_text(doc->'done') AS root FROM input),
  proposers AS MATERIALIZED (SELECT jsonb_array_elements_text(doc->'proposers') AS root FROM input),
  new_roots AS MATERIALIZED (
    SELECT r.* FROM input, jsonb_to_recordset(doc->'roots')
      AS r(root text, uid text, resource_version text, translation text, findings jsonb, as_of bigint, wrote boolean)
  ),
  put_roots AS (
    INSERT INTO kong_ingress.roots AS r (root, uid, resource_version, translation, findings, slice, revision)
    SELECT root, uid, resource_version, translation, findings, coalesce(as_of, number),
      CASE WHEN wrote THEN (SELECT id FROM revision) END FROM new_roots, slice
    ON CONFLICT (root) DO UPDATE SET uid = excluded.uid, resource_version = excluded.resource_version,
      translation = excluded.translation, findings = excluded.findings, slice = excluded.slice,
      revision = coalesce(excluded.revision, r.revision)
  ),
  del_roots AS (
    DELETE FROM kong_ingress.roots r WHERE r.root = ANY (ARRAY(SELECT root FROM done))
      AND NOT EXISTS (SELECT FROM new_roots n WHERE n.root = r.root)
  ),
  new_sources AS MATERIALIZED (
    SELECT s.* FROM input, jsonb_to_recordset(doc->'sources') AS s(key text, root text)
  ),
  del_sources AS (
    DELETE FROM kong_ingress.sources s WHERE s.root = ANY (ARRAY(SELECT root FROM done))
      AND NOT EXISTS (SELECT FROM new_sources n WHERE n.root = s.root AND n.key = s.key)
  ),
  put_sources AS (
    INSERT INTO kong_ingress.sources (key, root) SELECT key, root FROM new_sources ON CONFLICT DO NOTHING
  ),
  new_provides AS MATERIALIZED (
    SELECT p.object, ARRAY(SELECT jsonb_array_elements_text(p.keys)) AS keys
    FROM input, jsonb_to_recordset(doc->'provides') AS p(object text, keys jsonb)
  ),
  del_provides AS (
    DELETE FROM kong_ingress.provides p USING new_provides n WHERE p.object = n.object AND n.keys = '{}'
  ),
  put_provides AS (
    INSERT INTO kong_ingress.provides AS p (object, keys) SELECT object, keys FROM new_provides WHERE keys <> '{}'
    ON CONFLICT (object) DO UPDATE SET keys = excluded.keys WHERE p.keys <> excluded.keys
  ),
  add_provides AS (
    INSERT INTO kong_ingress.provides AS p (object, keys)
    SELECT m.object, ARRAY(SELECT jsonb_array_elements_text(m.keys))
    FROM input, jsonb_to_recordset(doc->'met') AS m(object text, keys jsonb)
    ON CONFLICT (object) DO UPDATE SET keys = ARRAY(SELECT unnest(p.keys) UNION SELECT unnest(excluded.keys))
    WHERE NOT p.keys @> excluded.keys
  ),
  put_changes AS (
    INSERT INTO kong_ingress.changes (slice, key)
    SELECT number, jsonb_array_elements_text(doc->'changes') FROM input, slice
  ),
  del_pending AS (
    DELETE FROM kong_ingress.pending WHERE root = ANY (ARRAY(SELECT root FROM done))
  ),
  put_pending AS (
    INSERT INTO kong_ingress.pending (object, root, version)
    SELECT p.object, p.root, p.version
    FROM input, jsonb_to_recordset(doc->'pending') AS p(object text, root text, version text)
    ON CONFLICT (object, root) DO UPDATE SET version = excluded.version, at = excluded.at
  ),${endpoints ? PUT_ENDPOINTS : ''}
  new_proposals AS MATERIALIZED (
    SELECT p.* FROM input, jsonb_populate_recordset(null::kong_ingress.proposals, doc->'proposals') AS p
  ),
  del_proposals AS (
    DELETE FROM kong_ingress.proposals p WHERE p.root = ANY (ARRAY(SELECT root FROM proposers))
      AND NOT EXISTS (SELECT FROM new_proposals n WHERE n.root = p.root AND n.slot = p.slot)
  ),
  put_proposals AS (
    INSERT INTO kong_ingress.proposals AS p SELECT * FROM new_proposals
    ON CONFLICT (root, slot) DO UPDATE SET type = excluded.type, id = excluded.id,
      rank_class = excluded.rank_class, rank_created = excluded.rank_created, rank_name = excluded.rank_name,
      refs = excluded.refs, gate = excluded.gate, quiet = excluded.quiet, body_hash = excluded.body_hash,
      content_hash = excluded.content_hash, withheld = excluded.withheld,
      backends = excluded.backends, targets = excluded.targets
    WHERE p IS DISTINCT FROM excluded
  ),
  new_dependents AS MATERIALIZED (
    SELECT d.* FROM input, jsonb_to_recordset(doc->'dependents') AS d(slot text, root text, own boolean)
  ),
  del_dependents AS (
    DELETE FROM kong_ingress.dependents d WHERE d.root = ANY (ARRAY(SELECT root FROM proposers))
      AND NOT EXISTS (SELECT FROM new_dependents n WHERE n.root = d.root AND n.slot = d.slot)
  ),
  put_dependents AS (
    INSERT INTO kong_ingress.dependents AS d SELECT slot, root, own FROM new_dependents
    ON CONFLICT (slot, root) DO UPDATE SET own = excluded.own WHERE d.own <> excluded.own
  ),
  read_back AS MATERIALIZED (
    SELECT r.* FROM input, jsonb_to_recordset(doc->'read_back') AS r(type text, id uuid)
  ),
  versions AS MATERIALIZED (${versions}),
  put_entities AS (
    INSERT INTO kong_ingress.entities AS e
      (slot, type, id, proposed_id, root, body_hash, hash, row_version)
    SELECT n.slot, n.type, n.id, n.proposed_id, n.root, n.body_hash, n.hash, coalesce(v.xmin, n.row_version)
    FROM input, jsonb_populate_recordset(null::kong_ingress.entities, doc->'entities') AS n
      LEFT JOIN versions v ON v.type = n.type AND v.id = n.id
    ON CONFLICT (slot) DO UPDATE SET type = excluded.type, id = excluded.id, proposed_id = excluded.proposed_id,
      root = excluded.root, body_hash = excluded.body_hash, hash = excluded.hash, row_version = excluded.row_version
    WHERE e IS DISTINCT FROM excluded
  ),
  del_entities AS (
    DELETE FROM kong_ingress.entities 
    WHERE slot = ANY (ARRAY(SELECT jsonb_array_elements_text(doc->'dropped') FROM input))
  ),
  new_rejected AS MATERIALIZED (
    SELECT r.* FROM input, jsonb_to_recordset(doc->'rejected')
      AS r(slot text, type text, id uuid, root text, hash text, finding jsonb)
  ),
  put_quarantine AS (
    INSERT INTO kong_ingress.quarantine AS q
    SELECT slot, type, id, root, hash, finding, 1, now() + interval '1 minute' FROM new_rejected
    ON CONFLICT (slot) DO UPDATE SET type = excluded.type, id = excluded.id, root = excluded.root,
      hash = excluded.hash, finding = excluded.finding,
      attempts = CASE WHEN q.hash IS NOT DISTINCT FROM excluded.hash THEN q.attempts + 1 ELSE 1 END,
      retry_at = now() + CASE WHEN q.hash IS NOT DISTINCT FROM excluded.hash
        THEN least(interval '1 hour', interval '1 minute' * 2 ^ least(q.attempts, 6)) ELSE interval '1 minute' END
  ),
  del_quarantine AS (
    DELETE FROM kong_ingress.quarantine 
    WHERE slot = ANY (ARRAY(SELECT jsonb_array_elements_text(doc->'released') FROM input))
  ),
  del_intents AS (
    DELETE FROM kong_ingress.intents i USING input, jsonb_to_recordset(doc->'intents') AS d(type text, id uuid)
    WHERE i.type = d.type AND i.id = d.id
  ),
  ${COMMIT_REPORTS}
  SELECT (SELECT id::text FROM revision) AS revision,
    (SELECT coalesce(json_agg(object), '[]') FROM put_statuses WHERE dirty) AS statuses`;

type Telling = Pick<RootRecord, 'root' | 'reports' | 'wrote'>;

function toldBy(told: Memory['told']): readonly Telling[] {
  return [...told].map(([root, reports]) => ({ root, reports, wrote: { any: false, configuration: false } }));
}

function reportRows({ root, reports, wrote }: Telling): readonly object[] {
  return reports.map(({ object, content }) => ({
    root,
    object,
    content,
    wrote: wrote.any,
    rewrote: wrote.configuration && object === root && showsWaiting(content),
    shows: showsWaiting(content),
  }));
}

function document(memory: Memory): unknown {
  return {
    cluster: memory.cluster,
    done: [...memory.gone, ...memory.roots.map((item) => item.root)],
    gone: memory.gone,
    told: [...memory.told.keys()],
    proposers: [
      ...memory.gone,
      ...memory.roots.filter((item) => item.proposals !== undefined).map((item) => item.root),
    ],
    roots: memory.roots.map((item) => ({
      root: item.root,
      uid: item.uid ?? null,
      resource_version: item.resourceVersion ?? null,
      translation: item.translation,
      findings: item.findings,
      as_of: item.asOf ?? null,
      wrote: item.wrote.any,
    })),
    reports: [...memory.roots, ...toldBy(memory.told)].flatMap(reportRows),
    sources: memory.roots.flatMap((item) => item.sources.map((key) => ({ key, root: item.root }))),
    provides: [...memory.provides].map(([object, keys]) => ({ object, keys })),
    met: [...memory.met].flatMap(([object, keys]) => (keys.length === 0 ? [] : [{ object, keys }])),
    changes: memory.changes,
    pending: memory.pending,
    endpoints: toEndpointsDocument(memory.endpoints),
    proposals: memory.roots.flatMap((item) => (item.proposals ?? []).map(toProposalRow)),
    dependents: memory.roots.flatMap((item) => toDependentRows(item.proposals ?? [])),
    entities: memory.entities.map(toEntityRow),
    read_back: memory.readBack.map(({ type, id }) => ({ type, id })),
    dropped: memory.dropped,
    rejected: memory.rejected.map(({ root, hash, ...item }) => ({ ...item, root: root ?? null, hash: hash ?? null })),
    released: memory.released,
    intents: memory.intents.map(({ type, id }) => ({ type, id })),
    revision:
      memory.revision === undefined
        ? null
        : {
            changes: memory.revision.changes,
            now: memory.revision.clock?.now ?? null,
            snapshot_xmax: memory.revision.clock?.snapshotXmax ?? null,
            epoch: memory.revision.epoch ?? null,
          },
  };
}

/** What a commit gives. */
export interface Committed {
  /** Number of the revision, if one was recorded. */
  readonly revision: string | undefined;
  /** Objects whose status has something new to say. */
  readonly statuses: readonly Key[];
}

/**
 * Remembers a slice and ends its lock's transaction, in one request. Throws when the lock was lost: then nothing is
 * remembered, and the intents tell the next slice.
 */
export async function commit(lock: Lock, memory: Memory): Promise<Committed> {
  const [row] = await lock.commit(
    commitWith(
      rowVersions(
        memory.readBack.map((ref) => ref.type),
        'read_back',
      ),
      memory.endpoints.length > 0,
    ),
    document(memory),
  );
  if (!isRecord(row)) return { revision: undefined, statuses: [] };
  const { revision, statuses } = row;
  return {
    revision: typeof revision === 'string' ? revision : undefined,
    statuses: Array.isArray(statuses) ? statuses.filter((key) => typeof key === 'string') : [],
  };
}

import type { Queryable } from '../index/database.ts';
import type { KongConfig } from '../config.ts';
import type { EntityRef } from '../plan/types.ts';
import { canaryIds, type CanaryIds } from './canary.ts';
import { children } from './children.ts';
import type { Child } from './children.ts';
import { select, Values } from './database.ts';
import { ENTITIES } from './entities.ts';
import type { Body, Entity, EntityType } from './entities.ts';
import { findUnique } from './find-unique.ts';
import { isCommon, managedExpression, sharedExpression, supported, typesProbe } from './scope.ts';
import type { Scope } from './scope.ts';

/** What Kong's database says of one entity. */
export interface Version {
  /** `xmin` of the row: changes with every write, even one that changes nothing (DB §1.2). */
  readonly xmin: string;
  /** It carries our filter tags and belongs to our workspace. Anything else is never touched. */
  readonly managed: boolean;
}

/** A row that carries our tags. */
export interface ManagedRow {
  readonly id: string;
  readonly xmin: string;
  /** It may be another workspace's, which uses the same tags: its type belongs to no workspace, and there are several. */
  readonly shared?: boolean;
}

/** A row that takes up a unique key of an entity under another id. */
export interface Holder extends Version {
  readonly type: EntityType;
  readonly id: string;
  /** It is the same entity, to be taken over with its id. */
  readonly adopts: boolean;
}

/**
 * Kong's own tables, read only; which of the optional ones there are is asked once, when it matters. Every method is one statement (findUnique: two when a parent is adopted) and rejects with
 * KONG_DATABASE_UNAVAILABLE. Key material is never selected; a credential's key is compared with, never read.
 */
export interface ActualState {
  /** Whether this Kong has no table for a type, or one that knows no tags; asked only for types that not all have. */
  lacks(type: EntityType): Promise<boolean>;
  /** Of the entities that exist: id → version. */
  versions(refs: readonly EntityRef[]): Promise<ReadonlyMap<string, Version>>;
  /** Wanted id → the row of another id that holds one of its unique keys, a foreign one before a managed one. */
  findUnique(entities: readonly Entity[]): Promise<ReadonlyMap<string, Holder>>;
  /**
   * Everything that carries our filter tags in our workspace, but for the canary while it is on: afterwards it is what
   * nobody proposes. Every type that this Kong has is in the map.
   */
  managed(): Promise<ReadonlyMap<EntityType, readonly ManagedRow[]>>;
  /** Certificate id → names of the SNIs that Kong has on it, whoever made them. */
  snisOf(certificateIds: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>>;
  /** Target id → its upstream's id, for the targets that exist; those that `versions` met are known without a statement. */
  upstreamsOf(targetIds: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** Targets as the Admin API would show them; the API has no way to read many of them at once (DB §4.3). */
  targets(ids: readonly string[]): Promise<ReadonlyMap<string, Body>>;
  /** What refers to these entities: it blocks their delete or goes with it. */
  children(refs: readonly EntityRef[]): Promise<readonly Child[]>;
}

/** Target id → its upstream's id, of targets that were read: an id of ours stands for one upstream and one address. */
type Upstreams = Map<string, string>;

async function versions(
  scope: Scope,
  wanted: readonly EntityRef[],
  upstreams: Upstreams,
): Promise<ReadonlyMap<string, Version>> {
  const refs = await supported(scope, wanted);
  if (refs.length === 0) return new Map();
  const values = new Values();
  const parts = [...Map.groupBy(refs, (ref) => ref.type)].map(([type, group]) => {
    const managed = managedExpression(scope, type, 't', values);
    const ids = values.add(
      group.map((ref) => ref.id),
      'uuid[]',
    );
    const upstream = type === 'targets' ? 't.upstream_id::text' : 'NULL';
    return `SELECT t.id::text AS id, t.xmin::text AS xmin, ${managed} AS managed, ${upstream} AS upstream FROM ${ENTITIES[type].table} t WHERE t.id = ANY(${ids})`;
  });
  const rows = await select<{ id: string; xmin: string; managed: boolean; upstream: string | null }>(
    scope.pool,
    'versions',
    parts.join(' UNION ALL '),
    values.list,
  );
  for (const { id, upstream } of rows) if (upstream !== null) upstreams.set(id, upstream);
  return new Map(rows.map((row) => [row.id, { xmin: row.xmin, managed: row.managed }]));
}

async function managedEntities(
  scope: Scope,
  reserved: CanaryIds | undefined,
): Promise<ReadonlyMap<EntityType, readonly ManagedRow[]>> {
  const types = [...(await scope.types())];
  const values = new Values();
  const parts = types.map((type) => {
    const condition = managedExpression(scope, type, 't', values);
    return `SELECT '${type}' AS type, t.id::text AS id, t.xmin::text AS xmin, ${sharedExpression(type)} AS shared FROM ${ENTITIES[type].table} t WHERE ${condition}`;
  });
  const rows = await select<ManagedRow & { type: EntityType }>(
    scope.pool,
    'managed entities',
    parts.join(' UNION ALL '),
    values.list,
  );
  const groups = Map.groupBy(
    rows.filter(({ id }) => id !== reserved?.route && id !== reserved?.plugin),
    (row) => row.type,
  );
  return new Map(
    types.map((type) => [type, (groups.get(type) ?? []).map(({ id, xmin, shared = false }) => ({ id, xmin, shared }))]),
  );
}

async function snisOf(scope: Scope, ids: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
  if (ids.length === 0) return new Map();
  const rows = await select<{ certificate: string; name: string }>(
    scope.pool,
    'SNIs',
    'SELECT certificate_id::text AS certificate, name FROM snis WHERE certificate_id = ANY($1::uuid[]) ORDER BY name',
    [ids],
  );
  return new Map([...Map.groupBy(rows, (row) => row.certificate)].map(([id, of]) => [id, of.map((row) => row.name)]));
}

async function upstreamsOf(
  scope: Scope,
  ids: readonly string[],
  known: Upstreams,
): Promise<ReadonlyMap<string, string>> {
  const asked = new Set(ids);
  const met = new Map([...known].filter(([id]) => asked.has(id)));
  const unknown = ids.filter((id) => !met.has(id));
  if (unknown.length === 0) return met;
  const rows = await select<{ id: string; upstream: string }>(
    scope.pool,
    'targets',
    'SELECT id::text AS id, upstream_id::text AS upstream FROM targets WHERE id = ANY($1::uuid[])',
    [unknown],
  );
  return new Map([...met, ...rows.map((row) => [row.id, row.upstream] as const)]);
}

interface TargetRow {
  readonly id: string;
  readonly upstream: string;
  readonly target: string;
  readonly weight: number;
  readonly tags: string[] | null;
}

async function targets(scope: Scope, ids: readonly string[]): Promise<ReadonlyMap<string, Body>> {
  if (ids.length === 0) return new Map();
  const rows = await select<TargetRow>(
    scope.pool,
    'targets',
    'SELECT id::text AS id, upstream_id::text AS upstream, target, weight, tags FROM targets WHERE id = ANY($1::uuid[])',
    [ids],
  );
  return new Map(
    rows.map(({ id, upstream, target, weight, tags }) => [
      id,
      { id, upstream: { id: upstream }, target, weight, tags } satisfies Body,
    ]),
  );
}

/** Kong's state by SQL. `pool` is not closed here. */
export function actualState(
  pool: Queryable,
  config: Pick<KongConfig, 'filterTags' | 'workspace' | 'canary'>,
): ActualState {
  const reserved = config.canary === true ? canaryIds(config) : undefined;
  const scope: Scope = {
    pool,
    filterTags: config.filterTags,
    workspace: config.workspace === '' ? 'default' : config.workspace,
    types: typesProbe(pool),
  };
  const upstreams: Upstreams = new Map();
  return {
    versions: (refs) => versions(scope, refs, upstreams),
    lacks: async (type) => !isCommon(type) && !(await scope.types()).has(type),
    findUnique: async (entities) => findUnique(scope, await supported(scope, entities)),
    managed: () => managedEntities(scope, reserved),
    snisOf: (ids) => snisOf(scope, ids),
    upstreamsOf: (ids) => upstreamsOf(scope, ids, upstreams),
    targets: (ids) => targets(scope, ids),
    children: (refs) => children(scope, refs),
  };
}

import type { Overview, OverviewEntity } from '../index/overview.ts';
import type { Key } from '../kubernetes/keys.ts';
import type { ManagedRow } from '../kong/actual.ts';
import { ENTITIES, type EntityType } from '../kong/entities.ts';
import type { EntityRef } from '../plan/types.ts';
import { compareText } from '../plan/rank.ts';
import type { Slot } from '../translate/types.ts';

/** A root of the snapshot, translated. */
export interface SnapshotRoot {
  readonly root: Key;
  /** RFC 3339; older roots are worked off first, as they win slots. */
  readonly createdAt: string;
  readonly translation: string;
  /** Undefined when it could not be translated: then it keeps what it has. */
  readonly slots: readonly Slot[] | undefined;
}

/** Everything in Kong that carries our tags. */
export type Managed = ReadonlyMap<EntityType, readonly ManagedRow[]>;

/** What differs between cluster, index and Kong. */
export interface Differences {
  /** Roots to work off, the oldest first. */
  readonly roots: readonly Key[];
  /** Roots that the lists do not have any more. */
  readonly gone: readonly Key[];
  /** Entities that were changed or deleted by somebody else. */
  readonly drifted: number;
  /** Entities of ours that the snapshot does not propose. */
  readonly doomed: number;
  /** All that carries our tags. */
  readonly managed: number;
}

/** Entity id → xmin. */
export function versionsOf(managed: Managed): ReadonlyMap<string, string> {
  const versions = new Map<string, string>();
  for (const rows of managed.values()) for (const { id, xmin } of rows) versions.set(id, xmin);
  return versions;
}

/**
 * Roots whose slices repair these entities: who held them, or, when that one is gone or asks for something else now,
 * the first one that proposes the same.
 */
function repairers(
  snapshot: readonly SnapshotRoot[],
  byKey: ReadonlyMap<Key, SnapshotRoot>,
  broken: readonly OverviewEntity[],
): readonly Key[] {
  const orphaned = broken.filter(({ root, slot }) => byKey.get(root)?.slots?.includes(slot) !== true);
  const left = new Set(orphaned.map((entity) => entity.slot));
  const heirs = snapshot.filter((item) => left.size > 0 && item.slots?.filter((slot) => left.delete(slot)).length);
  return [...broken, ...heirs].map((item) => item.root);
}

/** What has to be worked off, so that cluster, index and Kong agree. Pure. */
export function differences(snapshot: readonly SnapshotRoot[], index: Overview, managed: Managed): Differences {
  const versions = versionsOf(managed);
  const byKey = new Map(snapshot.map((item) => [item.root, item]));
  const drifted = index.entities.filter(
    (entity) => entity.proposed && !entity.pending && versions.get(entity.id) !== entity.xmin,
  );
  const pending = index.entities.filter((entity) => entity.proposed && entity.pending && !entity.paused);
  const broken = [...drifted, ...pending];
  const wanted = new Set([
    ...snapshot.filter((item) => index.roots.get(item.root) !== item.translation).map((item) => item.root),
    ...repairers(snapshot, byKey, broken),
    ...index.due,
  ]);
  const slots = new Set<Slot>();
  for (const item of snapshot) for (const slot of item.slots ?? []) slots.add(slot);
  const failed = new Set(snapshot.filter((item) => item.slots === undefined).map((item) => item.root));
  const doomed = index.entities.filter(
    (entity) => versions.has(entity.id) && !slots.has(entity.slot) && !failed.has(entity.root),
  );
  return {
    roots: snapshot
      .filter((item) => wanted.has(item.root))
      .toSorted((a, b) => compareText(a.createdAt, b.createdAt) || compareText(a.root, b.root))
      .map((item) => item.root),
    gone: [...index.roots.keys()].filter((root) => !byKey.has(root)).toSorted(compareText),
    drifted: drifted.length,
    doomed: doomed.length,
    managed: versions.size,
  };
}

/**
 * What carries our tags and nobody proposes, children before what they refer to. What another workspace may have made
 * is none, unless the index knows it. Pure.
 */
export function orphansOf(index: Overview, managed: Managed): readonly EntityRef[] {
  const proposed = new Map(index.entities.map((entity) => [entity.id, entity.proposed]));
  const isOrphan = ({ id, shared = false }: ManagedRow): boolean =>
    proposed.get(id) === false || (!proposed.has(id) && !shared);
  return [...managed]
    .flatMap(([type, rows]) => rows.filter(isOrphan).map(({ id }) => ({ type, id })))
    .toSorted((a, b) => ENTITIES[b.type].level - ENTITIES[a.type].level || compareText(a.id, b.id));
}

import { ENTITIES, type Entity } from '../kong/entities.ts';
import { compareText } from './rank.ts';
import type { Change, Desired, EntityRef, Plan } from './types.ts';

type Current = Extract<Change, { action: 'delete' }>['current'];

/** What has to be done to Kong, in no order yet. */
export interface Work {
  readonly creates: readonly Desired[];
  readonly updates: readonly Desired[];
  readonly deletes: readonly Current[];
  /** Entity id → id of the entity that holds one of its unique keys, when that one gives the key up in the same plan. */
  readonly after?: ReadonlyMap<string, string>;
  /** What must not be written, and why. */
  readonly withheld?: Plan['withheld'];
}

/** The entity that a change is about. */
export function subject(change: Change): EntityRef {
  return change.action === 'delete' ? change.current : change.desired.entity;
}

function level(change: Change): number {
  return ENTITIES[subject(change).type].level;
}

function byLevel(changes: readonly Change[], descending: boolean): readonly Change[][] {
  const groups = Map.groupBy(changes, level);
  const levels = [...groups.keys()].toSorted((a, b) => (descending ? b - a : a - b));
  return levels.map((each) => (groups.get(each) ?? []).toSorted((a, b) => compareText(subject(a).id, subject(b).id)));
}

/** The ids that an entity refers to. */
export function parentsOf(entity: Entity): readonly string[] {
  return Object.keys(ENTITIES[entity.type].references).flatMap((field) => {
    const value = entity.body[field];
    const id = typeof value === 'object' && value !== null && 'id' in value ? value.id : undefined;
    return typeof id === 'string' ? [id] : [];
  });
}

/** The writes that wait by themselves, and all below them. */
function waiting(writes: readonly Change[], waitsItself: (id: string) => boolean): ReadonlySet<string> {
  const late = new Set<string>();
  for (const change of byLevel(writes, false).flat()) {
    const { id } = subject(change);
    const parents = change.action === 'delete' ? [] : parentsOf(change.desired.entity);
    if (waitsItself(id) || parents.some((parent) => late.has(parent))) late.add(id);
  }
  return late;
}

/**
 * Orders the work (DB §4.2): parents before children; the route, which makes a change live, after what it needs;
 * deletes last and in reverse, so that nothing goes before its replacement is there. Where a unique key moves from one
 * entity to another, the one that gives it up goes first. Pure; the order of the input does not matter.
 */
export function plan(work: Work): Plan {
  const after = work.after ?? new Map<string, string>();
  const writes: Change[] = [
    ...work.creates.map((desired) => ({ action: 'create' as const, desired })),
    ...work.updates.map((desired) => ({ action: 'update' as const, desired })),
  ];
  const deletes: Change[] = work.deletes.map((current) => ({ action: 'delete' as const, current }));
  const givers = new Set(after.values());
  const writing = new Set(writes.map((change) => subject(change).id));
  const late = waiting(writes, (id) => writing.has(after.get(id) ?? ''));
  const waits = (change: Change): boolean => late.has(subject(change).id);
  return {
    levels: [
      ...byLevel(
        deletes.filter((change) => givers.has(subject(change).id)),
        true,
      ),
      ...byLevel(
        writes.filter((change) => !waits(change)),
        false,
      ),
      ...byLevel(writes.filter(waits), false),
      ...byLevel(
        deletes.filter((change) => !givers.has(subject(change).id)),
        true,
      ),
    ],
    withheld: work.withheld ?? [],
  };
}

/** Every change of a plan in the order of writing. */
export function changesOf(planned: Plan): readonly Change[] {
  return planned.levels.flat();
}

import { learntSince } from '../index/freshness.ts';
import { FORGET_PROVIDED, LEARN_PROVIDED, type AllProvided, type Provided } from '../index/providers.ts';
import { keyOf, providedKeys, type Key } from '../kubernetes/keys.ts';
import { isGone } from '../kubernetes/object.ts';
import type { KubernetesObject } from '../kubernetes/resources.ts';
import { UNSELECTABLE } from '../kubernetes/selection.ts';
import { holdingLock, type SliceDependencies } from '../slice.ts';

/** Objects that one statement tells of. */
const OBJECTS_AT_ONCE = 10_000;

/** What the lists have of it and the index has not, and the other way round. */
export interface ProvidedDifferences {
  readonly unknown: Provided;
  readonly stale: Provided;
}

/** Keys of `of` that `other` does not have. */
function without(of: Provided, other: Provided): Provided {
  return new Map(
    [...of].flatMap(([object, keys]) => {
      const there = new Set(other.get(object));
      const left = keys.filter((key) => !there.has(key));
      return left.length === 0 ? [] : [[object, left] as const];
    }),
  );
}

/** Compares who provides what. New is only told of kinds that are asked for by it; what is stale goes, whatever its kind. Pure. */
export function compareProvided(objects: readonly KubernetesObject[], known: Provided): ProvidedDifferences {
  const now = new Map(
    objects.flatMap((object) => (isGone(object) ? [] : [[keyOf(object), providedKeys(object)] as const])),
  );
  const indexed = new Map([...now].filter(([key]) => UNSELECTABLE.includes(key.slice(0, key.indexOf('/')))));
  return { unknown: without(indexed, known), stale: without(known, now) };
}

function document(entries: readonly (readonly [Key, readonly Key[]])[], complete: boolean): unknown {
  return { provided: entries.map(([object, keys]) => ({ object, keys })), complete };
}

/**
 * Tells the index of what the lists show to be provided, so that from then on queries are answered from it. Does
 * nothing when it knows. Rejects with LOCK_BUSY and INDEX_* errors.
 */
export async function learnProvided(
  dependencies: SliceDependencies,
  unknown: Provided,
  before: AllProvided,
): Promise<void> {
  const entries = [...unknown];
  const until = before.complete ? entries.length : Math.max(entries.length, 1);
  for (let from = 0; from < until; from += OBJECTS_AT_ONCE) {
    const part = entries.slice(from, from + OBJECTS_AT_ONCE);
    const complete = from + OBJECTS_AT_ONCE >= until;
    await holdingLock(dependencies, (lock) => lock.commit(LEARN_PROVIDED, document(part, complete)));
  }
}

/**
 * Forgets what the lists do not show any more, after the roots that had read it were healed: until then a late event
 * has to find them by it. What a slice has learnt of since slice `asOf` stays.
 */
export async function forgetProvided(dependencies: SliceDependencies, stale: Provided, asOf: string): Promise<void> {
  if (stale.size === 0) return;
  await holdingLock(dependencies, async (lock) => {
    const newer = await learntSince(lock, asOf);
    const entries = [...stale].filter(([object]) => !newer.has(object));
    await lock.commit(FORGET_PROVIDED, document(entries, false));
  });
}

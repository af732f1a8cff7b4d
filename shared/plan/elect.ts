import { keyOfRef, type Key } from '../kubernetes/keys.ts';
import { ENTITIES } from '../kong/entities.ts';
import type { Slot } from '../translate/types.ts';
import type { Candidate } from './candidate.ts';
import { compareProposals } from './rank.ts';

/** Why a candidate does not count. */
export type Reason = 'gate' | 'parent' | 'reference';

/** Who won each slot, and who did not count and why. */
export interface Election {
  readonly winners: ReadonlyMap<Slot, Candidate>;
  readonly withheld: ReadonlyMap<Candidate, { readonly reason: Reason; readonly slot: Slot }>;
}

type Withheld = Map<Candidate, { readonly reason: Reason; readonly slot: Slot }>;

function best(candidates: Iterable<Candidate>): Map<Slot, Candidate> {
  const winners = new Map<Slot, Candidate>();
  for (const candidate of candidates) {
    const current = winners.get(candidate.slot);
    if (current === undefined || compareProposals(candidate, current) < 0) winners.set(candidate.slot, candidate);
  }
  return winners;
}

function sameRoot(a: Candidate, b: Candidate): boolean {
  return keyOfRef(a.root) === keyOfRef(b.root);
}

/** What each root itself proposes for a slot (its best proposal, as no other can win). */
function ownProposals(candidates: readonly Candidate[]): ReadonlyMap<Key, ReadonlyMap<Slot, Candidate>> {
  const byRoot = Map.groupBy(candidates, (item) => keyOfRef(item.root));
  return new Map([...byRoot].map(([root, items]) => [root, best(items)]));
}

function failure(
  item: Candidate,
  winners: ReadonlyMap<Slot, Candidate>,
  own: ReadonlyMap<Slot, Candidate> | undefined,
): { readonly reason: Reason; readonly slot: Slot } | undefined {
  for (const ref of Object.values(item.refs)) {
    const winner = winners.get(ref.slot);
    if (winner === undefined) return { reason: 'reference', slot: ref.slot };
    if (ref.own !== true || sameRoot(winner, item)) continue;
    if (own?.get(ref.slot)?.contentHash !== winner.contentHash) return { reason: 'parent', slot: ref.slot };
  }
  return undefined;
}

/**
 * The best-ranked candidate of every slot. Candidates whose gate another root won do not count; neither do those
 * whose own version of a parent lost, or that refer to a slot nobody fills. `trusted` are candidates known to count
 * (stored proposals of roots outside the slice): only their rank is looked at. Parents are settled before children,
 * so the result does not depend on the order of the candidates.
 */
export function elect(candidates: readonly Candidate[], trusted: readonly Candidate[] = []): Election {
  const withheld: Withheld = new Map();
  const own = ownProposals(candidates);
  for (;;) {
    const standing = candidates.filter((item) => !withheld.has(item));
    const gates = best([...standing, ...trusted]);
    const open: Candidate[] = [];
    const gated: Withheld = new Map();
    for (const item of standing) {
      const holder = item.gate === undefined ? undefined : gates.get(item.gate);
      if (item.gate === undefined || (holder !== undefined && sameRoot(holder, item))) open.push(item);
      else gated.set(item, { reason: 'gate', slot: item.gate });
    }
    const winners = best([...open, ...trusted]);
    const failed = lowest(open, winners, own);
    if (failed.size === 0) return { winners, withheld: new Map([...withheld, ...gated]) };
    for (const [item, reason] of failed) withheld.set(item, reason);
  }
}

/** The failures of the lowest level that has any: those above may be cured by what these give up. */
function lowest(
  open: readonly Candidate[],
  winners: ReadonlyMap<Slot, Candidate>,
  own: ReadonlyMap<Key, ReadonlyMap<Slot, Candidate>>,
): Withheld {
  let level = Number.POSITIVE_INFINITY;
  let failed: Withheld = new Map();
  for (const item of open) {
    const { level: mine } = ENTITIES[item.type];
    if (mine > level) continue;
    const why = failure(item, winners, own.get(keyOfRef(item.root)));
    if (why === undefined) continue;
    if (mine < level) failed = new Map();
    level = mine;
    failed.set(item, why);
  }
  return failed;
}

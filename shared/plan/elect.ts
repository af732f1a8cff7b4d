import { keyOfRef, type Key } from '../kubernetes/keys.ts';
import { ENTITIES } from '../kong/entities.ts';
import type { ObjectRef } from '../kubernetes/resources.ts';
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
  return a.root === b.root || keyOfRef(a.root) === keyOfRef(b.root);
}

/** What a root itself proposes for a slot (its best proposal, as no other can win). */
type Own = (root: ObjectRef, slot: Slot) => Candidate | undefined;

/** Grouped when the first one is asked for: few elections need it. */
function ownProposals(candidates: readonly Candidate[]): Own {
  let byRoot: ReadonlyMap<Key, ReadonlyMap<Slot, Candidate>> | undefined;
  return (root, slot) => {
    byRoot ??= new Map(
      Array.from(
        Map.groupBy(candidates, (item) => keyOfRef(item.root)),
        ([key, items]) => [key, best(items)],
      ),
    );
    return byRoot.get(keyOfRef(root))?.get(slot);
  };
}

function failure(
  item: Candidate,
  winners: ReadonlyMap<Slot, Candidate>,
  own: Own,
): { readonly reason: Reason; readonly slot: Slot } | undefined {
  for (const field in item.refs) {
    const ref = item.refs[field];
    if (ref === undefined) continue;
    const winner = winners.get(ref.slot);
    if (winner === undefined) return { reason: 'reference', slot: ref.slot };
    if (ref.own !== true || sameRoot(winner, item)) continue;
    if (own(item.root, ref.slot)?.contentHash !== winner.contentHash) return { reason: 'parent', slot: ref.slot };
  }
  return undefined;
}

/** Whether somebody else has won the gate that a candidate hangs on. */
function losesGate(item: Candidate, gates: ReadonlyMap<Slot, Candidate>): boolean {
  const holder = item.gate === undefined ? undefined : gates.get(item.gate);
  return holder !== undefined && !sameRoot(holder, item);
}

/** An election in which it is settled who holds the gates. Parents are settled before children. */
function electWithin(
  standing: readonly Candidate[],
  trusted: readonly Candidate[],
  gates: ReadonlyMap<Slot, Candidate>,
): { readonly winners: Map<Slot, Candidate>; readonly withheld: Withheld } {
  const withheld: Withheld = new Map();
  for (const item of standing) {
    if (item.gate !== undefined && (gates.get(item.gate) === undefined || losesGate(item, gates))) {
      withheld.set(item, { reason: 'gate', slot: item.gate });
    }
  }
  const counting = trusted.filter((item) => !losesGate(item, gates));
  const own = ownProposals(standing);
  for (;;) {
    const open = standing.filter((item) => !withheld.has(item));
    const winners = best([...open, ...counting]);
    const failed = lowest(open, winners, own);
    if (failed.size === 0) return { winners, withheld };
    for (const [item, why] of failed) withheld.set(item, why);
  }
}

/**
 * The best-ranked candidate of every slot. Candidates whose gate another root won do not count; neither do those
 * whose own version of a parent lost, or that refer to a slot nobody fills. Who holds a gate and does not count itself
 * gives it up, and everything is looked at again. `trusted` are candidates known to count (stored proposals of roots
 * outside the slice): only their rank and gate are looked at. A slot that is a gate is not gated itself. The result
 * does not depend on the order of the candidates.
 */
export function elect(candidates: readonly Candidate[], trusted: readonly Candidate[] = []): Election {
  const names = new Set<Slot>();
  for (const list of [candidates, trusted]) for (const { gate } of list) if (gate !== undefined) names.add(gate);
  const failed: Withheld = new Map();
  for (;;) {
    const standing = candidates.filter((item) => !failed.has(item));
    const gates = best([...standing, ...trusted].filter((item) => names.has(item.slot)));
    const { winners, withheld } = electWithin(standing, trusted, gates);
    const holders = [...gates.values()].filter((holder) => withheld.has(holder));
    if (holders.length === 0) return { winners, withheld: new Map([...failed, ...withheld]) };
    for (const holder of holders) {
      const why = withheld.get(holder);
      if (why !== undefined) failed.set(holder, why);
    }
  }
}

/** The failures of the lowest level that has any: those above may be cured by what these give up. */
function lowest(open: readonly Candidate[], winners: ReadonlyMap<Slot, Candidate>, own: Own): Withheld {
  let level = Number.POSITIVE_INFINITY;
  let failed: Withheld = new Map();
  for (const item of open) {
    const { level: mine } = ENTITIES[item.type];
    if (mine > level) continue;
    const why = failure(item, winners, own);
    if (why === undefined) continue;
    if (mine < level) failed = new Map();
    level = mine;
    failed.set(item, why);
  }
  return failed;
}

import { keyOfRef, type Key } from '../kubernetes/keys.ts';
import type { Slot } from '../translate/types.ts';
import type { Resolution, Winner } from './resolve.ts';
import type { KnownSlot, StoredProposal } from './types.ts';

/** What the index says about a slot that a slice touches. */
export interface SlotState {
  readonly slot: Slot;
  /** Who held it before. */
  readonly known?: KnownSlot;
  /** The best proposal of a root outside the slice. */
  readonly outside?: StoredProposal;
  /** A root outside refers to it. */
  readonly referenced: boolean;
  /** A root outside refers to it as its own, or hangs on winning it. */
  readonly owned: boolean;
}

/** Who must be translated too before the slots are settled. */
export interface Joins {
  /** Roots whose bodies are needed, or who lost a slot. */
  readonly roots: readonly Key[];
  /** Every root that refers to these slots. */
  readonly dependentsOf: readonly Slot[];
  /** Roots that need their own version of these slots, or hang on winning them. */
  readonly ownersOf: readonly Slot[];
}

function changed(known: KnownSlot | undefined, winner: Winner): boolean {
  return known === undefined || known.bodyHash !== winner.bodyHash || known.proposedId !== winner.proposedId;
}

function rootsFor(state: SlotState, winner: Winner | undefined, hasBody: boolean, inside: ReadonlySet<Key>): Key[] {
  const roots: Key[] = [];
  const holder = winner === undefined ? undefined : keyOfRef(winner.root);
  if (winner !== undefined && holder !== undefined && !inside.has(holder) && !hasBody && changed(state.known, winner)) {
    roots.push(holder);
  }
  // A loser finds out that it lost, and withholds what hung on the slot.
  const former = state.known === undefined ? undefined : keyOfRef(state.known.root);
  if (former !== undefined && former !== holder && !inside.has(former) && state.outside !== undefined)
    roots.push(former);
  return roots;
}

/**
 * Which roots outside must join the slice, given what it resolved to: winners whose body is needed, roots that lost a
 * slot, and what refers to a slot whose winner changed. `inside` are the keys of the slice's roots.
 */
export function joins(resolution: Resolution, states: ReadonlyMap<Slot, SlotState>, inside: ReadonlySet<Key>): Joins {
  const roots = new Set<Key>();
  const dependentsOf: Slot[] = [];
  const ownersOf: Slot[] = [];
  const bodies = new Set(resolution.desired.map((item) => item.slot));
  for (const state of states.values()) {
    const winner = resolution.winners.get(state.slot);
    for (const root of rootsFor(state, winner, bodies.has(state.slot), inside)) roots.add(root);
    if (state.known?.id !== winner?.id) {
      if (state.referenced) dependentsOf.push(state.slot);
      continue;
    }
    const sameHolder = winner === undefined || (state.known !== undefined && sameRoot(state.known, winner));
    const sameBody = winner === undefined || !changed(state.known, winner);
    if (state.owned && !(sameHolder && sameBody)) ownersOf.push(state.slot);
  }
  return { roots: [...roots], dependentsOf, ownersOf };
}

function sameRoot(a: Pick<KnownSlot, 'root'>, b: Pick<Winner, 'root'>): boolean {
  return keyOfRef(a.root) === keyOfRef(b.root);
}

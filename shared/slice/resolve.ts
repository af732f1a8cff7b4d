import type { Loaded } from '../index/index.ts';
import { resolve, type Adoption, type Resolution } from '../plan/resolve.ts';
import type { Proposal, Slot } from '../translate/types.ts';

/** Adoptions that the index remembers, and those that were found just now. */
function adoptions(loaded: Loaded, found: ReadonlyMap<Slot, Adoption> = new Map()): ReadonlyMap<Slot, Adoption> {
  const known = [...loaded.slots.values()].flatMap((state) =>
    state.known === undefined || state.known.id === state.known.proposedId
      ? []
      : [[state.slot, { proposedId: state.known.proposedId, id: state.known.id }] as const],
  );
  return new Map([...known, ...found]);
}

/** Elects the slots that a slice touches. */
export function resolveLoaded(
  proposals: readonly Proposal[],
  loaded: Loaded,
  filterTags: readonly string[],
  found?: ReadonlyMap<Slot, Adoption>,
): Resolution {
  return resolve(proposals, {
    filterTags,
    outside: [...loaded.slots.values()].flatMap((state) => state.outside ?? []),
    adopted: adoptions(loaded, found),
  });
}

import { canonicalJson, hashOfText } from '../hash.ts';
import type { Json } from '../kong/entities.ts';
import type { Proposal } from '../translate/types.ts';
import type { StoredProposal } from './types.ts';

/** A proposal in an election, with its body when its root is in the slice. */
export interface Candidate extends Omit<StoredProposal, 'withheld'> {
  readonly proposal?: Proposal;
}

function refsJson(refs: Proposal['refs']): Json {
  return Object.fromEntries(
    Object.entries(refs).map(([field, ref]) => [
      field,
      ref.own === true ? { slot: ref.slot, own: true } : { slot: ref.slot },
    ]),
  );
}

/** SHA-256 of body and refs (equal ones are shared) and of body, tags and refs (equal ones make the same entity). */
function hashesOf({ type, body, tags, refs }: Proposal): Pick<Candidate, 'contentHash' | 'bodyHash'> {
  const head = `[${canonicalJson(type)},${canonicalJson(body)}`;
  const tail = `${canonicalJson(refsJson(refs))}]`;
  return {
    contentHash: hashOfText(`${head},${tail}`),
    bodyHash: hashOfText(`${head},${canonicalJson(tags)},${tail}`),
  };
}

/** SHA-256 of body, tags and refs: equal ones make the same entity. */
export function bodyHash(proposal: Proposal): string {
  return hashesOf(proposal).bodyHash;
}

/** A proposal of the slice as a candidate. */
export function candidate(proposal: Proposal): Candidate {
  const { slot, type, id, root, rank, refs, gate, quiet, backends } = proposal;
  return {
    slot,
    type,
    id,
    root,
    rank,
    refs,
    ...(gate === undefined ? {} : { gate }),
    ...(quiet === undefined ? {} : { quiet }),
    ...(backends === undefined ? {} : { backends }),
    ...hashesOf(proposal),
    proposal,
  };
}

/** What the index keeps of a candidate. */
export function stored(item: Candidate, withheld: boolean): StoredProposal {
  const { proposal: _, ...rest } = item;
  return { ...rest, withheld };
}

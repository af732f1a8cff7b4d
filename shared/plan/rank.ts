import { keyOfRef } from '../kubernetes/keys.ts';
import type { ObjectRef } from '../kubernetes/resources.ts';
import type { Rank } from '../translate/types.ts';

/** By code unit, as the index sorts (collation "C"). */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The better rank first: class, then age, then name. */
export function compareRank(a: Rank, b: Rank): number {
  return a.class - b.class || compareText(a.createdAt, b.createdAt) || compareText(a.name, b.name);
}

/** Of two proposals for a slot the one that wins first; the root decides between equal ranks, so the order is total. */
export function compareProposals<
  P extends { readonly rank: Rank; readonly root: ObjectRef; readonly bodyHash: string },
>(a: P, b: P): number {
  return (
    compareRank(a.rank, b.rank) ||
    compareText(keyOfRef(a.root), keyOfRef(b.root)) ||
    compareText(a.bodyHash, b.bodyHash)
  );
}

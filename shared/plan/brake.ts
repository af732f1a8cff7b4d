/** Share of the managed entities that one run may delete. */
const LARGEST_SHARE = 0.3;
/** Fewer deletes than this are never held back. */
const FEW = 10;

/**
 * Whether so many deletes at once must be held back: more than 30 % of what is managed, and at least 10. Such a run
 * more often means a wrong setting or an emptied list than a wish (DESIGN §5).
 */
export function brakes(deletes: number, managed: number, forced: boolean): boolean {
  return !forced && deletes >= FEW && deletes > managed * LARGEST_SHARE;
}

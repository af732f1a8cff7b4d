import type { Converged } from '../convergence/converge.ts';
import type { Verdict } from '../convergence/types.ts';

/** The weakest first: what holds for every data plane is what holds for the weakest proof. */
const STRENGTH = ['bounded', 'stored', 'serving'] as const;

const SAYS: Readonly<Record<(typeof STRENGTH)[number], string>> = {
  bounded: 'the longest delay is over, which is all that is known',
  stored: 'each holds it, and the time of a rebuild has passed since',
  serving: 'each was seen serving it',
};

function weakest(verdicts: readonly Verdict[]): Verdict | undefined {
  return STRENGTH.flatMap((proof) => verdicts.find((item) => item.proof === proof) ?? [])[0];
}

/**
 * How a run knows that every live data plane runs a revision, for people; undefined when an earlier run proved it and
 * this one's evidence does not. Pure.
 */
export function proofOf(
  revision: string,
  { proven, verdicts }: Pick<Converged, 'proven' | 'verdicts'>,
): string | undefined {
  const planes = verdicts.filter((item) => item.state === 'converged');
  const verdict = weakest(planes);
  const isWhole = verdicts.every(({ state }) => state === 'converged' || state === 'incompatible');
  if (proven !== revision || !isWhole || verdict?.proof === undefined) return undefined;
  const margin = verdict.marginMs === undefined ? '' : ` (margin ${verdict.marginMs} ms)`;
  const run = planes.length === 1 ? 'The live data plane runs' : `All ${planes.length} live data planes run`;
  return `${run} revision ${revision}: ${SAYS[verdict.proof]}${margin}. Proof: ${verdict.proof}, by ${verdict.evidence}.`;
}

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
 * How a run knows that every live data plane runs a revision, for people; undefined when another run proved it, whose
 * evidence is not at hand. Pure.
 */
export function proofOf(
  revision: string,
  { converged, verdicts }: Pick<Converged, 'converged' | 'verdicts'>,
): string | undefined {
  const proven = verdicts.filter((item) => item.state === 'converged');
  const verdict = weakest(proven);
  if (!converged.includes(revision) || verdict?.proof === undefined) return undefined;
  const margin = verdict.marginMs === undefined ? '' : ` (margin ${verdict.marginMs} ms)`;
  const planes = proven.length === 1 ? 'The live data plane runs' : `All ${proven.length} live data planes run`;
  return `${planes} revision ${revision}: ${SAYS[verdict.proof]}${margin}. Proof: ${verdict.proof}, by ${verdict.evidence}.`;
}

import type { Opinion, Unavailable } from './opinion-verdict.ts';
import type { Revision } from './types.ts';

/** Fresh connections that must answer in a row: Kong's workers share them out among themselves (CV §5). */
export const CONNECTIONS = 25;

/** What probing one proxy gave. */
export interface CanarySeen {
  /** By connection: the newest epoch that was asked for and that router and plugins have; undefined: none of them. */
  readonly answers: readonly (number | undefined)[];
  /** Why there are no more answers; undefined when there are all. */
  readonly failure: string | undefined;
}

/**
 * What the canary says of a proxy; `revisions` newest first. One connection with an older epoch means that it is being
 * applied; without all the answers there is no evidence that it is not. Pure.
 */
export function canaryOpinion(revisions: readonly Revision[], seen: CanarySeen): Opinion | Unavailable {
  const evidence = 'canary';
  const epoch = revisions[0]?.epoch;
  if (epoch === undefined) return { evidence, unavailable: 'the newest revision was written without it' };
  const late = seen.answers.filter((answer) => answer === undefined || answer < epoch).length;
  const isComplete = seen.failure === undefined && seen.answers.length >= CONNECTIONS;
  if (late === 0 && !isComplete) return { evidence, unavailable: seen.failure ?? 'too few connections were made' };
  const least = isComplete ? Math.min(...seen.answers.map((answer) => answer ?? -Infinity)) : -Infinity;
  const revision = revisions.find((item) => item.epoch !== undefined && item.epoch <= least)?.id;
  const common = { evidence, revision, marginMs: undefined } as const;
  return late === 0
    ? { ...common, state: 'converged', proof: 'serving', reason: `it served the canary on ${CONNECTIONS} connections` }
    : {
        ...common,
        state: 'applying',
        proof: undefined,
        reason: `${late} of ${seen.answers.length} connections to its proxy did not serve the canary of the newest revision`,
      };
}

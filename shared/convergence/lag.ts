import type { RevisionRecord } from './revisions.ts';
import type { Verdict } from './types.ts';

/** How far a data plane is behind what is written. */
export interface Lag {
  /** Revisions that are not proven to be on it. */
  readonly revisions: number;
  /** Since the oldest of them was written, s. */
  readonly seconds: number;
}

const NONE: Lag = { revisions: 0, seconds: 0 };

/** Where in `revisions` the newest one stands that the data plane surely has. */
function provenPlace({ revision }: Pick<Verdict, 'revision'>, revisions: readonly RevisionRecord[]): number {
  const own = revisions.findIndex(({ id }) => id === revision);
  if (own >= 0) return own;
  // Not the newest one, or the verdict would say so; what all had before counts.
  const before = revisions.findIndex(({ convergedAt }, place) => place > 0 && convergedAt !== undefined);
  return before < 0 ? revisions.length : before;
}

/**
 * How far a data plane is behind `revisions` (newest first) at `now`, ms of the clock of their times; undefined when
 * nothing is known of it. Pure.
 */
export function lagOf(
  verdict: Pick<Verdict, 'state' | 'revision'>,
  revisions: readonly RevisionRecord[],
  now: number,
): Lag | undefined {
  if (verdict.state === 'converged') return NONE;
  if (verdict.state === 'unknown' && verdict.revision === undefined) return undefined;
  const behind = revisions.slice(0, provenPlace(verdict, revisions));
  const oldest = behind.at(-1);
  if (oldest === undefined) return NONE;
  return { revisions: behind.length, seconds: Math.max(0, now - oldest.writtenAt) / 1000 };
}

import type { Revision, Verdict } from './types.ts';

/** Time since the newest revision was written, ms; `revisions` newest first, `now` by the same clock as theirs. Pure. */
export function sinceWrite(facts: {
  readonly now: number;
  readonly revisions: readonly Revision[];
}): Verdict['sinceWriteMs'] {
  const [newest] = facts.revisions;
  return newest === undefined ? undefined : Math.max(0, Math.round(facts.now - newest.writtenAt));
}

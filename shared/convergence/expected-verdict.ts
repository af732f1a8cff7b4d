import { blank, hadBefore, margin, reading, seconds, unusable, without } from './row-verdict.ts';
import type { Judged, RowFacts, Said } from './row-verdict.ts';
import type { Opinion } from './opinion-verdict.ts';
import type { DataPlaneRow, Evidence, Revision } from './types.ts';

/** What data planes must have, as somebody knows who does not ask them. */
export interface Expected {
  readonly evidence: Extract<Evidence, 'shadow' | 'fence'>;
  /** Place in the revisions, newest first, of the newest one that a hash or version is known to hold; undefined: none. */
  readonly holds: (hash: string) => number | undefined;
}

function judge(row: DataPlaneRow, { holds }: Expected, revision: Revision, place: number, facts: RowFacts): Said {
  const { hash, since } = reading(row);
  const held = holds(hash);
  if (held !== undefined && held <= place) {
    const left = since + margin(row, facts) - facts.now;
    return left <= 0
      ? { state: 'converged', reason: 'it holds the configuration that has the last write' }
      : { state: 'applying', reason: `it holds the configuration; its workers get ${seconds(left)} more` };
  }
  if (hadBefore(row, revision, facts)) return { state: 'converged', reason: 'it had the revision before' };
  return without(row, revision, place, facts);
}

/** What a row means in the light of what is expected. Pure. */
export function expected(row: DataPlaneRow, source: Expected, facts: RowFacts): Opinion {
  const useless = unusable(row, facts);
  const judged = facts.revisions.map((revision, place): Judged => ({
    row,
    ...(useless ?? judge(row, source, revision, place, facts)),
  }));
  return { ...blank(judged, facts), evidence: source.evidence };
}

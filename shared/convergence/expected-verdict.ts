import { blank, hadBefore, margin, reading, seconds, unusable, without } from './row-verdict.ts';
import type { Judged, RowFacts, Said } from './row-verdict.ts';
import type { Opinion } from './opinion-verdict.ts';
import type { DataPlaneRow, Evidence, Revision } from './types.ts';

/** What data planes must have, as somebody knows who does not ask them. */
export interface Expected {
  readonly evidence: Extract<Evidence, 'shadow' | 'fence'>;
  /** Place in the revisions, newest first, of the newest one that a hash or version is known to hold; undefined: none. */
  readonly holds: (hash: string) => number | undefined;
  /** Place of the newest revision that anything is known to hold; undefined: none. */
  readonly newest: number | undefined;
  /** What is waited in addition to a rebuild, ms: with sync v2 workers look for changes by a timer. */
  readonly extraMarginMs: number;
}

const WHERE: Readonly<Record<Expected['evidence'], string>> = {
  shadow: 'no configuration of a control plane was seen with the write',
  fence: 'no version of sync v2 was given out after the write',
};

function judge(
  row: DataPlaneRow,
  { holds, newest, evidence }: Expected,
  revision: Revision,
  place: number,
  facts: RowFacts,
): Said {
  const { hash, since } = reading(row);
  const held = holds(hash);
  if (held !== undefined && held <= place) {
    const left = since + margin(row, facts) - facts.now;
    return left <= 0
      ? { state: 'converged', reason: 'it holds the configuration that has the last write' }
      : { state: 'applying', reason: `it holds the configuration; its workers get ${seconds(left)} more` };
  }
  if (hadBefore(row, revision, facts)) return { state: 'converged', reason: 'it had the revision before' };
  const said = without(row, revision, place, facts);
  const pushed = newest !== undefined && newest <= place;
  if (pushed || said.state === 'partitioned') return said;
  // Nobody can refuse what nobody was given.
  return { state: said.state === 'rejecting' ? 'unknown' : said.state, reason: `${WHERE[evidence]} yet` };
}

/** What a row means in the light of what is expected. Pure. */
export function expected(row: DataPlaneRow, source: Expected, facts: RowFacts): Opinion {
  const own = { ...facts, marginMs: facts.marginMs + source.extraMarginMs };
  const useless = unusable(row, facts);
  const judged = facts.revisions.map((revision, place): Judged => ({
    row,
    ...(useless ?? judge(row, source, revision, place, own)),
  }));
  return { ...blank(judged, own), evidence: source.evidence };
}

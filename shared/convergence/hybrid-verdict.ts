import { agreement } from './agreement-verdict.ts';
import { expected } from './expected-verdict.ts';
import type { Expected } from './expected-verdict.ts';
import { liveRows, missingNodes } from './live-verdict.ts';
import type { LiveFacts } from './live-verdict.ts';
import { strongest } from './opinion-verdict.ts';
import type { Opinion, Unavailable } from './opinion-verdict.ts';
import type { RowFacts } from './row-verdict.ts';
import { sinceWrite } from './since-verdict.ts';
import type { DataPlaneRow, Verdict } from './types.ts';

export type { LiveSet } from './live-verdict.ts';

/** Everything that the verdicts of hybrid mode are made of. Times are ms of the clock of Kong's PostgreSQL. */
export interface HybridFacts extends LiveFacts, RowFacts {
  /** What control planes say that data planes must have; undefined: nobody asks them. */
  readonly shadow?: Expected | Unavailable;
  /** The same by the versions of sync v2. */
  readonly fence?: Expected | Unavailable;
  /** By row id: why its Status API, which was asked, did not say what it has. */
  readonly silent?: ReadonlyMap<string, string>;
  /** By row id: what was seen of the canary. */
  readonly canaries?: ReadonlyMap<string, Opinion | Unavailable>;
}

function opinions(row: DataPlaneRow, facts: HybridFacts, agreed: ReadonlyMap<string, Opinion | Unavailable>): Opinion {
  const canary = facts.canaries?.get(row.id);
  const others = [facts.shadow, facts.fence].flatMap((source) =>
    source === undefined ? [] : ['unavailable' in source ? source : expected(row, source, facts)],
  );
  const agreeing = agreed.get(row.id);
  const silent = facts.silent?.get(row.id);
  const weaker = [
    ...others,
    ...(silent === undefined ? [] : [{ evidence: 'status', unavailable: silent } as const]),
    ...(agreeing === undefined ? [] : [agreeing]),
  ];
  if (canary === undefined) return strongest(weaker);
  // That it never will is more than that it does not serve it yet.
  const never = 'state' in canary && canary.state === 'applying' && strongest(weaker).state === 'incompatible';
  return strongest(never ? weaker : [canary, ...weaker]);
}

/** A pod that is ready serves something; of a mere name that is not known. */
function absent(name: string, { live }: LiveFacts): Opinion & Pick<Verdict, 'node' | 'name'> {
  return {
    node: name,
    name,
    state: live.kind === 'pods' ? 'partitioned' : 'unknown',
    revision: undefined,
    evidence: 'agreement',
    proof: undefined,
    marginMs: undefined,
    reason: 'no control plane has ever heard of it',
  };
}

/**
 * Verdicts of hybrid mode. Each data plane is judged by the strongest evidence that there is of it: the canary, what a
 * control plane is known to push (shadow) or to have numbered (fence), or the agreement of the data planes. Pure.
 */
export function hybridVerdicts(facts: HybridFacts): readonly Verdict[] {
  const rows = liveRows(facts);
  const agreed = agreement(rows, facts);
  const present = rows.map((row) => ({ node: row.id, name: row.hostname, ...opinions(row, facts, agreed) }));
  return [...present, ...missingNodes(facts).map((name) => absent(name, facts))]
    .map((verdict): Verdict => ({ ...verdict, sinceWriteMs: sinceWrite(facts) }))
    .toSorted((a, b) => (a.node < b.node ? -1 : 1));
}

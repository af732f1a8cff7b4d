import { sinceWrite } from './since-verdict.ts';
import type { Revision, Verdict } from './types.ts';

/** How late Kong's cluster events can come after the write when it is very busy, ms (CV "side fact": up to 45 s). */
export const EVENT_GRACE_MS = 60_000;

/** A traditional node, as it describes itself. */
export interface NodeFacts {
  /** Host and port of its Admin API. */
  readonly node: string;
  /** Longest time from a cluster event to every worker serving it, ms: see `boundMs`; undefined when it does not answer. */
  readonly boundMs: number | undefined;
}

/** Everything that the verdicts are made of. Times are ms of the clock of Kong's PostgreSQL. */
export interface TraditionalFacts {
  readonly now: number;
  /** Newest first; the newest one, and those that have not converged. */
  readonly revisions: readonly Revision[];
  /** By place in `revisions`: the last cluster event until `EVENT_GRACE_MS` after the write; undefined: none. */
  readonly lastEvents: readonly (number | undefined)[];
  readonly nodes: readonly NodeFacts[];
}

type Judged = Pick<Verdict, 'state' | 'reason'>;

function judge(node: NodeFacts, revision: Revision, lastEvent: number | undefined, now: number): Judged {
  if (node.boundMs === undefined) return { state: 'unknown', reason: 'its Admin API does not answer' };
  if (lastEvent === undefined) {
    return now - revision.writtenAt <= EVENT_GRACE_MS
      ? { state: 'applying', reason: 'Kong has not announced the write to its nodes yet' }
      : { state: 'unknown', reason: 'Kong never announced the write to its nodes (no row in cluster_events)' };
  }
  const left = Math.max(revision.writtenAt, lastEvent) + node.boundMs - now;
  return left <= 0
    ? {
        state: 'converged',
        reason: 'the longest delay is over; a node that cannot read the database would not be seen',
      }
    : { state: 'applying', reason: `the longest delay ends in ${(left / 1000).toFixed(1)} s` };
}

function verdict(node: NodeFacts, facts: TraditionalFacts): Verdict {
  const judged = facts.revisions.map((revision, place) => judge(node, revision, facts.lastEvents[place], facts.now));
  const proven = judged.findIndex((item) => item.state === 'converged');
  const { state, reason } = judged[0] ?? { state: 'unknown', reason: 'nothing has been written yet' };
  return {
    node: node.node,
    name: node.node,
    state,
    revision: facts.revisions[proven]?.id,
    evidence: 'bound',
    proof: state === 'converged' ? 'bounded' : undefined,
    marginMs: undefined,
    reason,
    sinceWriteMs: sinceWrite(facts),
  };
}

/**
 * Verdicts of traditional mode by the bound (DB §3.2): nodes leave no trace of what they read, so that only the
 * longest possible delay after the last cluster event can be waited for. Pure.
 */
export function traditionalVerdicts(facts: TraditionalFacts): readonly Verdict[] {
  return facts.nodes.map((node) => verdict(node, facts));
}

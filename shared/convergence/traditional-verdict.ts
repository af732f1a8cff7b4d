import { strongest } from './opinion-verdict.ts';
import type { Opinion, Unavailable } from './opinion-verdict.ts';
import { seconds } from './row-verdict.ts';
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
  /** The same from an outdated cache on, ms: see `rebuildMs`. */
  readonly rebuildMs: number;
  /** What its cache holds under the keys that workers look at; a key that could not be read is missing. */
  readonly versions: readonly {
    readonly key: string;
    readonly since: number;
    readonly floor: number;
    readonly dropped: boolean;
  }[];
}

/** What Kong announced to its nodes around a revision. Times are ms. */
export interface Invalidations {
  /** The last announcement. */
  readonly last: number;
  /** Cache key → when it was last announced to be out of date, of the keys that workers look at. */
  readonly versions: Readonly<Record<string, number>>;
  /** Upstreams or targets are among them, which nodes hear of by polling alone. */
  readonly balancer: boolean;
}

/** Everything that the verdicts are made of. Times are ms of the clock of Kong's PostgreSQL. */
export interface TraditionalFacts {
  readonly now: number;
  /** Newest first; the newest one, and those that have not converged. */
  readonly revisions: readonly Revision[];
  /** By place in `revisions`: what was announced until `EVENT_GRACE_MS` after the write; undefined: nothing. */
  readonly lastEvents: readonly (Invalidations | undefined)[];
  readonly nodes: readonly NodeFacts[];
  /** Nodes may have been told by us (`pushInvalidate`): then a changed cache does not mean that they have polled. */
  readonly told: boolean;
  /** By node: what was seen of the canary. */
  readonly canaries?: ReadonlyMap<string, Opinion | Unavailable>;
}

type Judged = Pick<Verdict, 'state' | 'reason'>;

/** When all events of a revision were announced, ms. The baseline was announced to nobody: it is older than every event. */
function announcedAt(revision: Revision, events: Invalidations | undefined): number | undefined {
  if (revision.changes === 0) return revision.writtenAt;
  return events === undefined ? undefined : Math.max(revision.writtenAt, events.last);
}

function unannounced(revision: Revision, now: number): Judged {
  return now - revision.writtenAt <= EVENT_GRACE_MS
    ? { state: 'applying', reason: 'Kong has not announced the write to its nodes yet' }
    : { state: 'unknown', reason: 'Kong never announced the write to its nodes (no row in cluster_events)' };
}

function until(end: number, now: number, over: string, waiting: string): Judged {
  return now >= end
    ? { state: 'converged', reason: over }
    : { state: 'applying', reason: `${waiting} ends in ${seconds(end - now)}` };
}

function byBound(node: NodeFacts, revision: Revision, events: Invalidations | undefined, now: number): Judged {
  if (node.boundMs === undefined) return { state: 'unknown', reason: 'its Admin API does not answer' };
  const announced = announcedAt(revision, events);
  if (announced === undefined) return unannounced(revision, now);
  const over = 'the longest delay is over; a node that cannot read the database would not be seen';
  return until(announced + node.boundMs, now, over, 'the longest delay');
}

/**
 * When the node's cache was last made out of date for this revision, ms; undefined when that cannot be seen. A version that
 * changed after the last announcement did so in a look at the table that found all of them.
 */
function outdatedAt(node: NodeFacts, revision: Revision, events: Invalidations | undefined): number | undefined {
  const keys = Object.keys(events?.versions ?? {});
  const announced = announcedAt(revision, events);
  if (keys.length === 0 || announced === undefined) return undefined;
  const changed = keys.flatMap(
    (key) => node.versions.find((item) => item.key === key && item.floor >= announced) ?? [],
  );
  return changed.length < keys.length ? undefined : Math.max(...changed.map(({ since }) => since));
}

/**
 * The cache has, since before the write, a version that the write made out of date. What was announced before the cache
 * got the version is an earlier write's, which is announced so near to this one.
 */
function isDeaf(node: NodeFacts, revision: Revision, events: Invalidations | undefined): boolean {
  const announced = events?.versions ?? {};
  return node.versions.some(
    ({ key, since, dropped }) => !dropped && since <= revision.startedAt && (announced[key] ?? -Infinity) >= since,
  );
}

/** Undefined where the cache shows nothing of the revision: then time has to tell. */
function byCache(
  node: NodeFacts,
  revision: Revision,
  events: Invalidations | undefined,
  now: number,
): Judged | undefined {
  const { boundMs } = node;
  if (boundMs === undefined) return undefined;
  if (isDeaf(node, revision, events)) {
    const late = now > (announcedAt(revision, events) ?? now) + boundMs;
    const reason = 'its cache still has the version that it had before the write';
    return {
      state: late ? 'partitioned' : 'applying',
      reason: late ? `${reason}: it does not hear of writes` : reason,
    };
  }
  const outdated = outdatedAt(node, revision, events);
  if (outdated === undefined) return undefined;
  return until(
    outdated + node.rebuildMs,
    now,
    'it heard of the write, and its workers had the time to rebuild',
    'the time for a rebuild',
  );
}

function opinion(evidence: 'bound' | 'cache', judged: readonly Judged[], { revisions }: TraditionalFacts): Opinion {
  const { state, reason } = judged[0] ?? { state: 'unknown', reason: 'nothing has been written yet' };
  return {
    evidence,
    state,
    revision: revisions[judged.findIndex((item) => item.state === 'converged')]?.id,
    proof: state === 'converged' ? 'bounded' : undefined,
    marginMs: undefined,
    reason,
  };
}

function opinions(node: NodeFacts, facts: TraditionalFacts): readonly (Opinion | Unavailable)[] {
  const { revisions, lastEvents, now } = facts;
  const bound = revisions.map((revision, place) => byBound(node, revision, lastEvents[place], now));
  const cache = revisions.map((revision, place) => {
    const events = lastEvents[place];
    return facts.told && events?.balancer === true ? undefined : byCache(node, revision, events, now);
  });
  // Where the cache says nothing of a revision, the bound does.
  const either = cache.map((said, place) => said ?? bound[place]).flatMap((said) => said ?? []);
  const canary = facts.canaries?.get(node.node);
  return [
    ...(canary === undefined ? [] : [canary]),
    opinion('bound', bound, facts),
    ...(cache[0] === undefined ? [] : [opinion('cache', either, facts)]),
  ];
}

/**
 * Verdicts of traditional mode (DB §3.2, CV §4): nodes leave no trace of what they read, so that only time can be waited
 * for: from the last announcement on, or from when the node's cache shows that it heard of it; unless the canary was
 * seen. Pure.
 */
export function traditionalVerdicts(facts: TraditionalFacts): readonly Verdict[] {
  return facts.nodes.map((node) => ({
    node: node.node,
    name: node.node,
    ...strongest(opinions(node, facts)),
    sinceWriteMs: sinceWrite(facts),
  }));
}

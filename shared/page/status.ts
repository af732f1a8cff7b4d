import { lagOf, type Lag } from '../convergence/lag.ts';
import type { RevisionRecord } from '../convergence/revisions.ts';
import type { Verdict } from '../convergence/types.ts';

/** What the index holds for whoever only reads it. Times are ms of its PostgreSQL's clock. */
export interface Recorded {
  readonly now: number;
  readonly cluster: string | undefined;
  /** The last run of converge, and the topology that it found. */
  readonly checkedAt: number | undefined;
  readonly topology: string;
  /** Settings of Kong that make convergence slow or weaken its proof, as that run found them. */
  readonly warnings: readonly string[];
  /** The last complete run of reconcile, and the deletes that its brake held back. */
  readonly reconciledAt: number | undefined;
  readonly withheldDeletes: number;
  /** Entities in Kong that are ours, and objects that ask for them. */
  readonly entities: number;
  readonly roots: number;
  readonly verdicts: readonly { readonly verdict: Verdict; readonly since: number }[];
  /** Newest first. */
  readonly revisions: readonly RevisionRecord[];
  readonly findings: Listed<FoundProblem>;
  readonly quarantined: Listed<Quarantined>;
}

/** The first of many, and how many there are. */
export interface Listed<Item> {
  readonly count: number;
  readonly items: readonly Item[];
}

/** A finding on an object, as people read it. */
export interface FoundProblem {
  readonly severity: string;
  readonly reason: string;
  readonly object: string;
  readonly message: string;
}

/** An entity that Kong rejected. */
export interface Quarantined {
  /** What Kong holds unique of it, or its id where that would be a credential. */
  readonly entity: string;
  readonly reason: string;
  readonly message: string;
  readonly attempts: number;
  readonly retryAt: number;
}

/** What is known where there is no index yet. */
export const NOTHING_RECORDED: Recorded = {
  now: 0,
  cluster: undefined,
  checkedAt: undefined,
  topology: 'unknown',
  warnings: [],
  reconciledAt: undefined,
  withheldDeletes: 0,
  entities: 0,
  roots: 0,
  verdicts: [],
  revisions: [],
  findings: { count: 0, items: [] },
  quarantined: { count: 0, items: [] },
};

/** A data plane as it stands now: its last verdict, unless that is too old to count. */
export interface DataPlaneStatus extends Verdict {
  /** Since when it is in this state; undefined when the verdict does not count any more. */
  readonly since: number | undefined;
  readonly lag: Lag | undefined;
}

/** What all of it says together. */
export type Overall =
  /** Every data plane is proven to have the newest revision. */
  | 'served'
  | 'applying'
  /** A data plane rejects, is incompatible or was lost. */
  | 'trouble'
  /** The evidence is missing or too old. */
  | 'unknown'
  /** Nothing has been written yet. */
  | 'empty';

/** Everything that the page, its JSON and the metrics show. */
export interface Status extends Omit<Recorded, 'verdicts'> {
  readonly overall: Overall;
  readonly dataPlanes: readonly DataPlaneStatus[];
}

/** Converge runs every minute: after three without a run its verdicts say nothing of now, ms. */
export const STALE_MS = 180_000;

/** Those that need a person first. */
const URGENCY: Readonly<Record<Verdict['state'], number>> = {
  partitioned: 0,
  rejecting: 1,
  incompatible: 2,
  unknown: 3,
  applying: 4,
  converged: 5,
};

function isStale({ checkedAt, now }: Recorded): boolean {
  return checkedAt === undefined || now - checkedAt > STALE_MS;
}

/** The verdict as far as it still holds: writes after it, and the time since, take its proof away. */
function current(recorded: Recorded, { verdict, since }: Recorded['verdicts'][number]): DataPlaneStatus {
  const { revisions, now } = recorded;
  const newest = revisions[0]?.id;
  const withLag = (item: Verdict, from: number | undefined): DataPlaneStatus => ({
    ...item,
    since: from,
    lag: lagOf(item, revisions, now),
  });
  if (isStale(recorded)) {
    const reason = 'the data planes have not been checked for more than 3 minutes';
    return { ...withLag({ ...verdict, state: 'unknown', proof: undefined, reason }, undefined), lag: undefined };
  }
  if (verdict.state === 'converged' && verdict.revision !== newest) {
    const reason = 'it has not been checked since the last write';
    return withLag({ ...verdict, state: 'applying', proof: undefined, reason }, undefined);
  }
  return withLag(verdict, since);
}

function overall(recorded: Recorded, dataPlanes: readonly DataPlaneStatus[]): Overall {
  const has = (...states: readonly Verdict['state'][]): boolean =>
    dataPlanes.some(({ state }) => states.includes(state));
  if (has('partitioned', 'rejecting', 'incompatible')) return 'trouble';
  if (recorded.entities === 0 && recorded.revisions.every(({ changes }) => changes === 0)) return 'empty';
  if (dataPlanes.length === 0 || has('unknown')) return 'unknown';
  return has('applying') ? 'applying' : 'served';
}

/** What the index's records mean now. Fails closed: what was not checked lately is unknown, never converged. Pure. */
export function statusOf(recorded: Recorded): Status {
  const { verdicts, ...rest } = recorded;
  const dataPlanes = verdicts
    .map((item) => current(recorded, item))
    .toSorted((a, b) => URGENCY[a.state] - URGENCY[b.state] || a.name.localeCompare(b.name, 'en', { numeric: true }));
  return { ...rest, dataPlanes, overall: overall(recorded, dataPlanes) };
}

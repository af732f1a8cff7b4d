/** What can be said of one data plane, in relation to the newest revision (DESIGN §6). */
export type DataPlaneState =
  /** It has the revision. */
  | 'converged'
  /** It does not have it yet, as far as can be seen. */
  | 'applying'
  /** It answers, the others took the revision, and it did not. */
  | 'rejecting'
  /** Kong refuses to configure it; it will never have it. */
  | 'incompatible'
  /** It has not been heard of; it may serve an old configuration. */
  | 'partitioned'
  /** The evidence is missing. */
  | 'unknown';

/**
 * How much a `converged` proves: `serving` was seen on every worker; `stored` means that the data plane holds the
 * configuration, and that the time of a rebuild (`marginMs`) has passed since; `bounded` means that only time was waited.
 */
export type Proof = 'serving' | 'stored' | 'bounded';

/**
 * What a verdict rests on, strongest first (DESIGN §6). The strongest that there is decides, a weaker one never
 * overrules it:
 * - `canary`: the reserved route answered on fresh connections in a row;
 * - `shadow`: a control plane's own configuration holds the last write, and the data plane holds that configuration;
 * - `fence`: the data plane has a version of sync v2 that was given out after the last write;
 * - `status`: all data planes' own Status APIs agree on a new configuration, for long enough;
 * - `agreement`: all rows of `clustering_data_planes` do;
 * - `cache`: a traditional node dropped what the write made out of date, and its workers' timers have run since;
 * - `bound`: the longest delay is over.
 */
export const EVIDENCES = ['canary', 'shadow', 'fence', 'status', 'agreement', 'cache', 'bound'] as const;
export type Evidence = (typeof EVIDENCES)[number];

/** The verdict on one data plane. */
export interface Verdict {
  /** Node id in hybrid mode, address of the Admin API in traditional mode. */
  readonly node: string;
  /** What people call it. */
  readonly name: string;
  readonly state: DataPlaneState;
  /** The newest revision that is proven to be on the node; undefined while none is. */
  readonly revision: string | undefined;
  readonly evidence: Evidence;
  /** How far a proof goes; undefined unless `converged`. */
  readonly proof: Proof | undefined;
  /** What was waited for the rebuild after the configuration was stored, ms; undefined unless the proof is `stored`. */
  readonly marginMs: number | undefined;
  /** One sentence for people, with what the evidence cannot see. */
  readonly reason: string;
  /** Time since the newest revision was written, ms; undefined when there is none, or the clock could not be read. */
  readonly sinceWriteMs: number | undefined;
}

/** A slice's writes, as the index recorded them. Times are ms of the clock of Kong's PostgreSQL. */
export interface Revision {
  readonly id: string;
  /** Entities written and deleted; 0 for the baseline, which is what there was before the first write. */
  readonly changes: number;
  /** Before the first write. */
  readonly startedAt: number;
  /** After the last write. */
  readonly writtenAt: number;
  /** `pg_snapshot_xmax` after the last write: a row with a later xmin was written after it. */
  readonly snapshotXmax: string;
  /** When it was proven on every live data plane; undefined while it is not. */
  readonly convergedAt: number | undefined;
  /** What the canary says since the last write; undefined when there was none. */
  readonly epoch?: number | undefined;
}

/** A configuration that a data plane had before the present one. Times are ms of the clock of Kong's PostgreSQL. */
export interface Earlier {
  readonly hash: string;
  /** When a run first saw it. */
  readonly since: number;
  /** The data plane reported it after this time: the run before the one that saw its last report first. */
  readonly floor: number;
}

/** A row of `clustering_data_planes`, with what earlier runs saw of it. Times are ms. */
export interface DataPlaneRow {
  readonly id: string;
  readonly hostname: string;
  readonly ip: string;
  readonly version: string;
  readonly syncStatus: string;
  readonly hash: string;
  /** Last ping by the control plane's clock, whole seconds. */
  readonly lastSeen: number;
  /** The row was written after the snapshot of the revision of this place in `HybridFacts.revisions`, and all after it. */
  readonly afterRevision: number | undefined;
  /** When a run first saw this node, this hash, and the row as it stands; PostgreSQL's clock. */
  readonly firstSeen: number;
  readonly hashSince: number;
  readonly rowSince: number;
  /** The row was written after this time; 0: nobody knows. */
  readonly rowFloor: number;
  /** The report before the last one, when it said the same: between which times the row was written. */
  readonly reportBefore: { readonly floor: number; readonly since: number } | undefined;
  /** The last few hashes before this one, the newest first. */
  readonly earlier: readonly Earlier[];
  /** What the data plane itself says that it has (its Status API), and since when runs hear that; undefined: not asked, or no answer. */
  readonly status: { readonly hash: string; readonly since: number } | undefined;
}

/** Writes that control planes announced to their data planes (`clustering:push_config`), in this and other revisions. */
export interface Pushes {
  /** Times, ms; oldest first. */
  readonly at: readonly number[];
  /** From when on `at` holds every one, ms. */
  readonly completeFrom: number;
}

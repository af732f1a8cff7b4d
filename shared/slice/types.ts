import type pg from 'pg';
import type { KongConfig } from '../config.ts';
import type { ChangeEvent } from '../events.ts';
import type { IndexPool } from '../index/index.ts';
import type { Lookup } from '../kubernetes/lookup.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { Key } from '../kubernetes/keys.ts';
import type { KubernetesObject } from '../kubernetes/resources.ts';
import type { ActualState } from '../kong/actual.ts';
import type { AdminClient } from '../kong/admin.ts';
import type { Pacer } from '../kong/pacer.ts';
import type { EntityRef, Outcome, Plan } from '../plan/types.ts';
import type { Finding, Proposal, TranslateOptions } from '../translate/types.ts';

/** What every slice needs from outside. */
export interface SliceDependencies {
  /** PostgreSQL of the index; at least two connections, as the lock keeps one. */
  readonly statePool: IndexPool;
  /** Kong's PostgreSQL; may be the same pool. */
  readonly kongPool: pg.Pool;
  readonly kong: Pick<KongConfig, 'filterTags' | 'workspace' | 'adminConcurrency' | 'canary'>;
  readonly admin: AdminClient;
  /** Kong's tables; those of `kongPool` unless a test has others. */
  readonly actual?: ActualState;
  /** Shared by all slices, as they follow one another; without one, everything is written at full speed. */
  readonly pace?: Pacer;
  readonly kubernetes: Pick<KubernetesClient, 'get' | 'list' | 'requests'>;
  readonly options: TranslateOptions;
  readonly settings: SliceSettings;
  /** Makes proposals of a root; `translateRoot` unless a test wants another. */
  readonly translate?: Translate;
}

export type Translate = (
  object: KubernetesObject,
  lookup: Lookup,
  options: TranslateOptions,
) => Promise<{ readonly proposals: readonly Proposal[]; readonly findings: readonly Finding[] }>;

export interface SliceSettings {
  /** How long to wait for the lock, ms. */
  readonly lockWaitMs: number;
  /** Roots that one slice starts with; what joins comes on top. The others are left for the next slice. */
  readonly maxRoots: number;
}

/** Lists of the whole cluster that were read before the slice. */
export interface Snapshot {
  readonly lookup: Lookup;
  /** The last slice that had committed before the lists were begun. */
  readonly asOf: string;
}

/** What a slice is to work off. All of it are hints: what holds is what the cluster and Kong hold now. */
export interface SliceRequest {
  readonly changes?: readonly ChangeEvent[];
  /** Roots to translate whatever has changed. */
  readonly roots?: readonly Key[];
  /** Managed entities of Kong that nobody seems to propose. */
  readonly orphans?: readonly EntityRef[];
  /** Read instead of the cluster, but for what slices have learnt since. */
  readonly snapshot?: Snapshot;
  /** Deletes nothing from Kong; what would go is withheld with this reason. */
  readonly withholdDeletes?: string;
}

/** What a slice cost. */
export interface SliceCost {
  readonly kubernetesRequests: number;
  readonly kongRequests: number;
  readonly sqlStatements: number;
}

export interface SliceResult {
  /** Roots that were translated, or found gone. */
  readonly roots: readonly Key[];
  /** Those of them that are there, as they were read: who reports on them needs uid and generation. */
  readonly objects: ReadonlyMap<Key, KubernetesObject>;
  /** Roots that the changes touch and that are left for another slice. */
  readonly remaining: readonly Key[];
  /** Changes whose object was found as it was before them. */
  readonly early: readonly ChangeEvent[];
  readonly applied: Outcome['applied'];
  readonly rejected: Outcome['rejected'];
  readonly withheld: Plan['withheld'];
  /** How many entities were repaired that somebody else had changed or deleted. */
  readonly drifted: number;
  readonly findings: readonly Finding[];
  /** Roots that had an error and have none any more. */
  readonly recovered: readonly Key[];
  /** Number of the revision; undefined when nothing was written. */
  readonly revision: string | undefined;
  /** Keys that changed, and what the changed objects provide. */
  readonly changed: readonly Key[];
  /** Objects whose status has something new to say. */
  readonly statuses: readonly Key[];
  readonly cost: SliceCost;
}

import { setImmediate } from 'node:timers/promises';
import { forgetChanges, lastSlice } from './index/freshness.ts';
import { overview, type Overview } from './index/overview.ts';
import { allProvided } from './index/providers.ts';
import { rememberReconcile } from './index/runs.ts';
import type { ClusterSnapshot } from './kubernetes/cluster.ts';
import { keyOf } from './kubernetes/keys.ts';
import { isGone } from './kubernetes/object.ts';
import type { KubernetesObject } from './kubernetes/resources.ts';
import { snapshotLookup } from './kubernetes/snapshot.ts';
import { actualState } from './kong/actual.ts';
import { brakes } from './plan/brake.ts';
import type { EntityRef } from './plan/types.ts';
import { changedClasses } from './reconcile/classes.ts';
import { differences, orphansOf, type Differences, type Managed, type SnapshotRoot } from './reconcile/compare.ts';
import { compareProvided, forgetProvided, learnProvided } from './reconcile/provided.ts';
import { guarded, prepare, runSlice, type SliceDependencies, type SliceRequest, type SliceResult } from './slice.ts';
import { translateKey, translationText } from './slice/translate.ts';
import type { Snapshot } from './slice/types.ts';
import { isRoot } from './translate/index.ts';

export interface ReconcileTools {
  readonly dependencies: SliceDependencies;
  /** Lists the whole cluster; rejects unless the lists are complete. */
  list(): Promise<Pick<ClusterSnapshot, 'objects' | 'requests'>>;
  /** Time left for work, ms. */
  remainingMs(): number;
  /** Deletes however much there is to delete. */
  readonly force: boolean;
}

export interface ReconcileReport {
  /** False when time ran out: the next run goes on from there. */
  readonly complete: boolean;
  readonly objects: number;
  readonly differences: Differences;
  readonly orphans: number;
  /** Deletes that the brake held back; 0 when it did not act. */
  readonly braked: number;
  readonly slices: readonly SliceResult[];
  readonly listRequests: number;
}

/** Below this time no further slice is begun, ms. */
const SLICE_MS = 10_000;
const BRAKED = 'the brake holds back so many deletes at once';

function chunks<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, n) => items.slice(n * size, (n + 1) * size));
}

/** Roots that are translated before answers are taken in that came meanwhile. */
const ROOTS_AT_ONCE = 200;

async function translateSnapshot(
  tools: ReconcileTools,
  snapshot: Pick<ClusterSnapshot, 'objects'>,
  lookup: Snapshot['lookup'],
): Promise<readonly SnapshotRoot[]> {
  const { options, translate } = tools.dependencies;
  const roots: SnapshotRoot[] = [];
  for (const object of snapshot.objects) {
    if (isGone(object) || !isRoot(object)) continue;
    const root = keyOf(object);
    const translated = await translateKey(root, lookup, options, translate);
    roots.push({
      root,
      createdAt: object.metadata.creationTimestamp ?? '',
      translation: translationText(translated),
      slots: translated.proposals?.map((proposal) => proposal.slot),
    });
    if (roots.length % ROOTS_AT_ONCE === 0) await setImmediate();
  }
  return roots;
}

async function look({
  dependencies,
}: ReconcileTools): Promise<{ readonly index: Overview; readonly managed: Managed }> {
  // Kong first: what a slice writes in between is then missing here rather than an orphan.
  const { kongPool, kong, actual = actualState(kongPool, kong) } = dependencies;
  const managed = await actual.managed();
  return { managed, index: await overview(dependencies.statePool) };
}

interface Run {
  readonly tools: ReconcileTools;
  readonly slices: SliceResult[];
}

/** Runs one slice and what it leaves over; false when time is up. The lock is free between any two. */
async function work(run: Run, request: SliceRequest): Promise<boolean> {
  let next = request;
  for (;;) {
    if (run.tools.remainingMs() < SLICE_MS) return false;
    const result = await runSlice(next, run.tools.dependencies);
    run.slices.push(result);
    if (result.remaining.length === 0) return true;
    next = { ...request, roots: result.remaining };
  }
}

async function workAll(run: Run, requests: readonly SliceRequest[]): Promise<boolean> {
  for (const request of requests) if (!(await work(run, request))) return false;
  return true;
}

async function heal(
  run: Run,
  found: Differences,
  snapshot: Snapshot,
  withholdDeletes: string | undefined,
): Promise<boolean> {
  const size = run.tools.dependencies.settings.maxRoots;
  const common = withholdDeletes === undefined ? {} : { withholdDeletes };
  return workAll(run, [
    ...chunks(found.roots, size).map((roots) => ({ roots, snapshot, ...common })),
    // That a list has lost them is a hint: the cluster itself is asked before anything is deleted.
    ...chunks(found.gone, size).map((roots) => ({ roots, ...common })),
  ]);
}

/** Lets a slice tell of classes of Gateways whose event was lost. */
async function tellClasses(run: Run, objects: readonly KubernetesObject[]): Promise<boolean> {
  const { statePool, options } = run.tools.dependencies;
  const changes = await changedClasses(statePool, objects, options);
  return changes.length === 0 || work(run, { changes });
}

function deleted(slices: readonly SliceResult[]): number {
  return slices.flatMap((slice) => slice.applied).filter((change) => change.action === 'delete').length;
}

async function sweep(
  run: Run,
  orphans: readonly EntityRef[],
  managed: number,
): Promise<{ readonly complete: boolean; readonly braked: number }> {
  const all = orphans.length + deleted(run.slices);
  if (brakes(all, managed, run.tools.force)) return { complete: true, braked: orphans.length };
  const size = run.tools.dependencies.settings.maxRoots;
  return {
    complete: await workAll(
      run,
      chunks(orphans, size).map((part) => ({ orphans: part })),
    ),
    braked: 0,
  };
}

/**
 * Compares the whole cluster with the index and the index with Kong, and heals through slices what differs: roots that
 * changed, appeared or went, entities that somebody else changed or deleted, and entities of ours that nobody proposes
 * (DESIGN §5). Sends nothing to the Admin API when nothing differs. Rejects when a list is not complete.
 */
export async function reconcile(tools: ReconcileTools): Promise<ReconcileReport> {
  return guarded(async () => {
    const { dependencies } = tools;
    const { statePool } = dependencies;
    await prepare(dependencies);
    // Before the lists: whatever a slice learns from now on is newer than they are.
    const asOf = await lastSlice(statePool);
    const before = await allProvided(statePool);
    const listed = await tools.list();
    const { unknown, stale } = compareProvided(listed.objects, before.provided);
    await learnProvided(dependencies, unknown, before);
    const lookup = snapshotLookup(listed.objects);
    // PostgreSQL works while the snapshot is translated, which asks nobody.
    const [roots, seen] = await Promise.all([translateSnapshot(tools, listed, lookup), look(tools)]);
    const found = differences(roots, seen.index, seen.managed);
    const held = brakes(found.doomed, found.managed, tools.force);
    const run: Run = { tools, slices: [] };
    const healed =
      (await heal(run, found, { lookup, asOf }, held ? BRAKED : undefined)) && (await tellClasses(run, listed.objects));
    const after = run.slices.length === 0 ? seen : await look(tools);
    const orphans = orphansOf(after.index, after.managed);
    const swept =
      held || !healed || orphans.length === 0
        ? { complete: healed, braked: held ? found.doomed : 0 }
        : await sweep(run, orphans, found.managed);
    if (healed) await forgetProvided(dependencies, stale, asOf);
    await forgetChanges(statePool);
    if (swept.complete) await rememberReconcile(statePool, swept.braked);
    return {
      complete: swept.complete,
      objects: listed.objects.length,
      differences: found,
      orphans: orphans.length,
      braked: swept.braked,
      slices: run.slices,
      listRequests: listed.requests,
    };
  });
}

import { randomUUID } from 'node:crypto';
import { lastSlice } from '../../shared/index/freshness.ts';
import { snapshotLookup } from '../../shared/kubernetes/snapshot.ts';
import { runSlice, type SliceDependencies } from '../../shared/slice.ts';
import type { MeasuredChange } from './slice-changes.ts';
import { forgetStatistics, offenders, pagesOf } from './slice-plans.ts';
import { once } from './slice-run.ts';
import type { Site } from './slice-sites.ts';

/** What PostgreSQL did for slices at one site. */
export interface Explanation {
  /** Pages read, by the change's name. */
  readonly pages: ReadonlyMap<string, number>;
  /** Scans that a slice must not do. */
  readonly offenders: readonly string[];
}

/** Slices that begin with no change: a root that reconcile found to differ, and an entity that nobody proposes. */
async function reconciled({ plane }: Site, dependencies: SliceDependencies): Promise<void> {
  const asOf = await lastSlice(plane.pool);
  const snapshot = { lookup: snapshotLookup(plane.cluster.objects()), asOf };
  await runSlice({ roots: ['Ingress/default/edited'], snapshot }, dependencies);
  const id = randomUUID();
  const stray = await plane.admin.put('services', id, { host: 'stray.test', tags: dependencies.kong.filterTags });
  if (!stray.ok) throw new Error(stray.rejection.message);
  const { applied } = await runSlice({ orphans: [{ type: 'services', id }] }, dependencies);
  if (applied.length !== 1) throw new Error('the orphan was not deleted');
}

async function round(site: Site, changes: readonly MeasuredChange[], time: number, when: string): Promise<Explanation> {
  const { pool, take } = site.explaining;
  const dependencies = { ...site.plane.dependencies, statePool: pool, kongPool: pool };
  const pages = new Map<string, number>();
  const found: string[] = [];
  const look = async (name: string, work: () => Promise<unknown>): Promise<void> => {
    take();
    await work();
    const statements = take();
    pages.set(name, pagesOf(statements));
    found.push(...offenders(statements).map((text) => `${name} among ${site.ingresses} Ingresses${when}: ${text}`));
  };
  for (const change of changes) await look(change.name, () => once(site, change, time, dependencies));
  await look('reconcile', () => reconciled(site, dependencies));
  return { pages, offenders: found };
}

/**
 * Explains every change once more, as it is and as it is before PostgreSQL has counted anything. Uses up three times, from
 * `time` on.
 */
export async function explain(site: Site, time: number, changes: readonly MeasuredChange[]): Promise<Explanation> {
  // A new connection reads PostgreSQL's catalogue first.
  await round(site, changes, time, '');
  const usual = await round(site, changes, time + 1, '');
  await forgetStatistics(site.plane.pool);
  const early = await round(site, changes, time + 2, ', without statistics');
  await site.plane.pool.query('ANALYZE');
  return { pages: usual.pages, offenders: [...usual.offenders, ...early.offenders] };
}

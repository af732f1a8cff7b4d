import { controlPlane, type ControlPlane } from '../support/control-plane.ts';
import type { TemporaryPostgres } from '../support/postgres.ts';
import { start } from './slice-changes.ts';
import { fill } from './slice-fill.ts';
import { explainingPool, type ExplainingPool } from './slice-plans.ts';

/** A control plane with so many Ingresses in its cluster, its index and Kong's tables. */
export interface Site {
  readonly ingresses: number;
  readonly plane: ControlPlane;
  readonly explaining: ExplainingPool;
  /** What filling it took. */
  readonly fillSeconds: number;
}

export async function openSite(server: TemporaryPostgres, ingresses: number): Promise<Site> {
  const plane = await controlPlane(server, `bench_${ingresses}`);
  const begun = performance.now();
  await start(plane);
  await fill(plane, ingresses);
  const fillSeconds = Math.round((performance.now() - begun) / 100) / 10;
  return { ingresses, plane, explaining: explainingPool(plane.config.databaseUrl), fillSeconds };
}

export async function closeSite({ plane, explaining }: Site): Promise<void> {
  await explaining.pool.end();
  await plane.stop();
}

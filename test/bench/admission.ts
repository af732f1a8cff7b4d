import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { metered, type Meter } from '../../shared/index/index.ts';
import { actualState } from '../../shared/kong/actual.ts';
import { CASES, type Case } from '../admission/cases.ts';
import { judgeReview, reviewOf, store, toolsFor } from '../admission/support.ts';
import { controlPlane, type ControlPlane } from '../support/control-plane.ts';
import { endpoints, INGRESS_CLASS, service } from '../support/manifests.ts';
import { temporaryPostgres } from '../support/postgres.ts';
import { fill } from './slice-fill.ts';

/** Ingresses in the index. */
const INGRESSES = 1_000;
const TIMES = 100;
/** What one request to the API server takes here, ms: the cluster is one in memory, Kong's stand-in and PostgreSQL are not. */
const CLUSTER_MS = 5;

interface Figure {
  readonly kind: string;
  readonly verdict: 'accepted' | 'refused';
  readonly kubernetesRequests: number;
  readonly kongRequests: number;
  readonly sqlStatements: number;
  readonly medianMs: number;
  readonly p99Ms: number;
}

function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
  return Math.round(value * 10) / 10;
}

async function measure(plane: ControlPlane, one: Case, verdict: Figure['verdict']): Promise<Figure> {
  const { cluster = [], options } = one;
  store(plane, ...cluster);
  const meter: Meter = { statements: 0 };
  const pool = metered(plane.pool, meter);
  const tools = { ...toolsFor(plane, options), index: pool, actual: actualState(pool, plane.config) };
  const counted = (): readonly number[] => [plane.cluster.client.requests, plane.admin.requests(), meter.statements];
  const body = reviewOf(one[verdict]);
  await judgeReview(body, tools);
  const begin = counted();
  const times: number[] = [];
  for (let time = 0; time < TIMES; time += 1) {
    const begun = performance.now();
    const { allowed } = await judgeReview(body, tools);
    times.push(performance.now() - begun);
    if (allowed !== (verdict === 'accepted')) throw new Error(`${one.check}: not ${verdict}`);
  }
  const [kubernetesRequests = 0, kongRequests = 0, sqlStatements = 0] = counted().map(
    (count, place) => (count - (begin[place] ?? 0)) / TIMES,
  );
  for (const { kind, metadata } of cluster) plane.cluster.remove(kind, metadata.namespace ?? '', metadata.name);
  const kind = one.accepted.kind;
  const costs = { kubernetesRequests, kongRequests, sqlStatements };
  return { kind, verdict, ...costs, medianMs: quantile(times, 0.5), p99Ms: quantile(times, 0.99) };
}

/** The most that any check of a kind costs. */
function worst(figures: readonly Figure[]): readonly Figure[] {
  const groups = Map.groupBy(figures, ({ kind, verdict }) => `${kind} ${verdict}`);
  return [...groups.values()].flatMap((group) => group.toSorted((a, b) => b.p99Ms - a.p99Ms).slice(0, 1));
}

/** Measures what judging a review costs, warm, by kind; writes `admission.json` beside this file. */
export async function bench(): Promise<void> {
  const server = await temporaryPostgres();
  try {
    const plane = await controlPlane(server, 'bench_admission');
    try {
      for (const object of [INGRESS_CLASS, service('echo'), endpoints('echo', ['10.0.0.1'])]) plane.cluster.put(object);
      await fill(plane, INGRESSES);
      plane.cluster.onRequest = () => delay(CLUSTER_MS);
      const figures: Figure[] = [];
      for (const one of CASES) {
        for (const verdict of ['accepted', 'refused'] as const) figures.push(await measure(plane, one, verdict));
      }
      const byKind = worst(figures);
      console.table(byKind);
      const about = { ingresses: INGRESSES, times: TIMES, clusterMs: CLUSTER_MS };
      writeFileSync(
        path.join(import.meta.dirname, 'admission.json'),
        `${JSON.stringify({ ...about, figures: byKind }, null, 2)}\n`,
      );
    } finally {
      await plane.stop();
    }
  } finally {
    await server.stop();
  }
}

import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ChangeEvent } from '../../shared/events.ts';
import { reconcile } from '../../shared/reconcile.ts';
import { runSlice } from '../../shared/slice.ts';
import { controlPlane, type ControlPlane } from '../support/control-plane.ts';
import { consumer, endpoints, ingress, INGRESS_CLASS, plugin, service } from '../support/manifests.ts';
import { temporaryPostgres } from '../support/postgres.ts';
import { tlsSecret } from '../support/tls.ts';
import { COPIED, fill } from './slice-fill.ts';

/** Ingresses in the index and in Kong's tables; numbers on the command line come on top. */
const SIZES = [100, 1_000, 10_000];
/** Repetitions; the median counts. */
const TIMES = 15;

interface Figure {
  readonly change: string;
  readonly ingresses: number;
  readonly kubernetesRequests: number;
  readonly kongRequests: number;
  readonly sqlStatements: number;
  /** Of one slice, median, with a cluster that answers at once. */
  readonly ms: number;
}

const PLUGINS = { annotations: { 'konghq.com/plugins': 'limits' } };

type Changes = Readonly<Record<string, (time: number) => Promise<ChangeEvent>>>;

/** The changes that are measured; none is the same as the one before it. */
function changesOf({ cluster }: ControlPlane): Changes {
  return {
    'an edited Ingress': async (time) => cluster.put(ingress('edited', [`edited.test /${time} echo 80`])),
    'a new Ingress': async (time) => cluster.put(ingress(`new-${time}`, [`new-${time}.test / echo 80`])),
    'an EndpointSlice, one of two targets replaced': async (time) =>
      cluster.put(endpoints('own', ['10.2.0.1', `10.2.1.${time + 1}`])),
    'a rotated Secret': async () => cluster.put(await tlsSecret('tls', 'own.test')),
    'a consumer with a plugin': async (time) => cluster.put(consumer('ann', 'limits', { custom_id: `number-${time}` })),
    'a plugin of an Ingress and a consumer': async (time) => cluster.put(plugin('limits', { minute: time + 1 })),
    'a deleted Ingress': async (time) => cluster.remove('Ingress', 'default', `new-${time}`),
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

async function measure(plane: ControlPlane, ingresses: number): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const [change, act] of Object.entries(changesOf(plane))) {
    const runs = [];
    for (let time = 0; time < TIMES; time += 1) {
      const changes = [await act(time)];
      const begun = performance.now();
      const { cost, applied, findings } = await runSlice({ changes }, plane.dependencies);
      if (findings.length > 0) throw new Error(`${change}: ${findings[0]?.message ?? ''}`);
      // The first one may find everything as it is.
      if (applied.length === 0 && time > 0) throw new Error(`${change} changed nothing`);
      runs.push({ ...cost, ms: performance.now() - begun });
    }
    figures.push({
      change,
      ingresses,
      kubernetesRequests: Math.max(...runs.slice(1).map((run) => run.kubernetesRequests)),
      kongRequests: Math.max(...runs.slice(1).map((run) => run.kongRequests)),
      sqlStatements: Math.max(...runs.slice(1).map((run) => run.sqlStatements)),
      ms: Math.round(median(runs.map((run) => run.ms)) * 10) / 10,
    });
  }
  return figures;
}

/** A cluster of what is measured and of what is copied, written to Kong and known to the index. */
async function start({ cluster, dependencies }: ControlPlane): Promise<void> {
  const objects = [
    INGRESS_CLASS,
    ...['echo', 'own'].map((name) => service(name)),
    endpoints('echo', ['10.0.0.1', '10.0.0.2']),
    endpoints('own', ['10.2.0.1', '10.2.0.2']),
    await tlsSecret('tls', 'own.test'),
    plugin('limits', { minute: 1_000 }),
    plugin('copied', { minute: 1 }),
    ingress('edited', ['edited.test / echo 80']),
    ingress('own', ['own.test / own 80'], { tlsSecret: 'tls' }),
    ingress('limited', ['limited.test / echo 80'], PLUGINS),
    consumer('ann', 'limits'),
    ...COPIED,
  ];
  for (const object of objects) cluster.put(object);
  const list = async () => ({ objects: cluster.objects(), requests: 1 });
  await reconcile({ dependencies, list, remainingMs: () => 600_000, force: true });
}

interface Ratio {
  readonly change: string;
  readonly requests: number;
  readonly statements: number;
  readonly ms: number;
}

/** The largest size against the smallest. */
function ratios(figures: readonly Figure[]): readonly Ratio[] {
  return [...Map.groupBy(figures, (figure) => figure.change)].flatMap(([change, all]) => {
    const [small, large] = [all[0], all.at(-1)];
    if (small === undefined || large === undefined) return [];
    const ratio = (of: (figure: Figure) => number): number => Math.round((of(large) / of(small)) * 100) / 100;
    return [
      {
        change,
        requests: ratio((figure) => figure.kubernetesRequests + figure.kongRequests),
        statements: ratio((figure) => figure.sqlStatements),
        ms: ratio((figure) => figure.ms),
      },
    ];
  });
}

/** Measures what one change costs, among few and among many Ingresses; writes `slice.json` beside this file. */
export async function bench(): Promise<void> {
  const more = process.argv.slice(2).map(Number).filter(Number.isInteger);
  const server = await temporaryPostgres();
  const figures: Figure[] = [];
  try {
    for (const size of [...SIZES, ...more].toSorted((a, b) => a - b)) {
      const plane = await controlPlane(server, `bench_${size}`);
      try {
        await start(plane);
        await fill(plane.pool, 1, size);
        figures.push(...(await measure(plane, size)));
      } finally {
        await plane.stop();
      }
    }
  } finally {
    await server.stop();
  }
  const compared = ratios(figures);
  console.table(figures);
  console.table(compared);
  writeFileSync(
    path.join(import.meta.dirname, 'slice.json'),
    `${JSON.stringify({ times: TIMES, figures, ratios: compared }, null, 2)}\n`,
  );
}

import { runSlice, type SliceResult } from '../../shared/slice.ts';
import { CHANGES, type MeasuredChange } from './slice-changes.ts';
import { offenders, pagesOf } from './slice-plans.ts';
import type { Site } from './slice-sites.ts';

/** Repetitions; the median counts. */
export const TIMES = 15;

/** What one change costs among so many Ingresses. */
export interface Figure {
  readonly change: string;
  readonly ingresses: number;
  readonly kubernetesRequests: number;
  readonly kongRequests: number;
  readonly sqlStatements: number;
  /** Of PostgreSQL's, 8 KB each, read by those statements from memory or not. */
  readonly pages: number;
  /** Of one slice, median, with a cluster that answers at once and Kong's stand-in. */
  readonly ms: number;
  readonly leastMs: number;
}

/** The largest size against the smallest. */
export interface Ratio {
  readonly change: string;
  readonly requests: number;
  readonly statements: number;
  readonly pages: number;
  readonly ms: number;
}

interface Run extends Pick<SliceResult, 'cost'> {
  readonly ms: number;
}

type Dependencies = Site['plane']['dependencies'];

async function once(
  { plane }: Site,
  { name, act }: MeasuredChange,
  time: number,
  dependencies: Dependencies,
): Promise<Run> {
  const changes = [await act(plane.cluster, time)];
  const begun = performance.now();
  const { cost, applied, findings } = await runSlice({ changes }, dependencies);
  const ms = performance.now() - begun;
  if (findings.length > 0) throw new Error(`${name}: ${findings[0]?.message ?? ''}`);
  // The first one may find everything as it is.
  if (applied.length === 0 && time > 0) throw new Error(`${name} changed nothing`);
  return { cost, ms };
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

export function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

/** Plans of one more run of every change: pages by the change's name, and scans that a slice must not do. */
async function explain(
  site: Site,
  time: number,
): Promise<{ pages: ReadonlyMap<string, number>; offenders: readonly string[] }> {
  const { pool, take } = site.explaining;
  const dependencies = { ...site.plane.dependencies, statePool: pool, kongPool: pool };
  const pages = new Map<string, number>();
  const found: string[] = [];
  for (const change of CHANGES) {
    take();
    await once(site, change, time, dependencies);
    const statements = take();
    pages.set(change.name, pagesOf(statements));
    found.push(...offenders(statements).map((text) => `${change.name} among ${site.ingresses} Ingresses: ${text}`));
  }
  return { pages, offenders: found };
}

function figureOf(change: string, { ingresses }: Site, runs: readonly Run[], pages: number): Figure {
  const most = (of: (cost: Run['cost']) => number): number => Math.max(...runs.map(({ cost }) => of(cost)));
  return {
    change,
    ingresses,
    kubernetesRequests: most((cost) => cost.kubernetesRequests),
    kongRequests: most((cost) => cost.kongRequests),
    sqlStatements: most((cost) => cost.sqlStatements),
    pages,
    ms: rounded(median(runs.map(({ ms }) => ms)), 1),
    leastMs: rounded(Math.min(...runs.map(({ ms }) => ms)), 1),
  };
}

/**
 * Makes every change at every site, in turn, so that whatever else the machine does meets all of them alike. A first round
 * is not counted, a last one is explained.
 */
export async function costs(
  sites: readonly Site[],
  times: number,
): Promise<{ readonly figures: readonly Figure[]; readonly offenders: readonly string[] }> {
  const runs = new Map<string, Run[]>();
  for (let time = 0; time <= times; time += 1) {
    for (const change of CHANGES) {
      for (const site of sites) {
        const run = await once(site, change, time, site.plane.dependencies);
        const key = `${change.name} ${site.ingresses}`;
        if (time > 0) runs.set(key, [...(runs.get(key) ?? []), run]);
      }
    }
  }
  const explained = new Map<Site, Awaited<ReturnType<typeof explain>>>();
  for (const site of sites) explained.set(site, await explain(site, times + 1));
  return {
    figures: CHANGES.flatMap(({ name }) =>
      sites.map((site) =>
        figureOf(name, site, runs.get(`${name} ${site.ingresses}`) ?? [], explained.get(site)?.pages.get(name) ?? 0),
      ),
    ),
    // Among few Ingresses reading a whole table is the fastest way.
    offenders: [...explained.values()].at(-1)?.offenders ?? [],
  };
}

function requests(figure: Figure): number {
  return figure.kubernetesRequests + figure.kongRequests;
}

/** The largest size against the smallest, by change. */
export function ratios(figures: readonly Figure[]): readonly Ratio[] {
  return [...Map.groupBy(figures, (item) => item.change)].flatMap(([change, all]) => {
    const [small, large] = [all[0], all.at(-1)];
    if (small === undefined || large === undefined) return [];
    const ratio = (of: (item: Figure) => number): number => rounded(of(large) / of(small), 2);
    return [
      {
        change,
        requests: ratio(requests),
        statements: ratio((item) => item.sqlStatements),
        pages: ratio((item) => item.pages),
        ms: ratio((item) => item.ms),
      },
    ];
  });
}

/** Figures above what is promised (DESIGN §9), and counts that depend on the size. Milliseconds are for the reader to judge. */
export function exceeded(figures: readonly Figure[]): readonly string[] {
  const above = figures.flatMap((item) => {
    const limits = CHANGES.find(({ name }) => name === item.change)?.limits;
    if (limits === undefined) return [];
    const within = requests(item) <= limits.requests && item.sqlStatements <= limits.statements;
    const cost = `${requests(item)} requests and ${item.sqlStatements} statements`;
    return within ? [] : [`${item.change} among ${item.ingresses} Ingresses cost ${cost}`];
  });
  const grown = ratios(figures).filter((ratio) => ratio.requests !== 1 || ratio.statements !== 1);
  return [...above, ...grown.map(({ change }) => `${change} costs more requests or statements among more Ingresses`)];
}

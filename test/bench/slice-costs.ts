import { CHANGES, type MeasuredChange } from './slice-changes.ts';
import { explain, type Explanation } from './slice-explain.ts';
import { median, once, rounded, type Run } from './slice-run.ts';
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
 * is not counted, the last ones are explained.
 */
export async function costs(
  sites: readonly Site[],
  times: number,
  changes: readonly MeasuredChange[] = CHANGES,
): Promise<{ readonly figures: readonly Figure[]; readonly offenders: readonly string[] }> {
  const runs = new Map<string, Run[]>();
  for (let time = 0; time <= times; time += 1) {
    for (const change of changes) {
      for (const site of sites) {
        const run = await once(site, change, time, site.plane.dependencies);
        const key = `${change.name} ${site.ingresses}`;
        if (time > 0) runs.set(key, [...(runs.get(key) ?? []), run]);
      }
    }
  }
  const explained = new Map<Site, Explanation>();
  for (const site of sites) explained.set(site, await explain(site, times + 1, changes));
  return {
    figures: changes.flatMap(({ name }) =>
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

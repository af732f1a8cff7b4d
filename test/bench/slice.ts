import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { temporaryPostgres, type TemporaryPostgres } from '../support/postgres.ts';
import { costs, exceeded, ratios, TIMES, type Figure, type Ratio } from './slice-costs.ts';
import { compareWithController, type Comparison } from './slice-kic.ts';
import { closeSite, openSite, type Site } from './slice-sites.ts';
import { broken, firstSync, type SyncFigures } from './slice-sync.ts';

/** Ingresses in the cluster, the index and Kong's tables, unless the command line says otherwise. */
const SIZES = [100, 1_000, 10_000, 100_000];
/** Reading every upstream's targets, one after another, and writing every entity through the Admin API take minutes above this. */
const MOST_AS_WHOLE = 10_000;
/** Repetitions of what reads everything; the median counts. */
const TIMES_AS_WHOLE = 3;

/** What `slice.json` holds. */
export interface SliceFigures {
  /** Repetitions; medians count. */
  readonly times: number;
  readonly filled: readonly { readonly ingresses: number; readonly seconds: number }[];
  readonly figures: readonly Figure[];
  readonly ratios: readonly Ratio[];
  readonly controller: readonly Comparison[];
  readonly sync: SyncFigures;
}

async function openSites(server: TemporaryPostgres, sizes: readonly number[]): Promise<readonly Site[]> {
  const sites: Site[] = [];
  for (const size of sizes) {
    const site = await openSite(server, size);
    console.log(`${size} Ingresses are in the index and in Kong's tables after ${site.fillSeconds} s`);
    sites.push(site);
  }
  return sites;
}

async function compare(sites: readonly Site[]): Promise<readonly Comparison[]> {
  const compared: Comparison[] = [];
  for (const site of sites.filter(({ ingresses }) => ingresses <= MOST_AS_WHOLE)) {
    compared.push(await compareWithController(site, TIMES_AS_WHOLE));
  }
  return compared;
}

/**
 * Measures what one change costs, among few and among many Ingresses, and what a whole cluster costs; with the usual
 * sizes it writes `slice.json` beside this file. Throws when a count is not what is promised, or when a slice read a whole
 * table.
 */
export async function bench(): Promise<void> {
  const given = process.argv.slice(2).map(Number).filter(Number.isInteger);
  const sizes = (given.length === 0 ? SIZES : given).toSorted((a, b) => a - b);
  const server = await temporaryPostgres();
  try {
    const sites = await openSites(server, sizes);
    const { figures, offenders } = await costs(sites, TIMES);
    const controller = await compare(sites);
    for (const site of sites) await closeSite(site);
    const sync = await firstSync(server, Math.min(sizes.at(-1) ?? 0, MOST_AS_WHOLE));
    const filled = sites.map(({ ingresses, fillSeconds }) => ({ ingresses, seconds: fillSeconds }));
    const result: SliceFigures = { times: TIMES, filled, figures, ratios: ratios(figures), controller, sync };
    for (const table of [result.figures, result.ratios, controller]) console.table(table);
    console.log(sync);
    if (given.length === 0) {
      writeFileSync(path.join(import.meta.dirname, 'slice.json'), `${JSON.stringify(result, null, 2)}\n`);
    }
    const wrong = [...exceeded(figures), ...offenders, ...broken(sync)];
    if (wrong.length > 0) throw new Error(wrong.join('\n'));
  } finally {
    await server.stop();
  }
}

/**
 * Loads golden outputs of Kong Ingress Controller into a stand-in Kong as that controller would, and takes them over:
 * `node test/golden/adopt.ts DIR`, with a folder a case that holds `in.yaml`, `<variant>_golden.yaml` and perhaps
 * `<variant>_settings.yaml`. Exits with 1 when one of them costs a write.
 */
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { parseManifests } from '../../shared/cli/files.ts';
import { isRecord } from '../../shared/json.ts';
import { startAdopter, type AdoptionCase, type AdoptionResult } from '../support/adopt.ts';
import { temporaryPostgres } from '../support/postgres.ts';
import { OPTIONS } from './cases.ts';

/** Cases that have to cost a write, with the difference from that controller that is meant. */
const DELIBERATE: Readonly<Record<string, string>> = {};

const GOLDEN = '_golden.yaml';

function read(file: string): unknown {
  return parse(readFileSync(file, 'utf8'));
}

/** KIC's feature flags of a variant. */
function flagsOf(file: string): Readonly<Record<string, boolean>> {
  const settings = existsSync(file) ? read(file) : undefined;
  const flags = isRecord(settings) && isRecord(settings['feature_flags']) ? settings['feature_flags'] : {};
  return Object.fromEntries(Object.entries(flags).map(([name, value]) => [name, value === true]));
}

function caseOf(folder: string, variant: string): AdoptionCase {
  const { ExpressionRoutes = false, ...featureGates } = flagsOf(path.join(folder, `${variant}_settings.yaml`));
  const routerFlavor = ExpressionRoutes ? 'expressions' : 'traditional';
  return {
    name: `${path.basename(folder)}/${variant}`,
    objects: parseManifests(readFileSync(path.join(folder, 'in.yaml'), 'utf8'), 'in.yaml', true).objects,
    document: read(path.join(folder, `${variant}${GOLDEN}`)),
    options: { ...OPTIONS, routerFlavor, featureGates, raw: true },
  };
}

function cases(root: string): readonly AdoptionCase[] {
  const folders = readdirSync(root)
    .map((name) => path.join(root, name))
    .filter((folder) => statSync(folder).isDirectory());
  return folders.toSorted().flatMap((folder) => {
    // What is broken on purpose needs a live Admin API while it is translated.
    if (/test\.konghq\.com\/broken/.test(readFileSync(path.join(folder, 'in.yaml'), 'utf8'))) return [];
    const files = readdirSync(folder).filter((file) => file.endsWith(GOLDEN));
    return files.toSorted().map((file) => caseOf(folder, file.slice(0, -GOLDEN.length)));
  });
}

/** Whether a case went as it should; says so. */
function judge({ name, loaded, refused, adopted, writes, problems }: AdoptionResult): boolean {
  const meant = DELIBERATE[name];
  const clean = writes.length === 0 && problems.length === 0;
  const good = meant === undefined ? clean : !clean;
  const why = meant ?? [...writes, ...problems, ...refused.map((words) => `not in this Kong: ${words}`)].join('; ');
  process.stdout.write(
    `${good ? 'PASS' : 'FAIL'} ${name}: ${adopted} of ${loaded} adopted${why === '' ? '' : `: ${why}`}\n`,
  );
  return good;
}

async function main(root: string): Promise<boolean> {
  const server = await temporaryPostgres();
  try {
    const adopter = await startAdopter(server);
    const results: boolean[] = [];
    for (const item of cases(root)) results.push(judge(await adopter.adopt(item)));
    await adopter.stop();
    const passed = results.filter((good) => good).length;
    process.stdout.write(`${passed} adopted without a write, ${results.length - passed} failed\n`);
    return passed === results.length && passed > 0;
  } finally {
    await server.stop();
  }
}

const [root] = process.argv.slice(2);
if (root === undefined) throw new Error('usage: node test/golden/adopt.ts DIR');
process.exitCode = (await main(root)) ? 0 : 1;

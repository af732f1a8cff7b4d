import { isDeepStrictEqual } from 'node:util';
import { randomKiller } from '../aws/index.ts';
import type { DemoOptions } from './run.ts';
import { table } from './table.ts';

/** One row of the table that must be the same: a step, entities in Kong after it by type, its proofs. */
export type FinalRow = readonly [step: string, state: string, proofs: string];

/** A row with the number of all entities. */
function shown([step, state, proofs]: FinalRow): readonly string[] {
  const total = state.split(', ').reduce((sum, part) => sum + Number.parseInt(part, 10), 0);
  return [step, `${total} entities`, proofs];
}

/** Runs the demo's steps once on a stack of its own; with a killer, functions are ended while they run. */
export type RunRows = (part: string, killer?: ReturnType<typeof randomKiller>) => Promise<readonly FinalRow[]>;

const HEADER = ['step', '#in Kong', 'proof by request'];

/**
 * Runs the steps undisturbed, and once more while functions are killed at random moments. True when both tables are the
 * same and every proof held.
 */
export async function runKilled(seed: number, print: DemoOptions['print'], rows: RunRows): Promise<boolean> {
  const calm = await rows('calm');
  print(`\nOnce more, with functions killed at random (seed ${seed}) …`);
  const killer = randomKiller(seed);
  const killed = await rows('killed', killer);
  const same = isDeepStrictEqual(calm, killed);
  if (!same) print(`\nUndisturbed:\n${table(HEADER, calm.map(shown))}`);
  print(`\n${table(HEADER, killed.map(shown))}\n`);
  const held = killed.every(([, , proofs]) => proofs.startsWith('✓'));
  const outcome = same ? 'the final table is the same' : 'THE FINAL TABLE IS ANOTHER';
  print(`${killer.count()} invocations were killed; ${outcome}${held ? '' : '; A PROOF FAILED'}.`);
  return same && held && killer.count() > 0;
}

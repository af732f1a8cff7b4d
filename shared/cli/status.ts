import { setTimeout as sleep } from 'node:timers/promises';
import { inspect, type Convergence } from '../convergence/converge.ts';
import { lastRevisions } from '../convergence/revisions.ts';
import { parseArguments } from './arguments.ts';
import { print, untilInterrupted } from './print.ts';
import { revisionLines, verdictLines, withConvergence } from './verdicts.ts';

export const usage = `status [--watch] [--json]
  Shows the verdict on every data plane and the last revisions. Reads only; --watch repeats it every 2 s until Ctrl-C.
  kong-ingress status --json | jq -r '.verdicts[] | "\\(.name) \\(.state)"'`;

const REVISIONS = 10;
const EVERY_MS = 2_000;

async function show(run: Convergence, json: boolean): Promise<void> {
  const [state, revisions] = [await inspect(run), await lastRevisions(run.index, REVISIONS)];
  print(json, { ...state, revisions }, () => [
    ...verdictLines(state.verdicts),
    '',
    ...revisionLines(revisions),
    `${state.topology}; newest revision ${state.newest?.id ?? 'none'}`,
  ]);
}

async function repeat(run: Convergence, json: boolean): Promise<void> {
  const { signal, end } = untilInterrupted();
  try {
    while (!signal.aborted) {
      await show(run, json);
      if (!json) process.stdout.write('\n');
      await sleep(EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    end();
  }
}

/** Runs `status`. Returns the exit code. Throws ARGUMENTS_INVALID, CONFIG_INVALID and INDEX_*. */
export async function run(args: readonly string[]): Promise<number> {
  const options = { watch: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } } as const;
  const { values } = parseArguments({ args: [...args], options }, usage);
  await withConvergence((connected) => (values.watch ? repeat : show)(connected, values.json));
  return 0;
}

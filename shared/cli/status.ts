import { setTimeout as sleep } from 'node:timers/promises';
import { inspect, type Convergence } from '../convergence/converge.ts';
import { lastRevisions } from '../convergence/revisions.ts';
import { parseArguments } from './arguments.ts';
import { print, untilInterrupted } from './print.ts';
import { revisionLines, verdictLines, warningLines, withConvergence } from './verdicts.ts';

export const usage = `status [--watch] [--json]
  Shows the verdict on every data plane and the last revisions. Reads only; --watch repeats it every 2 s until Ctrl-C.
  kong-ingress status --json | jq -r '.verdicts[] | "\\(.name) \\(.state)"'`;

const REVISIONS = 10;
const EVERY_MS = 2_000;

async function show(connected: Convergence, json: boolean): Promise<void> {
  const [state, revisions] = [await inspect(connected), await lastRevisions(connected.index, REVISIONS)];
  print(json, { ...state, revisions }, () => [
    ...verdictLines(state.verdicts),
    '',
    ...revisionLines(revisions),
    ...warningLines(state.warnings),
    `${state.topology}; newest revision ${state.newest?.id ?? 'none'}`,
  ]);
}

async function repeat(connected: Convergence, json: boolean): Promise<void> {
  const interrupted = untilInterrupted();
  const { signal } = interrupted;
  try {
    while (!signal.aborted) {
      await show(connected, json);
      if (!json) process.stdout.write('\n');
      await sleep(EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    interrupted.end();
  }
}

/** Runs `status`. Returns the exit code. Throws ARGUMENTS_INVALID, CONFIG_INVALID and INDEX_*. */
export async function run(args: readonly string[]): Promise<number> {
  const options = { watch: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } } as const;
  const { values } = parseArguments({ args: [...args], options }, usage);
  await withConvergence((convergence) => (values.watch ? repeat : show)(convergence, values.json));
  return 0;
}

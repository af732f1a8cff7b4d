import { converge } from '../convergence/converge.ts';
import { parseArguments } from './arguments.ts';
import { print } from './print.ts';
import { verdictLines, warningLines, withConvergence } from './verdicts.ts';

export const usage = `converge [--json]
  Judges once which data planes run the newest revision, and marks what is proven, as the function does.
  kong-ingress converge`;

/** Runs `converge`. Returns the exit code. Throws ARGUMENTS_INVALID, CONFIG_INVALID and INDEX_*. */
export async function run(args: readonly string[]): Promise<number> {
  const options = { json: { type: 'boolean', default: false } } as const;
  const { values } = parseArguments({ args: [...args], options }, usage);
  const result = await withConvergence(converge);
  const { topology, newest, converged, verdicts, warnings } = result;
  const proven = converged.length === 0 ? 'none' : converged.join(', ');
  print(values.json, result, () => [
    ...verdictLines(verdicts),
    ...warningLines(warnings),
    `${topology}; newest revision ${newest?.id ?? 'none'}; proven by this run: ${proven}`,
  ]);
  return 0;
}

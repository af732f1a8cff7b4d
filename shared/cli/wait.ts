import { setTimeout as sleep } from 'node:timers/promises';
import { converge, type Converged, type Convergence } from '../convergence/converge.ts';
import { isConverged } from '../convergence/revisions.ts';
import { AppError } from '../errors.ts';
import { guarded } from '../slice.ts';
import { badArguments, parseArguments } from './arguments.ts';
import { print } from './print.ts';
import { verdictLines, withConvergence } from './verdicts.ts';

export const usage = `wait --for converged [--timeout 60s] [--json]
  Waits until every data plane is proven to run what is written now, for pipelines. Judges as converge does, every
  half second. Exit code 0 converged, 2 not converged in time, 3 unknown (no data plane, nothing written, no evidence).
  kubectl apply -f web.yaml && kong-ingress sync ingress/shop/web && kong-ingress wait --for converged --timeout 90s`;

const EVERY_MS = 500;
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000 };

/** What is known at the end of the wait. */
export type Waited = 'converged' | 'not converged' | 'unknown';

const EXIT: Readonly<Record<Waited, number>> = { converged: 0, 'not converged': 2, unknown: 3 };

/** `60s`, `2m` or `500ms` in ms. Throws ARGUMENTS_INVALID. */
export function timeoutOf(text: string): number {
  const match = /^(\d{1,6})(ms|s|m)$/.exec(text);
  const unit = UNIT_MS[match?.[2] ?? ''];
  if (unit === undefined) throw badArguments(`--timeout ${text} is not a time like 60s, 2m or 500ms`, usage);
  return Number(match?.[1]) * unit;
}

/** What the verdicts say together: one that denies it decides, then one that does not know. Pure. */
export function together({ verdicts }: Pick<Converged, 'verdicts'>): Waited {
  if (verdicts.length === 0) return 'unknown';
  if (verdicts.every(({ state }) => state === 'converged')) return 'converged';
  return verdicts.some(({ state }) => state !== 'converged' && state !== 'unknown') ? 'not converged' : 'unknown';
}

interface Reading {
  readonly waited: Waited;
  readonly result: Converged | undefined;
  readonly error: AppError | undefined;
}

/** A run of converge; what may pass by itself is no reason to give up. */
async function read(connected: Convergence): Promise<Reading> {
  try {
    const result = await guarded(() => converge(connected));
    return { waited: together(result), result, error: undefined };
  } catch (error) {
    if (!(error instanceof AppError) || !error.info.retryable) throw error;
    return { waited: 'unknown', result: undefined, error };
  }
}

/** Waits for the revision that is the newest at first; later ones are for others to wait for. */
async function waitFor(connected: Convergence, timeoutMs: number): Promise<Reading> {
  const deadline = Date.now() + timeoutMs;
  let target: string | undefined;
  for (;;) {
    const reading = await read(connected);
    const newest = reading.result?.newest?.id;
    target ??= newest;
    if (reading.waited === 'converged') return reading;
    if (
      target !== undefined &&
      newest !== undefined &&
      newest !== target &&
      (await isConverged(connected.index, target))
    ) {
      return { ...reading, waited: 'converged' };
    }
    if (Date.now() >= deadline) return reading;
    await sleep(Math.min(EVERY_MS, deadline - Date.now()));
  }
}

/** Runs `wait`. Returns the exit code. Throws ARGUMENTS_INVALID, CONFIG_INVALID and errors that do not pass. */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArguments(
    {
      args: [...args],
      options: {
        for: { type: 'string' },
        timeout: { type: 'string', default: '60s' },
        json: { type: 'boolean', default: false },
      },
    },
    usage,
  );
  if (values.for !== 'converged') throw badArguments('--for must be converged', usage);
  const timeoutMs = timeoutOf(values.timeout);
  const { waited, result, error } = await withConvergence((convergence) => waitFor(convergence, timeoutMs));
  print(values.json, { waited, ...result, ...(error === undefined ? {} : { error: error.code }) }, () => [
    ...verdictLines(result?.verdicts ?? []),
    ...(error === undefined ? [] : [`${error.code} ${error.message}`]),
    `${waited}${result?.newest === undefined ? '' : `, revision ${result.newest.id}`}`,
  ]);
  return EXIT[waited];
}

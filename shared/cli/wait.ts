import { setTimeout as sleep } from 'node:timers/promises';
import { converge, type Converged, type Convergence } from '../convergence/converge.ts';
import { AppError } from '../errors.ts';
import { display } from '../findings.ts';
import { isUpTo, objectsRevision, type ObjectsRevision } from '../index/object-revisions.ts';
import { refOfKey } from '../index/refs.ts';
import { keyOfRef, type Key } from '../kubernetes/keys.ts';
import { guarded } from '../slice.ts';
import { badArguments, parseArguments } from './arguments.ts';
import { OBJECT, refOf } from './objects.ts';
import { print } from './print.ts';
import { verdictLines, withConvergence } from './verdicts.ts';

export const usage = `wait --for converged [--timeout 60s] [--json] [${OBJECT} …]
  Waits until every data plane is proven to run what is written now, or the last write for each of the objects as the
  index knows them. For pipelines; judges as converge does, every half second. Exit code 0 converged, 2 not converged in
  time, 3 unknown (no data plane, nothing written, no evidence, an object that the index does not know).
  kubectl apply -f web.yaml && kong-ingress sync ingress/shop/web && kong-ingress wait --for converged ingress/shop/web`;

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
  /** What is waited for, and what of it is not known. */
  readonly objects?: ObjectsRevision;
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

/** One look at it; `target` is the newest revision of the first look. */
async function look(connected: Convergence, objects: readonly Key[], target: string | undefined): Promise<Reading> {
  const reading = await read(connected);
  if (reading.result === undefined) return reading;
  if (objects.length === 0) {
    // Later writes are for others to wait for.
    const proven = target !== undefined && isUpTo(target, reading.result.proven);
    return proven ? { ...reading, waited: 'converged' } : reading;
  }
  const wanted = await objectsRevision(connected.index, objects);
  if (wanted.unknown.length > 0) return { ...reading, waited: 'unknown', objects: wanted };
  // Where nothing had to be written, what was there before must be proven.
  const everywhere = reading.result.proven;
  const proven = wanted.revision === undefined ? everywhere !== undefined : isUpTo(wanted.revision, everywhere);
  const waited = proven ? 'converged' : reading.waited === 'unknown' ? 'unknown' : 'not converged';
  return { ...reading, waited, objects: wanted };
}

/** Looks until it is proven, or the time is over. */
async function waitFor(connected: Convergence, objects: readonly Key[], timeoutMs: number): Promise<Reading> {
  const deadline = Date.now() + timeoutMs;
  let target: string | undefined;
  for (;;) {
    const reading = await look(connected, objects, target);
    if (reading.waited === 'converged' || Date.now() >= deadline) return reading;
    target ??= reading.result?.newest?.id;
    await sleep(Math.min(EVERY_MS, deadline - Date.now()));
  }
}

function summary({ waited, result, objects }: Reading): string {
  const revision = objects === undefined ? result?.newest?.id : objects.revision;
  const missing = (objects?.unknown ?? []).map((key) => display(refOfKey('', key)));
  return [
    waited,
    ...(revision === undefined ? [] : [`revision ${revision}`]),
    ...(missing.length === 0 ? [] : [`the index does not know ${missing.join(', ')}`]),
  ].join(', ');
}

/** Runs `wait`. Returns the exit code. Throws ARGUMENTS_INVALID, CONFIG_INVALID and errors that do not pass. */
export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArguments(
    {
      args: [...args],
      allowPositionals: true,
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
  const objects = positionals.map((argument) => keyOfRef(refOf(argument, '', usage)));
  const reading = await withConvergence((convergence) => waitFor(convergence, objects, timeoutMs));
  const { waited, result, error } = reading;
  const wanted = reading.objects === undefined ? {} : { objects: reading.objects };
  print(values.json, { waited, ...result, ...wanted, ...(error === undefined ? {} : { error: error.code }) }, () => [
    ...verdictLines(result?.verdicts ?? []),
    ...(error === undefined ? [] : [`${error.code} ${error.message}`]),
    summary(reading),
  ]);
  return EXIT[waited];
}

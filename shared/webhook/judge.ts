import { AppError } from '../errors.ts';
import { ALLOWED, type AdmissionWrite, type Judge, type Verdict } from './verdict.ts';

/** `open`: what cannot be judged is allowed, with a warning; `closed`: it is refused. */
export type FailureMode = 'open' | 'closed';

/** Kept for the answer and the hint on the bus, ms; of a short timeout a third. */
const RESERVE_MS = 1_000;
/** What a sender waits when it does not say (the API server's default), ms. */
const DEFAULT_TIMEOUT_MS = 10_000;

/** How long judging may take, ms: the sender's patience or the function's time, whichever is shorter, less what the rest takes. */
export function budgetMs(timeoutMs: number | undefined, remainingMs: number): number {
  const patience = Math.min(timeoutMs ?? DEFAULT_TIMEOUT_MS, remainingMs);
  return Math.max(0, patience - Math.min(RESERVE_MS, patience / 3));
}

async function within<T>(work: Promise<T>, ms: number): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new AppError('ADMISSION_TOO_SLOW', `it took longer than ${ms} ms`)), ms);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}

function asAppError(error: unknown): AppError {
  return error instanceof AppError ? error : new AppError('INTERNAL', 'unforeseen');
}

/** The error table's words: a message may say what is nobody's business outside. */
function why({ code, info }: AppError): string {
  return `not checked (${code}): ${info.cause}`;
}

/** What holds for a write of which something could not be looked at, and nothing else speaks against it. */
function undecided(errors: readonly AppError[], mode: FailureMode, verdict: Verdict): Verdict {
  const [first] = errors;
  if (first === undefined || !verdict.allowed) return verdict;
  const reasons = [...verdict.reasons, ...errors.map((error) => error.code)];
  if (mode === 'open') return { ...verdict, warnings: [...verdict.warnings, ...new Set(errors.map(why))], reasons };
  return { ...verdict, allowed: false, message: `${why(first)} ${first.info.nextStep}`, code: 503, reasons };
}

/** The judge's verdict, or what stands for it when there is none in time or not a whole one. Never rejects. */
export async function judged(write: AdmissionWrite, judge: Judge, mode: FailureMode, ms: number): Promise<Verdict> {
  try {
    const verdict = await within(judge(write), ms);
    return undecided(verdict.unchecked, mode, verdict);
  } catch (error) {
    return undecided([asAppError(error)], mode, ALLOWED);
  }
}

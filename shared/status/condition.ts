import type { Condition, Failure, Progress } from './types.ts';

/** Kubernetes takes 32,768 characters; nobody reads more than this. */
const LONGEST_MESSAGE = 1_024;

/** A condition; its message is cut where nobody reads on. */
export function condition(type: string, status: Condition['status'], reason: string, message: string): Condition {
  return { type, status, reason, message: message.slice(0, LONGEST_MESSAGE) };
}

/** Reasons of `Programmed` as a kind has them. */
interface ProgrammedReasons {
  readonly yes: string;
  readonly invalid: string;
}

/** Kong's kinds (KIC 1.5) and Gateways. */
export const OBJECT_REASONS: ProgrammedReasons = { yes: 'Programmed', invalid: 'Invalid' };
/** Routes of the Gateway API, which has no such condition for them: the reasons are Kong Ingress Controller's (KIC 1.5). */
export const ROUTE_REASONS: ProgrammedReasons = { yes: 'ConfiguredInGateway', invalid: 'TranslationError' };

const WAITING = 'Waiting for the proof that every live data plane runs it.';

/** Whether Kong serves an object: only when every live data plane is proven to run what was written last for it. */
export function programmed(
  failure: Failure | undefined,
  progress: Progress,
  { yes, invalid }: ProgrammedReasons,
): Condition {
  if (failure !== undefined) return condition('Programmed', 'False', invalid, `${failure.reason}: ${failure.message}`);
  if (progress.state === 'pending') return condition('Programmed', 'False', 'Pending', WAITING);
  return condition('Programmed', 'True', yes, progress.proof);
}

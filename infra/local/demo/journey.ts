import { setTimeout as sleep } from 'node:timers/promises';
import { isRecord } from '../../../shared/json.ts';
import { InvocationKilled } from '../aws/index.ts';
import type { Stack } from '../stack.ts';
import { until, type Meter, type Reading } from './meter.ts';
import { send, type Answer, type Probe } from './probe.ts';

/** A request and what its answer must be. */
export interface Proof extends Probe {
  readonly says: string;
  readonly holds: (answer: Answer) => boolean;
  /** What the answers of one data plane must be together. */
  readonly together?: (answers: readonly Answer[]) => boolean;
}

export interface Step {
  readonly name: string;
  /** Changes the cluster. */
  readonly act: () => Promise<void>;
  /** Change events that must reach the bus before anything can be written; 0 when they are lost on purpose. */
  readonly expectedEvents: number;
  /** Runs reconcile after the change. */
  readonly reconcile?: boolean;
  readonly proofs: readonly Proof[];
}

/** What a step showed. */
export interface StepResult extends Reading {
  readonly name: string;
  /** From the end of the change to the report of the last slice, ms. */
  readonly writtenMs: number | undefined;
  /** From the end of the change to the verdict "converged" of every data plane, ms. */
  readonly convergedMs: number;
  /** How the verdict is known: evidence and proof. */
  readonly evidence: string;
  readonly proofs: readonly { readonly says: string; readonly held: boolean; readonly saw: string }[];
}

const WRITTEN_TIMEOUT_MS = 30_000;
const CONVERGED_TIMEOUT_MS = 60_000;
/** Fresh connections spread over a data plane's workers. */
const CONNECTIONS = 12;

interface Judgement {
  readonly converged: boolean;
  readonly evidence: string;
}

/** What converge answered: every data plane has the newest revision, or not yet. */
function judgement(result: unknown): Judgement {
  const verdicts = isRecord(result) && Array.isArray(result['verdicts']) ? result['verdicts'] : [];
  const states = verdicts.map((verdict: unknown) => (isRecord(verdict) ? verdict : {}));
  const known = new Set(states.map((verdict) => `${String(verdict['evidence'])}, ${String(verdict['proof'])}`));
  return {
    converged: states.length > 0 && states.every((verdict) => verdict['state'] === 'converged'),
    evidence: [...known].join(' / '),
  };
}

/** Runs a function on its schedule, once more for as long as it is ended while it runs. */
async function tick(stack: Stack, name: string): Promise<unknown> {
  for (;;) {
    try {
      return await stack.cloud.tick(name);
    } catch (error) {
      if (!(error instanceof InvocationKilled)) throw error;
    }
  }
}

/** Waits until every change is worked off; messages of runs that were ended come again at once. */
async function worked(stack: Stack): Promise<void> {
  await until('the end of the queue', WRITTEN_TIMEOUT_MS, async () => {
    stack.cloud.retryNow();
    return stack.cloud.idle(50).then(
      () => true,
      () => undefined,
    );
  });
}

/** Runs steps one after the other on a stack. */
export interface Journey {
  run(step: Step): Promise<StepResult>;
  /** Waits until every data plane has the newest revision; gives the evidence. */
  converged(): Promise<string>;
}

async function prove(stack: Stack, proof: Proof): Promise<{ says: string; held: boolean; saw: string }> {
  for (const { http, tls } of stack.kong.proxies) {
    const answers: Answer[] = [];
    for (let attempt = 0; attempt < CONNECTIONS; attempt += 1) {
      const answer = await send(proof.scheme === 'https' ? tls : http, proof);
      const saw = `${answer.status} ${answer.body.slice(0, 120)}`;
      if (!proof.holds(answer)) return { says: proof.says, held: false, saw };
      answers.push(answer);
    }
    if (proof.together?.(answers) === false) return { says: proof.says, held: false, saw: 'another mixture' };
  }
  return { says: proof.says, held: true, saw: '' };
}

/** A journey through steps; `settled` waits after each change until Kong follows the cluster. */
export function startJourney(stack: Stack, meter: Meter, settled?: () => Promise<void>): Journey {
  const converged = (): Promise<string> =>
    until('every data plane has the newest revision', CONVERGED_TIMEOUT_MS, async () => {
      const found = judgement(await tick(stack, 'converge'));
      if (found.converged) return found.evidence;
      await sleep(200);
      return undefined;
    });
  return {
    converged,
    async run(step) {
      meter.read();
      const before = stack.cloud.counters().published;
      await step.act();
      const changedAt = Date.now();
      await until(`${step.name}: its events`, WRITTEN_TIMEOUT_MS, () =>
        stack.cloud.counters().published - before >= step.expectedEvents ? true : undefined,
      );
      await worked(stack);
      if (step.reconcile === true) await tick(stack, 'reconcile');
      await settled?.();
      const reading = meter.read();
      const evidence = await converged();
      const convergedMs = Date.now() - changedAt;
      const proofs = [];
      for (const proof of step.proofs) proofs.push(await prove(stack, proof));
      const writtenMs = reading.writtenAt === undefined ? undefined : reading.writtenAt - changedAt;
      return { ...reading, name: step.name, writtenMs, convergedMs, evidence, proofs };
    },
  };
}

import { fork, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { ChildAnswer, ChildEvent, ChildStart } from './child.ts';
import type { Handler } from './functions.ts';
import { isObject } from './json.ts';
import type { FunctionWiring } from './wiring.ts';

/** Ends invocations while they run, as a host that fails would. */
export interface Killer {
  /** When to end this invocation of a function, ms after its handler began; undefined to let it live. */
  next(functionName: string): number | undefined;
  /** Tells that one was ended. */
  killed(functionName: string): void;
}

/** An invocation whose process was ended, in Lambda's words. */
export class InvocationKilled extends Error {
  constructor(functionName: string) {
    super(`${functionName}: Runtime exited with error: signal: killed`);
    this.name = 'Runtime.ExitError';
  }
}

const CHILD = path.join(import.meta.dirname, 'child.ts');

function isAnswer(value: unknown): value is ChildAnswer {
  return isObject(value) && ('result' in value || 'begins' in value || typeof value['message'] === 'string');
}

function spawn(start: ChildStart, log: (line: string) => void): ChildProcess {
  const child = fork(CHILD, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on('line', (line) => {
      if (line.trim() !== '') log(line);
    });
  }
  child.send(start);
  return child;
}

/** Sends an event to a process and waits for its answer, or for its end. `begun`: the handler works. */
async function ask(child: ChildProcess, sent: ChildEvent, name: string, begun: () => void): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const onMessage = (answer: unknown): void => {
    if (!isAnswer(answer)) reject(new Error(`${name} gave no answer`));
    else if ('begins' in answer) begun();
    else if ('result' in answer) resolve(answer.result);
    else reject(Object.assign(new Error(answer.message), { name: answer.name }));
  };
  const onExit = (): void => reject(new InvocationKilled(name));
  child.on('message', onMessage);
  child.on('exit', onExit);
  try {
    child.send(sent);
    return await promise;
  } finally {
    child.off('message', onMessage);
    child.off('exit', onExit);
  }
}

/**
 * A handler that runs in a process of its own, which `killer` may end while it works (SIGKILL: nothing is tidied up). The
 * next event starts another one. `stop` ends it for good.
 */
export function processHandler(
  directory: string,
  wiring: FunctionWiring,
  killer: Killer,
  log: (line: string) => void,
): { readonly handler: Handler; readonly stop: () => void } {
  let child: ChildProcess | undefined;
  const { name } = wiring;
  return {
    handler: async (event, context) => {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null || !child.connected) {
        child = spawn({ directory, wiring }, log);
      }
      const running = child;
      const after = killer.next(name);
      let timer: NodeJS.Timeout | undefined;
      const kill = (): void => {
        if (running.kill('SIGKILL')) killer.killed(name);
      };
      try {
        const deadline = Date.now() + context.getRemainingTimeInMillis();
        return await ask(running, { event, deadline }, name, () => {
          if (after !== undefined) timer = setTimeout(kill, after);
        });
      } finally {
        clearTimeout(timer);
      }
    },
    stop: () => void child?.kill('SIGKILL'),
  };
}

/** Longest life of an invocation that will be ended, ms: most are over before. */
const LONGEST_MS = 400;
/** So often in a row the same function may be ended, so that no message goes to the dead letters for it. */
const IN_A_ROW = 2;

/** Ends every other invocation or so at a random moment, in the same way for the same seed as far as timing allows. */
export function randomKiller(seed: number): Killer & { readonly count: () => number } {
  let state = seed >>> 0;
  let count = 0;
  const row = new Map<string, number>();
  const draw = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 8) % below;
  };
  return {
    next: (name) => {
      const inRow = row.get(name) ?? 0;
      if (inRow >= IN_A_ROW || draw(2) === 0) {
        row.set(name, 0);
        return undefined;
      }
      row.set(name, inRow + 1);
      return draw(LONGEST_MS);
    },
    killed: () => {
      count += 1;
    },
    count: () => count,
  };
}

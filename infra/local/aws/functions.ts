import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Context } from 'aws-lambda';
import { AppError } from '../../../shared/errors.ts';
import { isObject } from './json.ts';
import { processHandler, type Killer } from './process.ts';
import { ACCOUNT, REGION } from './wiring.ts';
import type { FunctionWiring } from './wiring.ts';

/** A Lambda handler of the promise kind. */
export type Handler = (event: unknown, context: Context) => unknown;

export interface Functions {
  /** Runs a function once with a copy of `event`; gives a copy of its result or rejects with its error. */
  invoke(name: string, event: unknown): Promise<unknown>;
  running(): number;
  /** Ends the processes that functions run in, if they have any. */
  stop(): void;
  /** Invocations and failed ones by function. */
  counters(): { readonly invocations: Record<string, number>; readonly errors: Record<string, number> };
}

/** True in the asynchronous context of a handler. */
export const insideHandler = new AsyncLocalStorage<string>();

/** The largest event and answer of an invocation, bytes. */
export const MAX_PAYLOAD_BYTES = 6 * 1024 * 1024;

/** What a function and its caller get from each other: JSON, never a shared object. */
function copy(value: unknown): unknown {
  const text = JSON.stringify(value);
  if (text === undefined) return null;
  if (Buffer.byteLength(text) > MAX_PAYLOAD_BYTES) {
    throw new AppError('LOCAL_CLOUD_UNSUPPORTED', 'an event or answer has more than the 6 MiB that Lambda carries');
  }
  return JSON.parse(text);
}

function unsupported(): never {
  throw new TypeError('callback handlers do not exist on this runtime');
}

/** What a handler learns about its invocation. */
export function contextOf(wiring: FunctionWiring, deadline: number): Context {
  const functionName = `kong-ingress-functions-local-${wiring.name}`;
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn: `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${functionName}`,
    memoryLimitInMB: String(wiring.memoryMb),
    awsRequestId: randomUUID(),
    logGroupName: `/aws/lambda/${functionName}`,
    logStreamName: `${new Date(deadline).toISOString().slice(0, 10)}/[$LATEST]local`,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
    done: unsupported,
    fail: unsupported,
    succeed: unsupported,
  };
}

let environments = 0;

/** A handler with module state of its own, as each execution environment of Lambda has it. */
export async function importHandler(directory: string, wiring: FunctionWiring): Promise<Handler> {
  const dot = wiring.handler.lastIndexOf('.');
  const url = pathToFileURL(join(directory, `${wiring.handler.slice(0, dot)}.ts`));
  environments += 1;
  url.searchParams.set('environment', String(environments));
  const module: unknown = await import(url.href);
  const handler = isObject(module) ? module[wiring.handler.slice(dot + 1)] : undefined;
  if (typeof handler !== 'function') {
    throw new AppError('LOCAL_CLOUD_UNSUPPORTED', `${wiring.name}: there is no handler ${wiring.handler}`);
  }
  return (event, context) => Reflect.apply(handler, undefined, [event, context]);
}

/** Rejects after `ms` as Lambda ends a function; the handler itself cannot be stopped inside this process. */
async function within<T>(work: Promise<T>, ms: number, context: Context): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const late = `${context.awsRequestId} Task timed out after ${(ms / 1000).toFixed(2)} seconds`;
  const timer = setTimeout(() => reject(new Error(late)), ms);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** A gate for at most `limit` at once; the others wait in order. */
function limiter(limit: number): <T>(work: () => Promise<T>) => Promise<T> {
  let free = limit;
  const queue: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => queue.push(resolve));
    try {
      return await work();
    } finally {
      const next = queue.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}

type Counters = Record<string, number>;

function count(counters: Counters, name: string): void {
  counters[name] = (counters[name] ?? 0) + 1;
}

/** Makes a handler for another environment of a function. */
type Make = (wiring: FunctionWiring) => Handler | Promise<Handler>;

/**
 * Runs one function. Each of its environments has one event at a time and is used again, but not after a timeout:
 * what it was doing may still go on.
 */
function runner(make: Make, wiring: FunctionWiring, given: Handler | undefined): (event: unknown) => Promise<unknown> {
  const gate = limiter(wiring.reservedConcurrency ?? Number.POSITIVE_INFINITY);
  const free: Handler[] = [];
  const run = async (event: unknown): Promise<unknown> => {
    const handler = free.pop() ?? given ?? (await make(wiring));
    const context = contextOf(wiring, Date.now() + wiring.timeoutMs);
    let ended = false;
    const call = insideHandler.run(wiring.name, async () => handler(copy(event), context));
    const work = call.finally(() => {
      ended = true;
    });
    return copy(
      await within(work, wiring.timeoutMs, context).finally(() => {
        if (ended) free.push(handler);
      }),
    );
  };
  return (event) => gate(() => run(event));
}

/**
 * Runs the handlers inside this process, imported when they are needed from `directory` unless `handlers` (by function
 * name) has one; with a killer each in a process of its own. `log` gets a line for each invocation that failed.
 */
export function createFunctions(
  directory: string,
  wirings: readonly FunctionWiring[],
  handlers: Readonly<Record<string, Handler>>,
  log: (line: string) => void,
  killer?: Killer,
): Functions {
  const stops: (() => void)[] = [];
  const make: Make = (wiring) => {
    if (killer === undefined) return importHandler(directory, wiring);
    const { handler, stop } = processHandler(directory, wiring, killer, log);
    stops.push(stop);
    return handler;
  };
  const runners = new Map(wirings.map((wiring) => [wiring.name, runner(make, wiring, handlers[wiring.name])]));
  const zero: Counters = Object.fromEntries(wirings.map(({ name }) => [name, 0]));
  const invocations = { ...zero };
  const errors = { ...zero };
  let running = 0;
  return {
    invoke: async (name, event) => {
      const run = runners.get(name);
      if (run === undefined) throw new AppError('LOCAL_CLOUD_UNSUPPORTED', `there is no function ${name}`);
      count(invocations, name);
      running += 1;
      try {
        return await run(event);
      } catch (error) {
        count(errors, name);
        const message = error instanceof Error ? error.message : 'failed';
        log(JSON.stringify({ level: 'ERROR', function: name, message }));
        throw error;
      } finally {
        running -= 1;
      }
    },
    running: () => running,
    stop: () => {
      for (const stop of stops) stop();
    },
    counters: () => ({ invocations: { ...invocations }, errors: { ...errors } }),
  };
}

import { dirname, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '../../../shared/errors.ts';
import { close, listen } from '../listen.ts';
import { createBus } from './bus.ts';
import type { BusEvent } from './bus.ts';
import { createEventsServer } from './events-server.ts';
import { createFunctions } from './functions.ts';
import type { Functions, Handler } from './functions.ts';
import { createHttpFront } from './http.ts';
import { divertHandlerOutput } from './output.ts';
import { startPoller } from './poller.ts';
import { createQueue } from './queue.ts';
import type { Queue } from './queue.ts';
import type { Killer } from './process.ts';
import { scheduledEvent, startSchedule } from './schedule.ts';
import { readServerless } from './variables.ts';
import { REGION, wiringOf } from './wiring.ts';
import type { Wiring } from './wiring.ts';

export type { BusEvent } from './bus.ts';
export type { Handler } from './functions.ts';
export { InvocationKilled, randomKiller, type Killer } from './process.ts';

export interface CloudOptions {
  /** Path of serverless.yml; handlers are found beside it. */
  readonly serverlessFile: string;
  /** What the functions find in their environment, before what serverless.yml says. */
  readonly environment: Readonly<Record<string, string>>;
  /** Port of the HTTP API, a free one unless given. */
  readonly httpPort?: number;
  /** Gets the lines that functions log; the terminal unless given. */
  readonly log?: (line: string) => void;
  /** False to let no time pass: scheduled functions run by `tick` only, and what delayed queues hold stays there. */
  readonly schedules?: boolean;
  /** Handlers by function name that stand in for those of serverless.yml. */
  readonly handlers?: Readonly<Record<string, Handler>>;
  /** Ends functions while they run; they have processes of their own then. */
  readonly killer?: Killer;
}

export interface CloudCounters {
  /** Events that the bus took. */
  readonly published: number;
  /** What the bus handed to queues and functions. */
  readonly delivered: number;
  /** Events lost on purpose. */
  readonly dropped: number;
  /** Entries of PutEvents that were refused. */
  readonly failedEntries: number;
  readonly deadLettered: number;
  /** By function. */
  readonly invocations: Readonly<Record<string, number>>;
  readonly errors: Readonly<Record<string, number>>;
}

export interface DeadLetter {
  /** Logical id of the dead letter queue. */
  readonly queue: string;
  readonly body: string;
  /** What EventBridge says about a delivery that failed. */
  readonly attributes: Readonly<Record<string, string>>;
}

export interface Cloud {
  /** The HTTP API, without a trailing slash. */
  readonly httpUrl: string;
  readonly eventsUrl: string;
  invoke(functionName: string, event: unknown): Promise<unknown>;
  /** Runs a scheduled function now. */
  tick(functionName: string): Promise<unknown>;
  /**
   * Waits until bus and queues (but the dead letter queues, and what waits for a delay) are empty and no function runs.
   * Throws LOCAL_CLOUD_BUSY.
   */
  idle(timeoutMs: number): Promise<void>;
  /** Makes messages that failed visible at once; gives how many. */
  retryNow(): number;
  /** Loses the next `n` events after accepting them. */
  dropNextEvents(n: number): void;
  /** Refuses the next `n` entries of PutEvents. */
  failNextEntries(n: number): void;
  /** Lets the next `n` deliveries from the bus to a target fail. */
  failNextDeliveries(n: number): void;
  /** Calls the listener with every event that the bus takes and does not lose on purpose. */
  onEvent(listener: (event: BusEvent) => void): void;
  counters(): CloudCounters;
  deadLetters(): DeadLetter[];
  stop(): Promise<void>;
}

const STOP_MS = 10_000;
const HOST = 'http://127.0.0.1';

/** Queues by logical id, dead letter queues first, as the others send to them. */
function createQueues(wiring: Wiring): Map<string, Queue> {
  const queues = new Map<string, Queue>();
  for (const queue of wiring.queues.toSorted((one, two) => Number('redrive' in one) - Number('redrive' in two))) {
    queues.set(queue.id, createQueue(queue, queues.get(queue.redrive?.queue ?? '')));
  }
  return queues;
}

function deadLetterIds(wiring: Wiring): ReadonlySet<string> {
  const ofQueues = wiring.queues.map((queue) => queue.redrive?.queue);
  const ofRules = wiring.rules.flatMap((rule) => rule.targets.map((target) => target.deadLetterQueue));
  return new Set([...ofQueues, ...ofRules].filter((id) => id !== undefined));
}

function isDelayed(wiring: Wiring, queue: string): boolean {
  return wiring.queues.some(({ id, delayMs }) => id === queue && delayMs > 0);
}

type Variables = Readonly<Record<string, string | undefined>>;

/** Sets variables of this process, or removes them; gives what sets them back. */
function setEnvironment(values: Variables): () => void {
  const before = Object.fromEntries(Object.keys(values).map((name) => [name, process.env[name]]));
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  return () => void setEnvironment(before);
}

/** A proxy of the machine must not see requests to the local services. */
function withoutProxy(): Variables {
  const hosts = process.env['no_proxy'] ?? process.env['NO_PROXY'];
  const list = [hosts, '127.0.0.1', 'localhost'].filter((host) => host !== undefined).join(',');
  return { no_proxy: list, NO_PROXY: list };
}

function environmentOf(wiring: Wiring, given: Readonly<Record<string, string>>, eventsUrl: string): Variables {
  return {
    ...withoutProxy(),
    ...Object.assign({}, ...wiring.functions.map(({ environment }) => environment)),
    ...given,
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL_EVENTBRIDGE: eventsUrl,
    // The developer's own AWS account would come before the keys above.
    AWS_PROFILE: undefined,
    AWS_SESSION_TOKEN: undefined,
  };
}

/** Waits for a condition, at most `timeoutMs`; gives whether it came true. */
async function settle(done: () => boolean, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (!done() && Date.now() < deadline) await delay(10);
  return done();
}

function startSchedules(wiring: Wiring, functions: Functions): (() => void)[] {
  return wiring.functions.flatMap(({ name, schedules }) =>
    schedules.map((intervalMs) =>
      startSchedule(intervalMs, () => functions.invoke(name, scheduledEvent(name, Date.now()))),
    ),
  );
}

/**
 * Starts what serverless.yml describes on 127.0.0.1: HTTP API, EventBridge, queues, event source mappings and schedules
 * around the functions, which run in this process. There can be one at a time, as functions read `process.env`.
 * Throws LOCAL_CLOUD_UNSUPPORTED for what it cannot do.
 */
export async function startCloud(options: CloudOptions): Promise<Cloud> {
  const file = resolve(options.serverlessFile);
  const wiring = wiringOf(await readServerless(file, { AWS_REGION: REGION, ...options.environment }));
  const queues = createQueues(wiring);
  const dead = deadLetterIds(wiring);
  const log = options.log ?? ((line: string) => void process.stderr.write(`${line}\n`));
  const functions = createFunctions(dirname(file), wiring.functions, options.handlers ?? {}, log, options.killer);
  const bus = createBus(wiring.buses, wiring.rules, {
    queues,
    // What failed is in the log; the function is not run again (maximumRetryAttempts is 0).
    invoke: (name, event) => void functions.invoke(name, event).catch(() => undefined),
  });
  const events = createEventsServer(bus);
  const front = createHttpFront(wiring.functions, functions);
  const eventsUrl = `${HOST}:${await listen(events)}`;
  const httpUrl = `${HOST}:${await listen(front, options.httpPort).catch(async (error: unknown) => {
    await close(events);
    throw error;
  })}`;
  const restoreEnvironment = setEnvironment(environmentOf(wiring, options.environment, eventsUrl));
  const restoreOutput = options.log === undefined ? () => undefined : divertHandlerOutput(options.log);
  const pollers = wiring.functions.flatMap((wired) =>
    wired.queues.flatMap((event) => {
      const queue = queues.get(event.queue);
      const waits = options.schedules === false && isDelayed(wiring, event.queue);
      return queue === undefined || waits ? [] : [startPoller(wired.name, event, queue, functions)];
    }),
  );
  const endSchedules = options.schedules === false ? [] : startSchedules(wiring, functions);
  const isIdle = (): boolean =>
    bus.pending() === 0 &&
    functions.running() === 0 &&
    [...queues.values()].every((queue) => {
      const { visible, inFlight } = queue.counts();
      return dead.has(queue.id) || isDelayed(wiring, queue.id) || visible + inFlight === 0;
    });
  const deadLetters = (): DeadLetter[] =>
    [...dead].flatMap((id) =>
      (queues.get(id)?.peek() ?? []).map(({ body, attributes }) => ({ queue: id, body, attributes })),
    );

  return {
    httpUrl,
    eventsUrl,
    invoke: (name, event) => functions.invoke(name, event),
    tick: (name) => functions.invoke(name, scheduledEvent(name, Date.now())),
    idle: async (timeoutMs) => {
      if (await settle(isIdle, timeoutMs)) return;
      throw new AppError('LOCAL_CLOUD_BUSY', `bus, queue or functions still work after ${timeoutMs} ms`);
    },
    retryNow: () => pollers.reduce((sum, poller) => sum + poller.retryNow(), 0),
    dropNextEvents: (n) => bus.dropNext(n),
    failNextEntries: (n) => bus.failNext(n),
    failNextDeliveries: (n) => bus.failDeliveries(n),
    onEvent: (listener) => bus.observe(listener),
    counters: () => ({ ...bus.counters, deadLettered: deadLetters().length, ...functions.counters() }),
    deadLetters,
    stop: async () => {
      for (const end of endSchedules) end();
      for (const poller of pollers) poller.stop();
      // Functions may end what they do; one that hangs must not keep the stack alive.
      await settle(() => functions.running() === 0, STOP_MS);
      functions.stop();
      await close(front);
      await close(events);
      bus.close();
      for (const queue of queues.values()) queue.close();
      restoreOutput();
      restoreEnvironment();
    },
  };
}

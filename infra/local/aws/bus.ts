import { randomUUID } from 'node:crypto';
import { compilePattern } from './pattern.ts';
import type { Matcher } from './pattern.ts';
import type { Queue } from './queue.ts';
import { ACCOUNT, REGION } from './wiring.ts';
import type { RuleWiring, TargetWiring } from './wiring.ts';
import { isObject } from './json.ts';

/** One entry of PutEvents as it came over the wire. */
export type PutEventsEntry = Readonly<Record<string, unknown>>;

export type EntryResult = { readonly EventId: string } | { readonly ErrorCode: string; readonly ErrorMessage: string };

/** The envelope that targets get. */
export interface BusEvent {
  readonly version: '0';
  readonly id: string;
  readonly 'detail-type': string;
  readonly source: string;
  readonly account: string;
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: unknown;
}

export interface BusCounters {
  published: number;
  delivered: number;
  dropped: number;
  failedEntries: number;
}

export interface Bus {
  readonly counters: Readonly<BusCounters>;
  /** Takes entries as PutEvents does: each succeeds or fails by itself. */
  put(entries: readonly PutEventsEntry[]): EntryResult[];
  /** Accepts the next `n` events and loses them. */
  dropNext(n: number): void;
  /** Refuses the next `n` entries with an error that asks for another try. */
  failNext(n: number): void;
  /** Lets the next `n` deliveries to a target fail. */
  failDeliveries(n: number): void;
  /** Calls the listener with every event that the bus takes and does not lose on purpose, also those that no rule matches. */
  observe(listener: (event: BusEvent) => void): void;
  /** Deliveries that wait for another try. */
  pending(): number;
  close(): void;
}

const RETRY_BASE_MS = 50;
const RETRY_MAX_MS = 5_000;

interface Rule {
  readonly wiring: RuleWiring;
  readonly matches: Matcher;
}

function refusal(code: string, message: string): EntryResult {
  return { ErrorCode: code, ErrorMessage: message };
}

/** Where the bus delivers to. */
export interface Destinations {
  /** By logical id. */
  readonly queues: ReadonlyMap<string, Queue>;
  /** Invokes a function as an event; what becomes of it is not the bus's business. */
  readonly invoke: (name: string, event: BusEvent) => void;
}

function arnOf({ to }: TargetWiring, queues: ReadonlyMap<string, Queue>): string {
  const owner = `${REGION}:${ACCOUNT}`;
  if (to.kind === 'function') return `arn:aws:lambda:${owner}:function:${to.name}`;
  return `arn:aws:sqs:${owner}:${queues.get(to.id)?.name ?? to.id}`;
}

function parseDetail(detail: string): unknown {
  try {
    return JSON.parse(detail);
  } catch {
    return undefined;
  }
}

function missing(name: string): EntryResult {
  return refusal('InvalidArgument', `Parameter ${name} is not valid. Reason: ${name} is a required argument.`);
}

/** The event of an entry, or why EventBridge refuses it. */
export function eventOf(entry: PutEventsEntry, now: number): BusEvent | EntryResult {
  const { Source, DetailType, Detail, Time, Resources } = entry;
  if (typeof Source !== 'string' || Source === '') return missing('Source');
  if (typeof DetailType !== 'string' || DetailType === '') return missing('DetailType');
  if (typeof Detail !== 'string' || Detail === '') return missing('Detail');
  if (Source.startsWith('aws.')) {
    return refusal('NotAuthorizedForSourceException', `Not authorized for the source ${Source}.`);
  }
  const detail = parseDetail(Detail);
  if (!isObject(detail)) return refusal('MalformedDetail', 'Detail is malformed.');
  const time = typeof Time === 'number' ? Time * 1000 : now;
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': DetailType,
    source: Source,
    account: ACCOUNT,
    time: new Date(time).toISOString().replace(/\.\d+Z$/, 'Z'),
    region: REGION,
    resources: Array.isArray(Resources) ? Resources.map(String) : [],
    detail,
  };
}

/** The name in a bus's name or ARN; the account's own bus when there is none. */
function busNameOf(value: unknown): string {
  return typeof value === 'string' ? value.replace(/^arn:[^/]+\//, '') : 'default';
}

/**
 * EventBridge in memory: rules choose the targets (queues and functions), failed deliveries are tried again with
 * backoff under the same event id and end in the target's dead letter queue.
 */
export function createBus(
  buses: readonly string[],
  rules: readonly RuleWiring[],
  { queues, invoke }: Destinations,
): Bus {
  const compiled: Rule[] = rules.map((wiring) => ({ wiring, matches: compilePattern(wiring.pattern) }));
  const counters: BusCounters = { published: 0, delivered: 0, dropped: 0, failedEntries: 0 };
  const retries = new Set<NodeJS.Timeout>();
  const listeners: ((event: BusEvent) => void)[] = [];
  const left = { drop: 0, fail: 0, delivery: 0 };
  const use = (name: keyof typeof left): boolean => {
    if (left[name] === 0) return false;
    left[name] -= 1;
    return true;
  };

  const giveUp = (event: BusEvent, rule: Rule, target: TargetWiring, attempts: number): void => {
    const attributes = {
      RULE_ARN: `arn:aws:events:${REGION}:${ACCOUNT}:rule/${rule.wiring.bus}/${rule.wiring.id}`,
      TARGET_ARN: arnOf(target, queues),
      ERROR_CODE: 'SDK_CLIENT_ERROR',
      RETRY_ATTEMPTS: String(attempts),
    };
    queues.get(target.deadLetterQueue ?? '')?.send(JSON.stringify(event), attributes);
  };
  const handOver = (event: BusEvent, { to }: TargetWiring): boolean => {
    if (use('delivery')) return false;
    if (to.kind === 'function') invoke(to.name, event);
    else if (queues.get(to.id)?.send(JSON.stringify(event)) === undefined) return false;
    counters.delivered += 1;
    return true;
  };
  const deliver = (event: BusEvent, rule: Rule, target: TargetWiring, attempt: number): void => {
    if (handOver(event, target)) return;
    if (attempt >= target.retries) return giveUp(event, rule, target, attempt);
    const timer = setTimeout(
      () => {
        retries.delete(timer);
        deliver(event, rule, target, attempt + 1);
      },
      Math.min(RETRY_BASE_MS * 2 ** attempt, RETRY_MAX_MS),
    );
    retries.add(timer);
  };
  const publish = (event: BusEvent, bus: string): void => {
    counters.published += 1;
    if (use('drop')) {
      counters.dropped += 1;
      return;
    }
    for (const listener of listeners) listener(event);
    for (const rule of compiled) {
      if (rule.wiring.bus !== bus || !rule.matches(event)) continue;
      for (const target of rule.wiring.targets) deliver(event, rule, target, 0);
    }
  };
  const accept = (entry: PutEventsEntry): EntryResult => {
    if (use('fail')) return refusal('InternalFailure', 'The request processing has failed.');
    const bus = busNameOf(entry['EventBusName']);
    if (!buses.includes(bus)) return refusal('ResourceNotFoundException', `Event bus ${bus} does not exist.`);
    const event = eventOf(entry, Date.now());
    if ('ErrorCode' in event || 'EventId' in event) return event;
    publish(event, bus);
    return { EventId: event.id };
  };

  return {
    counters,
    put: (entries) => {
      const results = entries.map(accept);
      counters.failedEntries += results.filter((result) => 'ErrorCode' in result).length;
      return results;
    },
    dropNext: (n) => void (left.drop += n),
    failNext: (n) => void (left.fail += n),
    failDeliveries: (n) => void (left.delivery += n),
    observe: (listener) => void listeners.push(listener),
    pending: () => retries.size,
    close: () => {
      for (const timer of retries) clearTimeout(timer);
      retries.clear();
    },
  };
}

import { parseReference } from '../../../shared/access/reference.ts';
import { AppError } from '../../../shared/errors.ts';
import { asList, asNumber, asObject, asText, isObject, numberOr } from './json.ts';
import type { JsonObject } from './json.ts';

export const REGION = 'local-1';
export const ACCOUNT = '000000000000';

export interface QueueWiring {
  /** Its logical id in CloudFormation, by which everything here refers to it. */
  readonly id: string;
  readonly name: string;
  readonly visibilityMs: number;
  /** `DelaySeconds`: how long a new message stays hidden. */
  readonly delayMs: number;
  readonly retentionMs: number;
  readonly redrive?: { readonly queue: string; readonly maxReceiveCount: number };
}

/** A queue, by its logical id, or a function, by its name in serverless.yml. */
export type Destination =
  | { readonly kind: 'queue'; readonly id: string }
  | { readonly kind: 'function'; readonly name: string };

export interface TargetWiring {
  readonly to: Destination;
  readonly deadLetterQueue?: string;
  /** Deliveries after the first one. */
  readonly retries: number;
}

export interface RuleWiring {
  readonly id: string;
  /** Name of the bus. */
  readonly bus: string;
  readonly pattern: JsonObject;
  readonly targets: readonly TargetWiring[];
}

export interface QueueEvent {
  readonly queue: string;
  readonly batchSize: number;
  readonly windowMs: number;
  readonly concurrency: number;
  readonly partialFailures: boolean;
}

export interface FunctionWiring {
  readonly name: string;
  /** `functions/sync.handler` */
  readonly handler: string;
  readonly timeoutMs: number;
  readonly memoryMb: number;
  /** Invocations at once, undefined for the account's limit. */
  readonly reservedConcurrency: number | undefined;
  readonly environment: Readonly<Record<string, string>>;
  readonly routes: readonly { readonly method: string; readonly path: string }[];
  readonly queues: readonly QueueEvent[];
  /** Intervals, ms. */
  readonly schedules: readonly number[];
}

export interface Wiring {
  /** Names. */
  readonly buses: readonly string[];
  readonly rules: readonly RuleWiring[];
  readonly queues: readonly QueueWiring[];
  readonly functions: readonly FunctionWiring[];
}

type Resources = Readonly<Record<string, JsonObject>>;

function unsupported(message: string): AppError {
  return new AppError('LOCAL_CLOUD_UNSUPPORTED', message);
}

function resourcesOf(service: JsonObject): Resources {
  const parts = Array.isArray(service['resources']) ? service['resources'] : [service['resources'] ?? {}];
  const merged: Record<string, JsonObject> = {};
  for (const part of parts) {
    for (const [id, resource] of Object.entries(
      asObject(asObject(part, 'resources')['Resources'] ?? {}, 'Resources'),
    )) {
      merged[id] = asObject(resource, id);
    }
  }
  return merged;
}

function ofType(resources: Resources, type: string): [string, JsonObject][] {
  return Object.entries(resources)
    .filter(([, resource]) => resource['Type'] === type)
    .map(([id, resource]) => [id, asObject(resource['Properties'], id)]);
}

/** The logical id in `Fn::GetAtt: [id, Arn]`. */
function arnOf(value: unknown, resources: Resources, type: string, where: string): string {
  const attribute = isObject(value) ? value['Fn::GetAtt'] : undefined;
  const [id, name] = Array.isArray(attribute) ? attribute : [];
  if (typeof id !== 'string' || name !== 'Arn' || resources[id]?.['Type'] !== type) {
    throw unsupported(`${where} must be the Arn of an ${type} of this file`);
  }
  return id;
}

function busName(value: unknown, resources: Resources): string {
  const id = isObject(value) ? value['Ref'] : undefined;
  const bus = typeof id === 'string' ? resources[id] : undefined;
  if (bus?.['Type'] !== 'AWS::Events::EventBus') throw unsupported('EventBusName must refer to a bus of this file');
  return asText(asObject(bus['Properties'], 'the bus')['Name'], 'Name of the bus');
}

function queueWiring(id: string, properties: JsonObject, resources: Resources): QueueWiring {
  const base = {
    id,
    name: asText(properties['QueueName'], `${id}.QueueName`),
    visibilityMs: numberOr(properties['VisibilityTimeout'], 30, `${id}.VisibilityTimeout`) * 1000,
    delayMs: numberOr(properties['DelaySeconds'], 0, `${id}.DelaySeconds`) * 1000,
    retentionMs: numberOr(properties['MessageRetentionPeriod'], 345_600, `${id}.MessageRetentionPeriod`) * 1000,
  };
  if (properties['RedrivePolicy'] === undefined) return base;
  const policy = asObject(properties['RedrivePolicy'], `${id}.RedrivePolicy`);
  const queue = arnOf(policy['deadLetterTargetArn'], resources, 'AWS::SQS::Queue', `${id}.deadLetterTargetArn`);
  return { ...base, redrive: { queue, maxReceiveCount: asNumber(policy['maxReceiveCount'], `${id}.maxReceiveCount`) } };
}

/** By the logical id that the Serverless Framework gives a function: `ReconcileLambdaFunction`. */
type FunctionIds = ReadonlyMap<string, { readonly name: string; readonly definition: JsonObject }>;

function functionIds(functions: JsonObject): FunctionIds {
  return new Map(
    Object.entries(functions).map(([name, definition]) => [
      `${name.charAt(0).toUpperCase()}${name.slice(1)}LambdaFunction`,
      { name, definition: asObject(definition, name) },
    ]),
  );
}

function destination(value: unknown, rule: string, resources: Resources, functions: FunctionIds): Destination {
  const attribute = isObject(value) ? value['Fn::GetAtt'] : undefined;
  const target = functions.get(Array.isArray(attribute) && attribute[1] === 'Arn' ? String(attribute[0]) : '');
  if (target === undefined) {
    return { kind: 'queue', id: arnOf(value, resources, 'AWS::SQS::Queue', `${rule}.Targets.Arn`) };
  }
  // Lambda would repeat what fails; the local one does not.
  if (target.definition['maximumRetryAttempts'] !== 0) {
    throw unsupported(`${rule} invokes ${target.name}, whose maximumRetryAttempts must be 0`);
  }
  return { kind: 'function', name: target.name };
}

function targetWiring(value: unknown, rule: string, resources: Resources, functions: FunctionIds): TargetWiring {
  const target = asObject(value, `${rule}.Targets`);
  const retry = asObject(target['RetryPolicy'] ?? {}, `${rule}.RetryPolicy`);
  const dead = target['DeadLetterConfig'];
  return {
    to: destination(target['Arn'], rule, resources, functions),
    retries: numberOr(retry['MaximumRetryAttempts'], 185, `${rule}.MaximumRetryAttempts`),
    ...(dead !== undefined && {
      deadLetterQueue: arnOf(asObject(dead, rule)['Arn'], resources, 'AWS::SQS::Queue', `${rule}.DeadLetterConfig`),
    }),
  };
}

const UNIT_MS: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/** `rate(5 minutes)` in ms. */
export function intervalMs(expression: string): number {
  const match = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression);
  const unit = UNIT_MS[match?.[2] ?? ''];
  if (match === null || unit === undefined) throw unsupported(`schedule ${expression} is not a rate`);
  return Number(match[1]) * unit;
}

function route(value: unknown, name: string): { method: string; path: string } {
  const [method, path] = asText(value, `${name}: httpApi`).split(' ');
  if (method === undefined || path === undefined) throw unsupported(`${name}: httpApi must be like "POST /path"`);
  return { method, path };
}

function queueEvent(value: unknown, name: string, resources: Resources): QueueEvent {
  const event = asObject(value, `${name}: sqs`);
  const response = event['functionResponseType'];
  return {
    queue: arnOf(event['arn'], resources, 'AWS::SQS::Queue', `${name}: sqs.arn`),
    batchSize: numberOr(event['batchSize'], 10, `${name}: batchSize`),
    windowMs: numberOr(event['maximumBatchingWindow'], 0, `${name}: maximumBatchingWindow`) * 1000,
    concurrency: numberOr(event['maximumConcurrency'], 5, `${name}: maximumConcurrency`),
    partialFailures: response === 'ReportBatchItemFailures',
  };
}

/** Texts as they are, references by name; references to secrets, which nobody keeps here, are left out. */
function environmentOf(values: JsonObject, resources: Resources): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(values)) {
    if (typeof value === 'string' && parseReference(value) !== undefined) continue;
    environment[name] = isObject(value) ? busName(value, resources) : String(value);
  }
  return environment;
}

function functionWiring(
  name: string,
  definition: JsonObject,
  common: JsonObject,
  resources: Resources,
): FunctionWiring {
  const events = asList(definition['events'] ?? [], `${name}.events`).map((event) => asObject(event, `${name}.events`));
  const known = ['httpApi', 'sqs', 'schedule'];
  for (const kind of events.flatMap((event) => Object.keys(event))) {
    if (!known.includes(kind)) throw unsupported(`${name}: event ${kind} is not known`);
  }
  const of = (kind: string): unknown[] => events.filter((event) => kind in event).map((event) => event[kind]);
  const reserved = definition['reservedConcurrency'];
  return {
    name,
    handler: asText(definition['handler'], `${name}.handler`),
    timeoutMs: numberOr(definition['timeout'], 6, `${name}.timeout`) * 1000,
    memoryMb: numberOr(definition['memorySize'], 1024, `${name}.memorySize`),
    reservedConcurrency: reserved === undefined ? undefined : asNumber(reserved, `${name}.reservedConcurrency`),
    environment: environmentOf({ ...common, ...asObject(definition['environment'] ?? {}, name) }, resources),
    routes: of('httpApi').map((value) => route(value, name)),
    queues: of('sqs').map((value) => queueEvent(value, name, resources)),
    schedules: of('schedule').map((value) => intervalMs(asText(value, `${name}: schedule`))),
  };
}

/** What a serverless.yml with resolved variables wires together. Throws LOCAL_CLOUD_UNSUPPORTED. */
export function wiringOf(service: JsonObject): Wiring {
  const resources = resourcesOf(service);
  const functions = asObject(service['functions'], 'functions');
  const ids = functionIds(functions);
  const common = asObject(asObject(service['provider'], 'provider')['environment'] ?? {}, 'provider.environment');
  return {
    buses: ofType(resources, 'AWS::Events::EventBus').map(([id]) => busName({ Ref: id }, resources)),
    queues: ofType(resources, 'AWS::SQS::Queue').map(([id, properties]) => queueWiring(id, properties, resources)),
    rules: ofType(resources, 'AWS::Events::Rule').map(([id, properties]) => ({
      id,
      bus: busName(properties['EventBusName'], resources),
      pattern: asObject(properties['EventPattern'], `${id}.EventPattern`),
      targets: asList(properties['Targets'], `${id}.Targets`).map((target) => targetWiring(target, id, resources, ids)),
    })),
    functions: Object.entries(functions).map(([name, definition]) =>
      functionWiring(name, asObject(definition, name), common, resources),
    ),
  };
}

import assert from 'node:assert/strict';
import type { Server } from 'node:http';
import { afterEach, beforeEach, test } from 'node:test';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import type { PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import { createBus } from '../../../infra/local/aws/bus.ts';
import type { Bus } from '../../../infra/local/aws/bus.ts';
import { createEventsServer, sizeOf } from '../../../infra/local/aws/events-server.ts';
import { isObject } from '../../../infra/local/aws/json.ts';
import { createQueue } from '../../../infra/local/aws/queue.ts';
import type { Queue } from '../../../infra/local/aws/queue.ts';
import type { RuleWiring } from '../../../infra/local/aws/wiring.ts';
import { close, listen } from '../../../infra/local/listen.ts';

let bus: Bus;
let server: Server;
let url: string;
let client: EventBridgeClient;
let queues: Map<string, Queue>;

const target = { to: { kind: 'queue', id: 'Target' }, deadLetterQueue: 'Dead', retries: 2 } as const;
const rules: readonly RuleWiring[] = [
  { id: 'Rule', bus: 'one', pattern: { source: [{ prefix: 'test.' }] }, targets: [target] },
  {
    id: 'Other',
    bus: 'two',
    pattern: { source: ['test.a'] },
    targets: [{ to: { kind: 'queue', id: 'Dead' }, retries: 0 }],
  },
  {
    id: 'Call',
    bus: 'one',
    pattern: { source: ['call'] },
    targets: [{ ...target, to: { kind: 'function', name: 'f' } }],
  },
];

let called: [string, unknown][];

beforeEach(async () => {
  called = [];
  queues = new Map(
    ['Target', 'Dead'].map((id) => [
      id,
      createQueue({ id, name: id.toLowerCase(), visibilityMs: 1_000, delayMs: 0, retentionMs: 60_000 }),
    ]),
  );
  bus = createBus(['one', 'two'], rules, { queues, invoke: (name, event) => void called.push([name, event.detail]) });
  server = createEventsServer(bus);
  url = `http://127.0.0.1:${await listen(server)}`;
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  client = new EventBridgeClient({ endpoint: url, region: 'local-1', credentials, maxAttempts: 1 });
});

afterEach(async () => {
  bus.close();
  client.destroy();
  await close(server);
});

const good: PutEventsRequestEntry = { EventBusName: 'one', Source: 'test.a', DetailType: 'T', Detail: '{"n":1}' };

async function errorCodes(...entries: PutEventsRequestEntry[]): Promise<(string | undefined)[]> {
  const { Entries, FailedEntryCount } = await client.send(new PutEventsCommand({ Entries: entries }));
  assert.equal(FailedEntryCount, Entries?.filter(({ ErrorCode }) => ErrorCode !== undefined).length);
  return (Entries ?? []).map(({ ErrorCode, EventId }) => ErrorCode ?? (EventId === undefined ? 'no id' : undefined));
}

function bodies(id: string): Record<string, unknown>[] {
  return (queues.get(id)?.peek() ?? []).map(({ body }) => {
    const parsed: unknown = JSON.parse(body);
    assert.ok(isObject(parsed));
    return { ...parsed };
  });
}

test('each entry succeeds or fails by itself', async () => {
  const codes = await errorCodes(
    good,
    { ...good, Detail: 'no JSON' },
    { ...good, Detail: '[1]' },
    { ...good, Source: undefined },
    { ...good, DetailType: '' },
    { ...good, Detail: undefined },
    { ...good, Source: 'aws.ec2' },
    { ...good, EventBusName: 'three' },
    good,
  );
  assert.deepEqual(codes, [
    undefined,
    'MalformedDetail',
    'MalformedDetail',
    'InvalidArgument',
    'InvalidArgument',
    'InvalidArgument',
    'NotAuthorizedForSourceException',
    'ResourceNotFoundException',
    undefined,
  ]);
  assert.equal(bodies('Target').length, 2);
});

test('a target gets the envelope that EventBridge makes', async () => {
  const Time = new Date('2026-01-02T03:04:05.678Z');
  const answer = await client.send(new PutEventsCommand({ Entries: [{ ...good, Time, Resources: ['r'] }] }));
  assert.deepEqual(bodies('Target'), [
    {
      version: '0',
      id: answer.Entries?.[0]?.EventId,
      'detail-type': 'T',
      source: 'test.a',
      account: '000000000000',
      time: '2026-01-02T03:04:05Z',
      region: 'local-1',
      resources: ['r'],
      detail: { n: 1 },
    },
  ]);
});

test('rules belong to their bus, and a bus may be named by its ARN', async () => {
  await errorCodes({ ...good, EventBusName: 'arn:aws:events:local-1:000000000000:event-bus/two' });
  await errorCodes({ ...good, EventBusName: 'two', Source: 'test.b' });
  assert.deepEqual([bodies('Target').length, bodies('Dead').length], [0, 1]);
});

test('a call takes at most 10 entries and less than 1 MiB', async () => {
  const error = { name: 'ValidationException' };
  await assert.rejects(errorCodes(...Array.from({ length: 11 }, () => good)), error);
  await assert.rejects(errorCodes(), error);
  const overhead = sizeOf({ ...good, Detail: '{"n":""}' });
  const filled = (bytes: number): PutEventsRequestEntry => ({ ...good, Detail: `{"n":"${'x'.repeat(bytes)}"}` });
  await assert.rejects(errorCodes(filled(1_048_576 - overhead)), error);
  assert.deepEqual(await errorCodes(filled(1_048_575 - overhead)), [undefined]);
});

test('a listener hears what the bus takes, matched or not, but not what is lost on purpose', async () => {
  const heard: string[] = [];
  bus.observe(({ source }) => void heard.push(source));
  bus.dropNext(1);
  await errorCodes(good);
  await errorCodes({ ...good, Source: 'unmatched' }, { ...good, Detail: 'no JSON' });
  assert.deepEqual(heard, ['unmatched']);
  assert.deepEqual(bus.counters, { published: 2, delivered: 0, dropped: 1, failedEntries: 1 });
});

test('sizes count as EventBridge counts them', () => {
  const entry = { Source: 'ab', DetailType: 'c', Detail: '"ä"', EventBusName: 'long name' };
  assert.equal(sizeOf(entry), 7);
  assert.equal(sizeOf({ ...entry, Time: 1, Resources: ['x', 'yz'] }), 7 + 14 + 3);
});

test('a delivery that fails is tried again with the same id, then it is a dead letter', async () => {
  bus.failDeliveries(3);
  await errorCodes(good);
  const deadline = Date.now() + 10_000;
  while (bus.pending() > 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(bodies('Target').length, 0);
  const [letter] = queues.get('Dead')?.peek() ?? [];
  assert.equal(letter?.attributes['RETRY_ATTEMPTS'], '2');
  assert.match(letter?.attributes['RULE_ARN'] ?? '', /rule\/one\/Rule$/);
  bus.failDeliveries(1);
  const answer = await client.send(new PutEventsCommand({ Entries: [good] }));
  while (bodies('Target').length === 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(
    bodies('Target').map(({ id }) => id),
    [answer.Entries?.[0]?.EventId],
  );
});

test('a rule may invoke a function, and what cannot be delivered to it is a dead letter too', async () => {
  await errorCodes({ ...good, Source: 'call' });
  assert.deepEqual(called, [['f', { n: 1 }]]);
  assert.equal(bus.counters.delivered, 1);
  bus.failDeliveries(3);
  await errorCodes({ ...good, Source: 'call' });
  const deadline = Date.now() + 10_000;
  while (bus.pending() > 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(called.length, 1);
  assert.match(queues.get('Dead')?.peek()[0]?.attributes['TARGET_ARN'] ?? '', /:function:f$/);
});

test('requests that are not PutEvents, not signed or not JSON are refused', async () => {
  const headers = { 'x-amz-target': 'AWSEvents.PutEvents', authorization: 'AWS4-HMAC-SHA256 …'.replace('…', 'x') };
  const cases = [
    {
      headers: { ...headers, 'x-amz-target': 'AWSEvents.ListRules' },
      body: '{}',
      status: 400,
      type: 'UnknownOperationException',
    },
    {
      headers: { 'x-amz-target': headers['x-amz-target'] },
      body: '{}',
      status: 403,
      type: 'MissingAuthenticationTokenException',
    },
    { headers, body: '{', status: 400, type: 'SerializationException' },
    { headers, body: '{"Entries":[1]}', status: 400, type: 'ValidationException' },
    { headers, body: 'x'.repeat(9 * 1024 * 1024), status: 413, type: 'RequestEntityTooLargeException' },
  ];
  for (const { headers: sent, body, status, type } of cases) {
    const response = await fetch(url, { method: 'POST', headers: sent, body });
    const answer: unknown = await response.json();
    assert.deepEqual([response.status, isObject(answer) ? answer['__type'] : undefined], [status, type]);
  }
});

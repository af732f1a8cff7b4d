import assert from 'node:assert/strict';
import { after, afterEach, mock, test } from 'node:test';
import { join } from 'node:path';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { startCloud } from '../../../infra/local/aws/index.ts';
import type { Cloud, CloudOptions, Handler } from '../../../infra/local/aws/index.ts';
import { isObject } from '../../../infra/local/aws/json.ts';
import { CLUSTER_CHANGE, EVENT_SOURCE } from '../../../shared/events.ts';
import { AppError } from '../../../shared/errors.ts';

const serverlessFile = join(import.meta.dirname, '../../../serverless.yml');
let cloud: Cloud | undefined;

async function start(handlers: Record<string, Handler>, options: Partial<CloudOptions> = {}): Promise<Cloud> {
  cloud = await startCloud({ serverlessFile, environment: {}, handlers, log: () => undefined, ...options });
  return cloud;
}

afterEach(async () => {
  await cloud?.stop();
  cloud = undefined;
});

const clients: EventBridgeClient[] = [];
after(() => {
  for (const client of clients) client.destroy();
});

/** The real SDK client, configured by nothing but the environment that the functions find. */
async function publish(names: readonly string[], bus = process.env['EVENT_BUS_NAME']): Promise<number> {
  const client = new EventBridgeClient({ maxAttempts: 1 });
  clients.push(client);
  const answer = await client.send(
    new PutEventsCommand({
      Entries: names.map((name) => ({
        EventBusName: bus,
        Source: EVENT_SOURCE,
        DetailType: CLUSTER_CHANGE,
        Detail: JSON.stringify({ name }),
      })),
    }),
  );
  return answer.FailedEntryCount ?? 0;
}

interface Received {
  readonly messageId: string;
  readonly name: unknown;
  readonly eventId: unknown;
  readonly receives: string;
}

function records(event: unknown): Received[] {
  assert.ok(isObject(event) && Array.isArray(event['Records']));
  return event['Records'].map((record: unknown) => {
    assert.ok(isObject(record) && typeof record['messageId'] === 'string' && isObject(record['attributes']));
    const body: unknown = JSON.parse(String(record['body']));
    assert.ok(isObject(body) && isObject(body['detail']));
    return {
      messageId: record['messageId'],
      name: body['detail']['name'],
      eventId: body['id'],
      receives: String(record['attributes']['ApproximateReceiveCount']),
    };
  });
}

test('an event goes from the SDK over bus, rule and queue to sync, and one call makes one batch', async () => {
  const batches: Received[][] = [];
  const running = await start({ sync: (event) => void batches.push(records(event)) });
  assert.equal(await publish(['one', 'two']), 0);
  assert.equal(await publish(['three']), 0);
  await running.idle(10_000);
  assert.deepEqual(
    batches.map((batch) => batch.map(({ name }) => name)),
    [['one', 'two'], ['three']],
  );
  assert.equal(new Set(batches.flat().map(({ eventId }) => eventId)).size, 3);
  const { invocations, ...counters } = running.counters();
  assert.equal(invocations['sync'], 2);
  assert.deepEqual(counters, {
    published: 3,
    delivered: 3,
    dropped: 0,
    failedEntries: 0,
    deadLettered: 0,
    errors: { webhook: 0, webhookLogs: 0, sync: 0, reconcile: 0, converge: 0, status: 0 },
  });
});

test('events of another source or type reach nobody', async () => {
  const running = await start({ sync: () => assert.fail('not for sync') });
  const client = new EventBridgeClient();
  clients.push(client);
  const EventBusName = process.env['EVENT_BUS_NAME'];
  await client.send(
    new PutEventsCommand({
      Entries: [
        { EventBusName, Source: 'others', DetailType: CLUSTER_CHANGE, Detail: '{}' },
        { EventBusName, Source: EVENT_SOURCE, DetailType: 'DriftRepaired', Detail: '{}' },
      ],
    }),
  );
  await running.idle(5_000);
  assert.deepEqual([running.counters().published, running.counters().delivered], [2, 0]);
});

test('only the messages that failed come back, and after five times they are dead letters', async () => {
  const seen: Received[][] = [];
  const running = await start({
    sync: (event) => {
      const batch = records(event);
      seen.push(batch);
      const failures = batch.filter(({ name }) => name === 'bad');
      return { batchItemFailures: failures.map(({ messageId }) => ({ itemIdentifier: messageId })) };
    },
  });
  await publish(['good', 'bad']);
  for (let times = 1; times <= 5; times += 1) {
    await until(() => seen.length === times);
    await until(() => running.retryNow() === 1);
  }
  await running.idle(10_000);
  assert.deepEqual(
    seen.map((batch) => batch.map(({ name, receives }) => `${String(name)} ${receives}`)),
    [['good 1', 'bad 1'], ['bad 2'], ['bad 3'], ['bad 4'], ['bad 5']],
  );
  const [letter, ...others] = running.deadLetters();
  assert.equal(others.length, 0);
  assert.equal(letter?.queue, 'SyncDeadLetterQueue');
  assert.equal(running.counters().deadLettered, 1);
});

test('a handler that throws gets its whole batch again', async () => {
  let calls = 0;
  const running = await start({
    sync: (event) => {
      calls += 1;
      if (calls === 1) throw new Error('broken');
      assert.equal(records(event).length, 2);
    },
  });
  await publish(['one', 'two']);
  await until(() => running.retryNow() === 2);
  await running.idle(10_000);
  assert.deepEqual([calls, running.counters().errors['sync']], [2, 1]);
});

test('two batches at most run at once', async () => {
  let now = 0;
  let most = 0;
  const gates: (() => void)[] = [];
  const running = await start({
    sync: async () => {
      now += 1;
      most = Math.max(most, now);
      await new Promise<void>((resolve) => gates.push(resolve));
      now -= 1;
    },
  });
  for (let part = 0; part < 25; part += 1) await publish(Array.from({ length: 10 }, (_, index) => `${part}.${index}`));
  await until(() => gates.length === 2);
  for (let done = 0; done < 3; done += 1) {
    await until(() => gates.length > 0);
    gates.shift()?.();
  }
  await running.idle(10_000);
  assert.deepEqual([most, running.counters().invocations['sync']], [2, 3]);
});

test('lost, refused and undeliverable events are what the hooks say', async () => {
  const got: unknown[] = [];
  const running = await start({ sync: (event) => void got.push(...records(event).map(({ name }) => name)) });
  running.dropNextEvents(1);
  assert.equal(await publish(['lost']), 0);
  running.failNextEntries(1);
  assert.equal(await publish(['refused', 'taken']), 1);
  running.failNextDeliveries(2);
  assert.equal(await publish(['late']), 0);
  await running.idle(10_000);
  assert.deepEqual(new Set(got), new Set(['late', 'taken']));
  const { published, delivered, dropped, failedEntries } = running.counters();
  assert.deepEqual([published, delivered, dropped, failedEntries], [3, 2, 1, 1]);
});

test('a bus that does not exist refuses its entries', async () => {
  await start({});
  assert.equal(await publish(['nowhere'], 'another-bus'), 1);
});

test('a write leads to a check of the data planes after the delay of its queue, unless time stands still', async () => {
  const handlers = { converge: (event: unknown) => void checks.push(event) };
  const checks: unknown[] = [];
  const applied = { Source: EVENT_SOURCE, DetailType: 'ConfigurationApplied', Detail: '{}' };
  const put = async (): Promise<void> => {
    const client = new EventBridgeClient();
    clients.push(client);
    const EventBusName = process.env['EVENT_BUS_NAME'];
    await client.send(new PutEventsCommand({ Entries: [{ EventBusName, ...applied }] }));
  };
  const still = await start(handlers, { schedules: false });
  await put();
  await still.idle(5_000);
  assert.deepEqual([still.counters().delivered, checks], [1, []]);
  await still.stop();
  const sentAt = Date.now();
  await start(handlers, { schedules: true });
  await put();
  await until(() => checks.length === 1);
  assert.ok(Date.now() - sentAt >= 1_000);
});

test('schedules run by themselves unless they are off', { timeout: 10_000 }, async () => {
  mock.timers.enable({ apis: ['setInterval'] });
  try {
    const ran: string[] = [];
    const handlers = { reconcile: () => void ran.push('reconcile'), converge: () => void ran.push('converge') };
    await start(handlers);
    mock.timers.tick(300_000);
    await cloud?.idle(5_000);
    assert.deepEqual(new Set(ran), new Set(['converge', 'reconcile']));
    await cloud?.stop();
    ran.length = 0;
    await start(handlers, { schedules: false });
    mock.timers.tick(300_000);
    await cloud?.idle(5_000);
    assert.deepEqual(ran, []);
  } finally {
    mock.timers.reset();
  }
});

test('a tick runs a scheduled function with a scheduled event', async () => {
  const running = await start({
    converge: (event, context) => {
      assert.ok(isObject(event));
      const remaining = context.getRemainingTimeInMillis();
      assert.ok(remaining > 0 && remaining <= 55_000);
      return { type: event['detail-type'], source: event['source'], name: context.functionName };
    },
  });
  assert.deepEqual(await running.tick('converge'), {
    type: 'Scheduled Event',
    source: 'aws.events',
    name: 'kong-ingress-functions-local-converge',
  });
  await assert.rejects(running.tick('nobody'), (error: unknown) => error instanceof AppError);
});

test('a function with reserved concurrency 1 never runs twice at once', async () => {
  let now = 0;
  const running = await start({
    reconcile: async () => {
      now += 1;
      await new Promise((resolve) => setImmediate(resolve));
      assert.equal(now, 1);
      now -= 1;
    },
  });
  await Promise.all([running.tick('reconcile'), running.tick('reconcile'), running.tick('reconcile')]);
});

test('idle tells when something still works', async () => {
  const { promise, resolve: release } = Promise.withResolvers<void>();
  const running = await start({ converge: () => promise });
  const tick = running.tick('converge');
  await assert.rejects(
    running.idle(20),
    (error: unknown) => error instanceof AppError && error.code === 'LOCAL_CLOUD_BUSY',
  );
  release();
  await tick;
  await running.idle(5_000);
});

test('the environment is what is given before what serverless.yml says, and is put back', async () => {
  const before = process.env['KONG_ADMIN_URL'];
  await start({}, { environment: { KONG_ADMIN_URL: 'http://127.0.0.1:1', WEBHOOK_TOKENS: 'secret' } });
  assert.equal(process.env['KONG_ADMIN_URL'], 'http://127.0.0.1:1');
  assert.equal(process.env['WEBHOOK_TOKENS'], 'secret');
  assert.equal(process.env['POWERTOOLS_SERVICE_NAME'], 'kong-ingress-functions');
  await cloud?.stop();
  cloud = undefined;
  assert.equal(process.env['KONG_ADMIN_URL'], before);
  assert.equal(process.env['WEBHOOK_TOKENS'], undefined);
});

test('the AWS account and the proxy of the developer are not used', async () => {
  const own = { AWS_PROFILE: 'own', AWS_SESSION_TOKEN: 'own', no_proxy: 'own.test', HTTP_PROXY: 'http://127.0.0.1:9' };
  const before = Object.keys(own).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, own);
  try {
    await start({ sync: () => undefined });
    assert.equal(process.env['AWS_PROFILE'], undefined);
    assert.equal(process.env['NO_PROXY'], 'own.test,127.0.0.1,localhost');
    assert.equal(await publish(['one']), 0);
    await cloud?.stop();
    cloud = undefined;
    assert.equal(process.env['AWS_PROFILE'], 'own');
    assert.equal(process.env['no_proxy'], 'own.test');
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
});

test('what a handler prints goes to the log, what others print does not', async () => {
  const lines: string[] = [];
  const running = await start(
    { converge: () => void process.stdout.write('one\ntwo\n') },
    { log: (line) => void lines.push(line) },
  );
  await running.tick('converge');
  assert.deepEqual(lines, ['one', 'two']);
});

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!condition()) {
    assert.ok(Date.now() < deadline, 'it did not happen in time');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

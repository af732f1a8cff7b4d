import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createFunctions } from '../../../infra/local/aws/functions.ts';
import type { Functions, Handler } from '../../../infra/local/aws/functions.ts';
import { failedOf } from '../../../infra/local/aws/poller.ts';
import type { Message } from '../../../infra/local/aws/queue.ts';
import { InvocationKilled, type Killer } from '../../../infra/local/aws/process.ts';
import type { FunctionWiring } from '../../../infra/local/aws/wiring.ts';
import { asObject } from '../../../infra/local/aws/json.ts';

let directory: string;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'functions-test-'));
  await mkdir(join(directory, 'functions'));
  const source = 'let calls = 0; export const handler = async (event) => ({ calls: (calls += 1), event });';
  const hang = `export const hang = async (event) => {
    calls += 1;
    if (event === 'throw') throw new Error('thrown');
    return event === 'hang' ? new Promise(() => undefined) : calls;
  };`;
  await writeFile(join(directory, 'functions', 'one.ts'), `${source} ${hang} export const notFunction = 1;`);
  await writeFile(join(directory, 'package.json'), '{"type":"module"}');
});

after(() => rm(directory, { recursive: true, force: true }));

const WIRING: FunctionWiring = {
  name: 'one',
  handler: '',
  timeoutMs: 5_000,
  memoryMb: 128,
  reservedConcurrency: undefined,
  environment: {},
  routes: [],
  queues: [],
  schedules: [],
};

function functions(handler: string, given?: Handler, timeoutMs = 5_000, log: string[] = []): Functions {
  const wiring = { ...WIRING, handler, timeoutMs };
  return createFunctions(directory, [wiring], given === undefined ? {} : { one: given }, (line) => void log.push(line));
}

test('a handler is imported from its file, once for events that come one by one', async () => {
  const subject = functions('functions/one.handler');
  assert.deepEqual(await subject.invoke('one', { a: 1 }), { calls: 1, event: { a: 1 } });
  assert.deepEqual(await subject.invoke('one', { a: 2 }), { calls: 2, event: { a: 2 } });
  assert.deepEqual(subject.counters(), { invocations: { one: 2 }, errors: { one: 0 } });
});

test('events at the same time, and other clouds, have module state of their own', async () => {
  const subject = functions('functions/one.handler');
  const both = await Promise.all([subject.invoke('one', 1), subject.invoke('one', 2)]);
  assert.deepEqual(both, [
    { calls: 1, event: 1 },
    { calls: 1, event: 2 },
  ]);
  assert.deepEqual(await functions('functions/one.handler').invoke('one', 3), { calls: 1, event: 3 });
});

test('an environment is not used again after a timeout, but after an error', async () => {
  const subject = functions('functions/one.hang', undefined, 50);
  await assert.rejects(subject.invoke('one', 'hang'), /timed out/);
  assert.equal(await subject.invoke('one', 'count'), 1);
  await assert.rejects(subject.invoke('one', 'throw'), /thrown/);
  assert.equal(await subject.invoke('one', 'count'), 3);
});

test('a handler that is not there is an error', async () => {
  const code = { code: 'LOCAL_CLOUD_UNSUPPORTED' };
  await assert.rejects(functions('functions/one.missing').invoke('one', {}), code);
  await assert.rejects(functions('functions/one.notFunction').invoke('one', {}), code);
  await assert.rejects(functions('functions/none.handler').invoke('one', {}), { code: 'ERR_MODULE_NOT_FOUND' });
});

test('events and results are JSON, not shared objects', async () => {
  const event = { list: [1], gone: undefined };
  const subject = functions('', (received) => {
    assert.deepEqual(received, { list: [1] });
    Object.assign(asObject(received, 'event'), { list: [] });
    return { when: new Date(0) };
  });
  assert.deepEqual(await subject.invoke('one', event), { when: '1970-01-01T00:00:00.000Z' });
  assert.deepEqual(event.list, [1]);
  assert.equal(await functions('', () => undefined).invoke('one', {}), null);
});

test('more than 6 MiB is refused, both ways', async () => {
  const big = 'x'.repeat(6 * 1024 * 1024);
  await assert.rejects(functions('', () => null).invoke('one', big), { code: 'LOCAL_CLOUD_UNSUPPORTED' });
  await assert.rejects(functions('', () => big).invoke('one', {}), { code: 'LOCAL_CLOUD_UNSUPPORTED' });
});

test('a function that takes too long fails, and the log says so', async () => {
  const log: string[] = [];
  const subject = functions('', () => new Promise(() => undefined), 20, log);
  await assert.rejects(subject.invoke('one', {}), /Task timed out after 0.02 seconds/);
  assert.deepEqual(subject.counters().errors, { one: 1 });
  assert.equal(subject.running(), 0);
  assert.match(log.join('\n'), /"function":"one".*timed out/);
});

test('a context tells about the function and the time that is left', async () => {
  const ids = new Set<string>();
  const subject = functions('', (_event, context) => {
    ids.add(context.awsRequestId);
    assert.equal(context.memoryLimitInMB, '128');
    assert.match(context.invokedFunctionArn, /^arn:aws:lambda:local-1:000000000000:function:kong-ingress-functions-/);
    const left = context.getRemainingTimeInMillis();
    assert.ok(left > 0 && left <= 5_000);
  });
  await subject.invoke('one', {});
  await subject.invoke('one', {});
  assert.equal(ids.size, 2);
});

function message(messageId: string): Message {
  const attributes = {
    ApproximateReceiveCount: '1',
    ApproximateFirstReceiveTimestamp: '0',
    SentTimestamp: '0',
    SenderId: 'x',
  };
  return { messageId, receiptHandle: messageId, body: '', md5OfBody: '', attributes, messageAttributes: {} };
}

/** Lambda's own reading of a partial batch answer; undefined is the whole batch. */
const ANSWERS: readonly [unknown, readonly string[] | undefined][] = [
  [undefined, []],
  [null, []],
  [{}, []],
  [{ batchItemFailures: null }, []],
  [{ batchItemFailures: [] }, []],
  [{ batchItemFailures: [{ itemIdentifier: 'b' }] }, ['b']],
  [{ batchItemFailures: [{ itemIdentifier: 'a' }, { itemIdentifier: 'b' }] }, ['a', 'b']],
  [{ batchItemFailures: [{ itemIdentifier: 'c' }] }, undefined],
  [{ batchItemFailures: [{ itemIdentifier: '' }] }, undefined],
  [{ batchItemFailures: [{}] }, undefined],
  [{ batchItemFailures: 'a' }, undefined],
];

for (const [answer, failed] of ANSWERS) {
  test(`${JSON.stringify(answer) ?? 'nothing'} fails ${failed === undefined ? 'the whole batch' : `[${failed.join()}]`}`, () => {
    const set = failedOf(answer, [message('a'), message('b')]);
    assert.deepEqual(set === undefined ? undefined : [...set], failed);
  });
}

test('with a killer a function has a process of its own, which is ended while it works and replaced by the next event', async () => {
  const ends: (number | undefined)[] = [undefined, 0, undefined, undefined];
  let killed = 0;
  const killer: Killer = {
    next: () => ends.shift(),
    killed: () => {
      killed += 1;
    },
  };
  const wiring = { ...WIRING, handler: 'functions/one.hang', timeoutMs: 20_000 };
  const subject = createFunctions(directory, [wiring], {}, () => undefined, killer);
  try {
    assert.equal(await subject.invoke('one', 'first'), 1);
    await assert.rejects(subject.invoke('one', 'hang'), InvocationKilled);
    assert.equal(await subject.invoke('one', 'after'), 1);
    await assert.rejects(subject.invoke('one', 'throw'), { message: 'thrown' });
    assert.deepEqual([killed, subject.counters()], [1, { invocations: { one: 4 }, errors: { one: 2 } }]);
  } finally {
    subject.stop();
  }
});

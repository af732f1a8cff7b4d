import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, mock, test } from 'node:test';
import fc from 'fast-check';
import { createQueue } from '../../../infra/local/aws/queue.ts';
import type { Queue } from '../../../infra/local/aws/queue.ts';

const VISIBILITY_MS = 1_000;
const MAX_RECEIVES = 3;
const RETENTION_MS = 60_000;
const TIMES = { visibilityMs: VISIBILITY_MS, delayMs: 0, retentionMs: RETENTION_MS };

beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 }));
afterEach(() => mock.timers.reset());

function pair(): { queue: Queue; dead: Queue } {
  const dead = createQueue({ id: 'Dead', name: 'dead', ...TIMES });
  const redrive = { queue: 'Dead', maxReceiveCount: MAX_RECEIVES };
  return { dead, queue: createQueue({ id: 'Queue', name: 'queue', ...TIMES, redrive }, dead) };
}

test('a message is received once, with its checksum, and gone after its deletion', async () => {
  const { queue } = pair();
  const id = queue.send('{"a":"ä"}', { WHY: 'test' });
  const [message, ...others] = await queue.receive(10, 0);
  assert.equal(others.length, 0);
  assert.equal(message?.messageId, id);
  assert.equal(message.md5OfBody, createHash('md5').update('{"a":"ä"}').digest('hex'));
  assert.deepEqual(message.messageAttributes, { WHY: { dataType: 'String', stringValue: 'test' } });
  assert.equal(message.attributes.SentTimestamp, '1000000');
  assert.deepEqual(await queue.receive(10, 0), []);
  assert.equal(queue.delete(message.receiptHandle), true);
  mock.timers.tick(VISIBILITY_MS);
  assert.deepEqual(queue.counts(), { visible: 0, inFlight: 0, delayed: 0 });
});

test('a message that is not deleted comes back, and its old receipt is worth nothing', async () => {
  const { queue } = pair();
  queue.send('one');
  const [first] = await queue.receive(1, 0);
  mock.timers.tick(VISIBILITY_MS - 1);
  assert.deepEqual(queue.counts(), { visible: 0, inFlight: 1, delayed: 0 });
  mock.timers.tick(1);
  const [second] = await queue.receive(1, 0);
  assert.equal(second?.messageId, first?.messageId);
  assert.equal(second?.attributes.ApproximateReceiveCount, '2');
  assert.equal(second?.attributes.ApproximateFirstReceiveTimestamp, '1000000');
  assert.equal(queue.delete(first?.receiptHandle ?? ''), false);
  assert.equal(queue.changeVisibility(first?.receiptHandle ?? '', 0), false);
  assert.equal(queue.delete(second?.receiptHandle ?? ''), true);
});

test('visibility can be given up and prolonged', async () => {
  const { queue } = pair();
  queue.send('one');
  const [first] = await queue.receive(1, 0);
  assert.equal(queue.changeVisibility(first?.receiptHandle ?? '', 0), true);
  const [second] = await queue.receive(1, 0);
  assert.equal(queue.changeVisibility(second?.receiptHandle ?? '', 5_000), true);
  mock.timers.tick(4_999);
  assert.equal(queue.counts().inFlight, 1);
  mock.timers.tick(1);
  assert.equal(queue.counts().visible, 1);
});

test('waiting ends with the first message, with the time, and with an abort', async () => {
  const { queue } = pair();
  const first = queue.receive(10, 20_000);
  queue.send('one');
  const [message] = await first;
  assert.equal(queue.delete(message?.receiptHandle ?? ''), true);
  const second = queue.receive(10, 20_000);
  mock.timers.tick(20_000);
  assert.deepEqual(await second, []);
  const abort = new AbortController();
  const third = queue.receive(10, 20_000, abort.signal);
  abort.abort();
  assert.deepEqual(await third, []);
  assert.deepEqual(await queue.receive(10, 20_000, abort.signal), []);
});

test('two who wait do not get the same message', async () => {
  const { queue } = pair();
  const waiting = [queue.receive(1, 1_000), queue.receive(1, 1_000)];
  queue.send('one');
  queue.send('two');
  const bodies = (await Promise.all(waiting)).flat().map(({ body }) => body);
  assert.deepEqual(bodies, ['one', 'two']);
});

type Step = { readonly kind: 'send' } | { readonly kind: 'receive' | 'delete' | 'return' | 'pass'; readonly n: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.constant<Step>({ kind: 'send' }),
  fc.record({ kind: fc.constantFrom('receive', 'delete', 'return', 'pass' as const), n: fc.nat(5) }),
);

test('whatever happens, no message is lost, doubled, or received more often than allowed', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const { queue, dead } = pair();
      const receipts: string[] = [];
      const receives = new Map<string, number>();
      let sent = 0;
      let deleted = 0;
      for (const action of steps) {
        if (action.kind === 'send') {
          queue.send(String(sent));
          sent += 1;
        } else if (action.kind === 'receive') {
          for (const { body, receiptHandle } of await queue.receive(action.n, 0)) {
            receipts.push(receiptHandle);
            receives.set(body, (receives.get(body) ?? 0) + 1);
          }
        } else if (action.kind === 'pass') {
          mock.timers.tick(action.n * 300);
        } else {
          const receipt = receipts[action.n] ?? '';
          if (action.kind === 'return') queue.changeVisibility(receipt, 0);
          else if (queue.delete(receipt)) deleted += 1;
        }
        const { visible, inFlight } = queue.counts();
        const buried = dead.counts().visible;
        assert.equal(visible + inFlight + deleted + buried, sent);
        assert.equal(new Set([...queue.peek(), ...dead.peek()].map(({ body }) => body)).size, sent - deleted);
      }
      for (const [body, times] of receives) assert.ok(times <= MAX_RECEIVES, body);
      queue.close();
    }),
  );
});

test('a new message of a delayed queue stays hidden for the delay, and only then can be received', async () => {
  const queue = createQueue({ id: 'Slow', name: 'slow', ...TIMES, delayMs: 5_000 });
  queue.send('one');
  assert.deepEqual(queue.counts(), { visible: 0, inFlight: 0, delayed: 1 });
  mock.timers.tick(4_999);
  assert.deepEqual(await queue.receive(10, 0), []);
  mock.timers.tick(1);
  const [message] = await queue.receive(10, 0);
  assert.equal(message?.attributes.SentTimestamp, '1000000');
  // What comes back is not delayed again.
  mock.timers.tick(VISIBILITY_MS);
  assert.deepEqual(queue.counts(), { visible: 1, inFlight: 0, delayed: 0 });
  queue.close();
});

test('a message that nobody deleted in time is gone', async () => {
  const { queue } = pair();
  queue.send('one');
  mock.timers.tick(RETENTION_MS - 1);
  assert.equal(queue.counts().visible, 1);
  mock.timers.tick(1);
  assert.deepEqual(await queue.receive(10, 0), []);
  assert.deepEqual(queue.counts(), { visible: 0, inFlight: 0, delayed: 0 });
});

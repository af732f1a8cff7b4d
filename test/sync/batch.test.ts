import assert from 'node:assert/strict';
import test from 'node:test';
import { AppError } from '../../shared/errors.ts';
import type { ChangeEvent } from '../../shared/events.ts';
import { keyOfRef } from '../../shared/kubernetes/keys.ts';
import type { SliceRequest, SliceResult } from '../../shared/slice.ts';
import { syncBatch, type BatchTools } from '../../shared/sync/batch.ts';
import { parseBatch, type Message } from '../../shared/sync/messages.ts';

function change(name: string, more: Partial<ChangeEvent> = {}): ChangeEvent {
  const ref = { cluster: 'c', group: '', version: 'v1', kind: 'Service', namespace: 'default', name };
  return { ref, operation: 'update', observedAt: '2026-01-01T00:00:00Z', ...more };
}

function message(id: string, brought: ChangeEvent): Message {
  return { id, change: brought };
}

function result(more: Partial<SliceResult> = {}): SliceResult {
  const cost = { kubernetesRequests: 0, kongRequests: 0, sqlStatements: 0 };
  const none = {
    roots: [],
    objects: new Map(),
    changed: [],
    statuses: [],
    remaining: [],
    early: [],
    applied: [],
    rejected: [],
    withheld: [],
    findings: [],
    recovered: [],
  };
  return { ...none, drifted: 0, revision: undefined, cost, ...more };
}

interface Bench extends BatchTools {
  readonly requests: SliceRequest[];
  readonly slept: number[];
}

function bench(answer: (request: SliceRequest, n: number) => SliceResult, remainingMs = 60_000): Bench {
  const requests: SliceRequest[] = [];
  const slept: number[] = [];
  return {
    requests,
    slept,
    run: async (request) => {
      requests.push(request);
      return answer(request, requests.length);
    },
    sleep: async (ms) => {
      slept.push(ms);
    },
    remainingMs: () => remainingMs,
    earlyDelaysMs: [1, 2, 3],
  };
}

function record(id: string, detail: unknown, more: object = {}): object {
  const envelope = { source: 'kong-ingress-functions', 'detail-type': 'ClusterChange', detail, ...more };
  return { messageId: id, body: JSON.stringify(envelope) };
}

test('messages: good ones bring a change, bad ones an error, and none is dropped', () => {
  const records = [
    record('good', change('a')),
    { messageId: 'text', body: 'no json' },
    record('type', change('a'), { 'detail-type': 'Other' }),
    record('source', change('a'), { source: 'aws.ec2' }),
    record('detail', { ref: 1 }),
    record('cluster', change('a', { ref: { ...change('a').ref, cluster: 'other' } })),
  ];
  const parsed = parseBatch({ Records: records }, ['b', 'c']);
  assert.deepEqual(
    parsed.map((item) => [item.id, 'error' in item ? item.error.code : keyOfRef(item.change.ref)]),
    [
      ['good', 'Service/default/a'],
      ['text', 'MESSAGE_INVALID'],
      ['type', 'MESSAGE_INVALID'],
      ['source', 'MESSAGE_INVALID'],
      ['detail', 'EVENT_INVALID'],
      ['cluster', 'MESSAGE_INVALID'],
    ],
  );
  for (const event of [undefined, {}, { Records: [{}] }]) {
    assert.throws(() => parseBatch(event, ['c']), { code: 'MESSAGE_INVALID' });
  }
});

test('a batch is one slice, and the same event is in it once', async () => {
  const tools = bench(() => result());
  const seen = [
    change('a'),
    change('a', { observedAt: '2026-01-01T00:00:09Z' }),
    change('b'),
    change('a', { operation: 'delete' }),
  ];
  const report = await syncBatch(
    seen.map((item, n) => message(String(n), item)),
    tools,
  );
  assert.deepEqual(report.failed, []);
  assert.deepEqual(
    tools.requests.map((request) => request.changes?.length),
    [3],
  );
});

test('invalid messages fail alone', async () => {
  const invalid: Message = { id: 'bad', error: new AppError('MESSAGE_INVALID', 'x') };
  const report = await syncBatch(
    [invalid, message('good', change('a'))],
    bench(() => result()),
  );
  assert.deepEqual(report.failed, ['bad']);
  assert.deepEqual(
    report.errors.map((error) => error.code),
    ['MESSAGE_INVALID'],
  );
});

test('when a slice fails for now, all its messages come again', async () => {
  const tools = bench(() => {
    throw new AppError('LOCK_BUSY', 'x');
  });
  const report = await syncBatch([message('1', change('a')), message('2', change('b'))], tools);
  assert.deepEqual(report.failed, ['1', '2']);
  assert.equal(tools.requests.length, 1);
});

test('when a slice fails for good, only the objects at fault fail', async () => {
  const tools = bench((request) => {
    if (request.changes?.some((item) => item.ref.name === 'bad') === true) throw new AppError('CONFIG_INVALID', 'x');
    return result();
  });
  const batch = [
    message('1', change('a')),
    message('2', change('bad')),
    message('3', change('b')),
    message('4', change('bad')),
  ];
  assert.deepEqual((await syncBatch(batch, tools)).failed, ['2', '4']);
});

test('an unforeseen error is not taken for a message at fault', async () => {
  const tools = bench(() => {
    throw new TypeError('bug');
  });
  await assert.rejects(syncBatch([message('1', change('a'))], tools), TypeError);
});

test('what is left of a large change is worked off before the message is done', async () => {
  const tools = bench((_request, n) => result({ remaining: n === 1 ? ['r1', 'r2'] : n === 2 ? ['r2'] : [] }));
  const report = await syncBatch([message('1', change('a'))], tools);
  assert.deepEqual(report.failed, []);
  assert.deepEqual(tools.requests.slice(1), [{ roots: ['r1', 'r2'] }, { roots: ['r2'] }]);
  const late = bench(() => result({ remaining: ['r1'] }), 100);
  assert.deepEqual((await syncBatch([message('1', change('a'))], late)).failed, ['1']);
});

test('an object that is not stored yet is looked at again, with growing pauses, but not for ever', async () => {
  const early = change('a', { previousResourceVersion: '1' });
  const other = change('b');
  const found = bench((_request, n) => result({ early: n < 3 ? [early] : [] }));
  const report = await syncBatch([message('1', early), message('2', other)], found);
  assert.deepEqual([report.failed, report.early, found.slept], [[], [], [1, 2]]);
  assert.deepEqual(
    found.requests.map((request) => request.changes?.length),
    [2, 1, 1],
  );
  const never = bench(() => result({ early: [early] }));
  const gaveUp = await syncBatch([message('1', early)], never);
  assert.deepEqual([gaveUp.failed, gaveUp.early, never.slept], [[], [early], [1, 2, 3]]);
});

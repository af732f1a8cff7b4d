import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AppError } from '../shared/errors.ts';
import { parseChangeEvent } from '../shared/events.ts';

const REF = { cluster: 'prod', group: '', version: 'v1', kind: 'Service', namespace: 'shop', name: 'web' };
const EVENT = { ref: REF, operation: 'update', observedAt: '2026-11-23T02:00:00Z' };

const good: readonly [string, object][] = [
  ['the least', EVENT],
  ['everything', { ...EVENT, uid: 'u', resourceVersion: '8', previousResourceVersion: '7' }],
  ['a cluster-scoped object', { ...EVENT, ref: { ...REF, namespace: '' } }],
];
for (const [title, event] of good) {
  test(`reads ${title}`, () => assert.deepEqual(parseChangeEvent(JSON.parse(JSON.stringify(event))), event));
}

test('what else an event holds is dropped', () => {
  assert.deepEqual(parseChangeEvent({ ...EVENT, extra: 1, ref: { ...REF, extra: 1 } }), EVENT);
});

const bad: readonly [string, unknown, RegExp][] = [
  ['nothing', undefined, /detail is not/],
  ['a list', [], /detail is not/],
  ['no ref', { ...EVENT, ref: undefined }, /ref is not/],
  ['another operation', { ...EVENT, operation: 'upsert' }, /operation is not/],
  ['no name', { ...EVENT, ref: { ...REF, name: '' } }, /no kind or name/],
  ['a number as namespace', { ...EVENT, ref: { ...REF, namespace: 1 } }, /ref.namespace is not/],
  ['a huge name', { ...EVENT, ref: { ...REF, name: 'x'.repeat(513) } }, /ref.name is not/],
  ['a number as uid', { ...EVENT, uid: 7 }, /uid is not/],
  ['no time', { ...EVENT, observedAt: undefined }, /observedAt is not/],
];
for (const [title, event, message] of bad) {
  test(`refuses ${title}`, () => {
    assert.throws(
      () => parseChangeEvent(event),
      (error) => error instanceof AppError && error.code === 'EVENT_INVALID' && message.test(error.message),
    );
  });
}

test('any JSON is an event or an error of its own code', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      try {
        parseChangeEvent(value);
      } catch (error) {
        assert.ok(error instanceof AppError && error.code === 'EVENT_INVALID');
      }
    }),
  );
});

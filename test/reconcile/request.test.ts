import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAnswered, parseRequest } from '../../shared/reconcile/request.ts';

const AT = Date.parse('2026-01-02T03:04:05Z');
const asked = { 'detail-type': 'ReconcileRequested', time: '2026-01-02T03:04:05Z', detail: { force: true } };

for (const [name, event, expected] of [
  ['a tick', { 'detail-type': 'Scheduled Event', time: asked.time }, { force: false, requestedAt: undefined }],
  ['a request of the bus', asked, { force: false, requestedAt: AT }],
  ['a request without a time', { ...asked, time: 'soon' }, { force: false, requestedAt: undefined }],
  ['somebody who forces it', { force: true }, { force: true, requestedAt: undefined }],
  ['a force that is none', { force: 'true' }, { force: false, requestedAt: undefined }],
  ['somebody who names a cluster', { cluster: 'prod' }, { force: false, requestedAt: undefined, cluster: 'prod' }],
  [
    'a request of the bus that names one',
    { ...asked, detail: { cluster: 'prod' } },
    { force: false, requestedAt: AT, cluster: 'prod' },
  ],
  ['nothing', undefined, { force: false, requestedAt: undefined }],
] as const) {
  test(`${name} is read`, () => assert.deepEqual(parseRequest(event), { cluster: undefined, ...expected }));
}

for (const [name, request, begunAt, expected] of [
  ['a tick after a run', parseRequest({}), AT + 10_000, false],
  ['a request before any run', parseRequest(asked), undefined, false],
  ['a request after the run began', parseRequest(asked), AT - 1, false],
  ['a request in the same second', parseRequest(asked), AT + 999, false],
  ['a request that came before the run', parseRequest(asked), AT + 2_001, true],
  ['a forced request', { ...parseRequest(asked), force: true }, AT + 10_000, false],
] as const) {
  test(`${name} is ${expected ? 'answered by it' : 'not answered by it'}`, () => {
    assert.equal(isAnswered(request, begunAt), expected);
  });
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { AppError } from '../../shared/errors.ts';
import { logHints, parseLogsEvent } from '../../shared/webhook/cloudwatch.ts';
import { RECEIPT, auditEvent } from './payloads.ts';

const TIMESTAMP = Date.UTC(2026, 10, 23, 2);

function packed(content: unknown): object {
  return { awslogs: { data: gzipSync(JSON.stringify(content)).toString('base64') } };
}

function batch(...messages: readonly string[]): object {
  return {
    messageType: 'DATA_MESSAGE',
    owner: '123456789012',
    logGroup: '/aws/eks/prod/cluster',
    logStream: 'kube-apiserver-audit-0a1b',
    subscriptionFilters: ['kong'],
    logEvents: messages.map((message, index) => ({ id: String(index), timestamp: TIMESTAMP, message })),
  };
}

test('audit events of a log batch become hints, other lines are passed over', () => {
  const lines = [JSON.stringify(auditEvent()), 'I1123 02:00:00 healthz ok', '{"kind":"Event","apiVersion":"v1"}'];
  const hints = logHints(parseLogsEvent(packed(batch(...lines))), RECEIPT);
  assert.deepEqual(
    hints.map((hint) => ('change' in hint ? hint.change.ref.name : hint)),
    ['web', { ignored: 'NotAWrite' }, { ignored: 'NotAWrite' }],
  );
});

test('an audit event that the log has cut, or that makes no sense, asks for a reconcile', () => {
  const cut = JSON.stringify(auditEvent()).slice(0, -50);
  const odd = JSON.stringify(auditEvent({}, { name: {} }));
  const asked = {
    reconcile: { cluster: 'prod', reason: 'UnreadableAuditEvent', observedAt: new Date(TIMESTAMP).toISOString() },
  };
  assert.deepEqual(logHints(parseLogsEvent(packed(batch(cut, odd))), RECEIPT), [asked, asked]);
});

test('a control message has no lines', () => {
  assert.deepEqual(parseLogsEvent(packed({ messageType: 'CONTROL_MESSAGE', logEvents: [{}] })), {
    logGroup: '',
    messages: [],
  });
});

const invalid: readonly [string, unknown][] = [
  ['nothing', undefined],
  ['another event', { Records: [] }],
  ['data that is no text', { awslogs: { data: {} } }],
  ['data that is no gzip', { awslogs: { data: 'aGVsbG8=' } }],
  ['data that is no JSON', { awslogs: { data: gzipSync('x').toString('base64') } }],
  ['a list', packed([])],
  ['no events', packed({ messageType: 'DATA_MESSAGE' })],
  ['an event without message', packed({ messageType: 'DATA_MESSAGE', logEvents: [{ timestamp: 1 }] })],
  ['an impossible time', packed({ messageType: 'DATA_MESSAGE', logEvents: [{ message: 'x', timestamp: 1e300 }] })],
];
for (const [title, event] of invalid) {
  test(`refuses ${title}`, () => {
    assert.throws(
      () => parseLogsEvent(event),
      (error) => error instanceof AppError && error.code === 'LOGS_EVENT_INVALID',
    );
  });
}

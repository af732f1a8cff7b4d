import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import '../support/silence.ts';
import { handler, logs } from '../../functions/webhook.ts';
import { isRecord } from '../../shared/json.ts';
import { type TestBus, startBus } from '../support/event-bus.ts';
import { context } from '../support/lambda.ts';
import { auditEvent, auditList, review } from '../webhook/payloads.ts';

let bus: TestBus;
let refusing = false;

before(async () => {
  bus = await startBus(() => (refusing ? { status: 400, body: { __type: 'AccessDeniedException' } } : 'take'));
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_EVENTBRIDGE: bus.url,
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    CLUSTER_NAME: 'prod',
    EVENT_BUS_NAME: 'changes',
    WEBHOOK_TOKENS: 'old-token,new-token',
  });
});
after(() => bus.stop());

function httpEvent(body: unknown, token = 'new-token'): object {
  return {
    version: '2.0',
    rawPath: '/webhook',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    requestContext: {
      requestId: 'r1',
      timeEpoch: Date.UTC(2026, 10, 23, 2),
      http: { method: 'POST', path: '/webhook' },
    },
    body: JSON.stringify(body),
    isBase64Encoded: false,
  };
}

async function call(event: unknown): Promise<{ status: unknown; body: unknown }> {
  const answer: unknown = await handler(event, context());
  assert.ok(isRecord(answer) && isRecord(answer['headers']));
  assert.notEqual(answer['headers']['x-request-id'] ?? '', '');
  return { status: answer['statusCode'], body: JSON.parse(String(answer['body'])) };
}

test('a review, audit events and log lines reach the bus under the configured cluster', async () => {
  assert.equal((await call(httpEvent(review()))).status, 200);
  assert.deepEqual(await call(httpEvent(auditList(auditEvent()), 'old-token')), {
    status: 202,
    body: { published: 1, ignored: {}, requestId: 'r1' },
  });
  const lines = {
    messageType: 'DATA_MESSAGE',
    logEvents: [{ id: '1', timestamp: 0, message: JSON.stringify(auditEvent()) }],
  };
  const batch = { awslogs: { data: gzipSync(JSON.stringify(lines)).toString('base64') } };
  assert.deepEqual(await logs(batch, context()), { published: 1, ignored: {} });
  assert.equal(bus.taken.length, 3);
  for (const { bus: name, type, detail } of bus.taken) {
    assert.deepEqual([name, type], ['changes', 'ClusterChange']);
    assert.ok(isRecord(detail) && isRecord(detail['ref']));
    assert.deepEqual([detail['ref']['cluster'], detail['ref']['name']], ['prod', 'web']);
  }
});

test('a request that is refused says why with a stable code, and reaches no bus', async () => {
  const sent = bus.calls.length;
  const { status, body } = await call(httpEvent({ hello: 'world' }));
  assert.equal(status, 422);
  assert.ok(isRecord(body) && isRecord(body['error']));
  assert.deepEqual([body['error']['code'], body['error']['requestId']], ['WEBHOOK_UNKNOWN_SHAPE', 'r1']);
  assert.equal((await call(httpEvent(review(), 'wrong'))).status, 401);
  assert.equal((await call({})).status, 401);
  assert.equal(bus.calls.length, sent);
});

test('when the bus refuses, senders of requests get 503 and CloudWatch Logs an error, so that both try again', async () => {
  refusing = true;
  try {
    assert.equal((await call(httpEvent(review()))).status, 503);
    const lines = {
      messageType: 'DATA_MESSAGE',
      logEvents: [{ id: '1', timestamp: 0, message: JSON.stringify(auditEvent()) }],
    };
    const batch = { awslogs: { data: gzipSync(JSON.stringify(lines)).toString('base64') } };
    await assert.rejects(logs(batch, context()), { code: 'EVENTS_NOT_PUBLISHED' });
  } finally {
    refusing = false;
  }
});

const PROGRAM = `
  const { handler } = await import('./functions/webhook.ts');
  const context = { awsRequestId: 'run-1', functionName: 'webhook', getRemainingTimeInMillis: () => 30000 };
  for (const event of JSON.parse(process.env.EVENTS)) await handler(event, context);
`;

test('no log line holds a token, be it in a header or in the path, right or wrong', async () => {
  const inPath = (token: string, body: object): object => ({
    ...httpEvent(body, 'basic'),
    rawPath: `/webhook/${token}`,
    pathParameters: { token },
    requestContext: { requestId: 'r2', http: { method: 'POST', path: `/webhook/${token}` } },
  });
  const events = [
    httpEvent(review()),
    httpEvent(review(), 'guessed-token'),
    inPath('new-token', review()),
    inPath('guessed-token', review()),
    inPath('new-token', { hello: 'world' }),
  ];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', PROGRAM], {
    cwd: path.join(import.meta.dirname, '../..'),
    env: { ...process.env, EVENTS: JSON.stringify(events), POWERTOOLS_LOG_LEVEL: 'DEBUG' },
  });
  const printed = `${stdout}${stderr}`;
  assert.equal(printed.match(/"message":"(?:received|refused)"/g)?.length, events.length);
  assert.match(printed, /"message":"received".*"cluster":"prod"/);
  assert.doesNotMatch(printed, /new-token|guessed-token|old-token/);
});

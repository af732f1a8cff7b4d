import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { selfSigned } from '../../infra/local/certificate.ts';
import { AppError } from '../../shared/errors.ts';
import { clusterOfLogs, logHints, parseLogsEvent } from '../../shared/webhook/cloudwatch.ts';
import { type WebhookConfig, webhookConfig } from '../../shared/webhook/config.ts';
import { receive } from '../../shared/webhook/receive.ts';
import type { WebhookRequest } from '../../shared/webhook/request.ts';
import { auditEvent, auditList, review, structured } from './payloads.ts';
import { CONFIG, bus, request } from './requests.ts';

const SETTINGS = { EVENT_BUS_NAME: 'bus', WEBHOOK_TOKENS: 'prod:p1,prod:p2,stage:s1' };
const CLUSTERS = JSON.stringify({
  prod: { AUDIT_LOG_GROUP: '/aws/eks/prod/cluster' },
  stage: { WEBHOOK_KINDS: 'Service,HTTPRoute', AUDIT_LOG_GROUP: '/aws/eks/stage/cluster' },
});
const SEVERAL = webhookConfig({ ...SETTINGS, CLUSTERS });

function as(token: string, body: unknown, changes: Partial<WebhookRequest> = {}): WebhookRequest {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}`, ...changes.headers };
  return request(body, { ...changes, headers });
}

async function refused(one: WebhookRequest, config: WebhookConfig, code: string): Promise<string> {
  const target = bus();
  try {
    await receive(one, config, target);
  } catch (error) {
    assert.ok(error instanceof AppError, String(error));
    assert.equal(error.code, code);
    assert.deepEqual(target.published, []);
    return error.message;
  }
  return assert.fail('it was let in');
}

test('the token says which cluster a change is of, whatever the body says', async () => {
  const lying = auditEvent({ cluster: 'stage', user: { username: 'alice', extra: { cluster: ['stage'] } } });
  for (const [token, cluster] of [
    ['p1', 'prod'],
    ['p2', 'prod'],
    ['s1', 'stage'],
  ] as const) {
    const target = bus();
    const service = { resource: 'services', apiGroup: '', cluster: 'prod' };
    const { objectRef } = auditEvent({}, service);
    const received = await receive(as(token, auditList({ ...lying, objectRef })), SEVERAL, target);
    assert.deepEqual(
      target.published.map(({ ref }) => ref.cluster),
      [cluster],
    );
    assert.equal(received.cluster, cluster);
  }
});

test('a token of one cluster beside one of another is let in as neither', async () => {
  const message = await refused(as('p1', review(), { pathToken: 's1' }), SEVERAL, 'WEBHOOK_UNAUTHORIZED');
  assert.match(message, /different clusters/);
});

test('the name of a cluster is no part of its token, and no token', async () => {
  for (const token of ['prod:p1', 'prod', 'prod:', ':p1']) {
    await refused(as(token, review()), SEVERAL, 'WEBHOOK_UNAUTHORIZED');
  }
});

const badTokens: readonly [title: string, tokens: string][] = [
  ['a token that no cluster is named for', 'prod:p1,other'],
  ['one token for two clusters', 'prod:same,stage:same'],
  ['an empty token', 'prod:,stage:s1'],
  ['no token', ''],
];
for (const [title, tokens] of badTokens) {
  test(`settings with ${title} are refused`, () => {
    assert.throws(
      () => webhookConfig({ ...SETTINGS, CLUSTERS, WEBHOOK_TOKENS: tokens }),
      (error) => error instanceof AppError && error.code === 'CONFIG_INVALID' && !/same|p1/.test(error.message),
    );
  });
}

test('a token that is taken out of the settings is refused at once', async () => {
  const rotated = webhookConfig({ ...SETTINGS, CLUSTERS, WEBHOOK_TOKENS: 'prod:p2,stage:s1' });
  await refused(as('p1', review()), rotated, 'WEBHOOK_UNAUTHORIZED');
  assert.equal((await receive(as('p2', review()), rotated, bus())).response.statusCode, 200);
});

test('a cluster may tell of the kinds that it is allowed to, and of no others', async () => {
  const target = bus();
  const batch = auditList(auditEvent(), auditEvent({}, { resource: 'services', apiGroup: '' }));
  const { ignored } = await receive(as('s1', batch), SEVERAL, target);
  assert.deepEqual(
    target.published.map(({ ref }) => ref.kind),
    ['Service'],
  );
  assert.deepEqual(ignored, { KindNotAllowed: 1 });
  const unnamed = auditEvent({ verb: 'deletecollection', responseObject: {} });
  assert.deepEqual((await receive(as('s1', auditList(unnamed)), SEVERAL, bus())).ignored, { KindNotAllowed: 1 });
});

test('where certificates are asked for, a token alone is not enough', async () => {
  const [listed, other] = [await selfSigned(['sender']), await selfSigned(['other'])];
  const fingerprint = new X509Certificate(listed.certificate).fingerprint256.toLowerCase();
  const config = webhookConfig({ ...SETTINGS, CLUSTERS, WEBHOOK_CLIENT_CERTIFICATES: fingerprint });
  const from = (clientCertificate: string | undefined): WebhookRequest => as('p1', review(), { clientCertificate });
  assert.equal((await receive(from(listed.certificate), config, bus())).response.statusCode, 200);
  for (const certificate of [undefined, other.certificate, 'no certificate']) {
    await refused(from(certificate), config, 'WEBHOOK_CERTIFICATE');
  }
  await refused(as('wrong', review(), { clientCertificate: listed.certificate }), config, 'WEBHOOK_UNAUTHORIZED');
});

const AT = Date.UTC(2026, 10, 23, 2);
const times: readonly [title: string, secondsAgo: number, taken: boolean][] = [
  ['an hour ago', 3_600, true],
  ['longer ago', 3_601, false],
  ['by a clock that is a little ahead', -300, true],
  ['in the future', -301, false],
];
for (const [title, secondsAgo, taken] of times) {
  test(`what was seen ${title} is ${taken ? 'taken' : 'not taken again'}`, async () => {
    const time = new Date(AT - secondsAgo * 1_000).toISOString();
    const typed = { headers: { 'content-type': 'application/cloudevents+json' } };
    const { response: audit } = await receive(
      as('p1', auditList(auditEvent({ stageTimestamp: time }))),
      SEVERAL,
      bus(),
    );
    const { response: event } = await receive(as('p1', structured({ time }), typed), SEVERAL, bus());
    const started = { specversion: '1.0', type: 'kong-ingress-functions.watch.started', time };
    const { response: watch } = await receive(as('p1', started, typed), SEVERAL, bus());
    for (const { body } of [audit, event, watch]) {
      const { published, ignored } = JSON.parse(body);
      assert.deepEqual([published, ignored], taken ? [1, {}] : [0, { OutsideWindow: 1 }]);
    }
  });
}

test('a request that is sent twice publishes hints, which change nothing that is as it should be', async () => {
  const target = bus();
  await receive(as('p1', review()), SEVERAL, target);
  await receive(as('p1', review()), SEVERAL, target);
  assert.deepEqual(target.published[0], target.published[1]);
  for (const event of target.published) assert.doesNotMatch(JSON.stringify(event), /spec|rules|shop\.example/);
});

test('a batch of more events than are taken is refused before any of them is read', async () => {
  const many = Array.from({ length: CONFIG.maxItems + 1 }, () => 0);
  const typed = { headers: { 'content-type': 'application/cloudevents-batch+json' } };
  const message = await refused(request(auditList(...many)), CONFIG, 'WEBHOOK_BODY_TOO_LARGE');
  assert.match(message, /21 events, at most 20/);
  await refused(as('new-token', many, typed), CONFIG, 'WEBHOOK_BODY_TOO_LARGE');
});

test('a compressed body is not unpacked', async () => {
  const body = gzipSync(Buffer.alloc(10_000_000)).toString('base64');
  const packed = { isBase64Encoded: true, headers: { 'content-encoding': 'gzip' } };
  await refused(as('new-token', body, packed), CONFIG, 'WEBHOOK_CONTENT_TYPE');
});

test('a body that is nested very deeply is refused as any other nonsense', async () => {
  const config = { ...CONFIG, maxBodyBytes: 5_000_000 };
  const deep = `${'['.repeat(2_000_000)}${']'.repeat(2_000_000)}`;
  await refused(request(deep), config, 'WEBHOOK_UNKNOWN_SHAPE');
  await refused(request(`{"a":`.repeat(500_000)), config, 'WEBHOOK_MALFORMED');
});

test('log lines that unpack to more than CloudWatch sends are refused', () => {
  const bomb = gzipSync(Buffer.alloc(65 * 1024 * 1024)).toString('base64');
  assert.throws(
    () => parseLogsEvent({ awslogs: { data: bomb } }),
    (error) => error instanceof AppError && error.code === 'LOGS_EVENT_INVALID',
  );
});

function logs(logGroup: string): ReturnType<typeof parseLogsEvent> {
  const logEvents = [{ id: '1', timestamp: AT, message: JSON.stringify(auditEvent()) }];
  const text = JSON.stringify({ messageType: 'DATA_MESSAGE', owner: '123456789012', logGroup, logEvents });
  return parseLogsEvent({ awslogs: { data: gzipSync(text).toString('base64') } });
}

test('the log group says which cluster an audit log is of, and an unknown one is nobody’s', () => {
  const { name } = clusterOfLogs(logs('/aws/eks/stage/cluster'), SEVERAL.clusters);
  assert.equal(name, 'stage');
  assert.throws(() => clusterOfLogs(logs('/aws/eks/other/cluster'), SEVERAL.clusters), /LOGS_EVENT_INVALID|log group/);
  const alone = clusterOfLogs(logs('/aws/eks/whatever/cluster'), CONFIG.clusters);
  const hints = logHints(logs(''), { cluster: alone.name, ownUsers: [] });
  assert.deepEqual(
    hints.map((hint) => 'change' in hint && hint.change.ref.cluster),
    ['prod'],
  );
});

test('every answer names its request', async () => {
  const typed = { headers: { 'content-type': 'application/cloudevents+json' } };
  const told = await receive(as('p1', structured(), typed), SEVERAL, bus());
  const audited = await receive(as('p1', auditList(auditEvent())), SEVERAL, bus());
  const reviewed = await receive(as('p1', review()), SEVERAL, bus());
  for (const { response } of [told, audited]) assert.equal(JSON.parse(response.body).requestId, 'request-1');
  assert.deepEqual(JSON.parse(reviewed.response.body).response.auditAnnotations, { 'request-id': 'request-1' });
});

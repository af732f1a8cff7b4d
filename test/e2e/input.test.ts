import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { send } from '../../infra/local/demo/probe.ts';
import { ERRORS } from '../../shared/errors.ts';
import { isRecord } from '../../shared/json.ts';
import type { Secret } from '../../shared/kubernetes/resources.ts';
import { ingress, service } from '../support/manifests.ts';
import { tlsSecret } from '../support/tls.ts';
import { auditEvent, auditList, review, structured } from '../webhook/payloads.ts';
import { apply, codes, findings, served } from './act.ts';
import { type Lab } from './lab.ts';
import { backed } from './objects.ts';
import { assertDesired, foreign, rows } from './state.ts';
import { steadyLab } from './steady.ts';

let lab: Lab;
let theirs: readonly string[];
before(async () => {
  ({ lab, theirs } = await steadyLab());
});
after(() => lab.stop());

const JSON_TYPE = 'application/json';
const GOOD = JSON.stringify(review());

interface Sent {
  readonly status: number;
  readonly code: unknown;
  readonly nextStep: unknown;
  readonly text: string;
}

async function post(body: string, type: string, path: string, token?: string): Promise<Sent> {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(`${lab.stack.cloud.httpUrl}${path}`, {
    method: 'POST',
    body,
    headers: { 'content-type': type, ...authorization },
  });
  const text = await response.text();
  const answer: unknown = JSON.parse(text);
  const error = isRecord(answer) && isRecord(answer['error']) ? answer['error'] : {};
  return { status: response.status, code: error['code'], nextStep: error['nextStep'], text };
}

test('without a right token nothing gets in', async () => {
  const { published } = lab.stack.cloud.counters();
  const almost = `${lab.stack.webhook.token.slice(0, -1)}_`;
  for (const [path, token] of [
    ['/webhook', undefined],
    ['/webhook', ''],
    ['/webhook', 'wrong'],
    ['/webhook', almost],
    ['/webhook/wrong', undefined],
    [`/webhook/${almost}`, undefined],
  ] as const) {
    const sent = await post(GOOD, JSON_TYPE, path, token);
    assert.deepEqual([sent.status, sent.code], [401, 'WEBHOOK_UNAUTHORIZED'], `${path} ${token}`);
    assert.equal(sent.nextStep, ERRORS.WEBHOOK_UNAUTHORIZED.nextStep);
  }
  assert.equal(lab.stack.cloud.counters().published, published);
});

const MALFORMED: readonly (readonly [name: string, body: string, type: string, code: string])[] = [
  ['no JSON', '{', JSON_TYPE, 'WEBHOOK_MALFORMED'],
  ['an empty body', '', JSON_TYPE, 'WEBHOOK_MALFORMED'],
  ['another content type', GOOD, 'text/plain', 'WEBHOOK_CONTENT_TYPE'],
  ['a body that is too large', JSON.stringify({ pad: 'x'.repeat(5_000_000) }), JSON_TYPE, 'WEBHOOK_BODY_TOO_LARGE'],
  ['another object', '{}', JSON_TYPE, 'WEBHOOK_UNKNOWN_SHAPE'],
  ['a list', '[]', JSON_TYPE, 'WEBHOOK_UNKNOWN_SHAPE'],
  [
    'an old review',
    JSON.stringify({ ...review(), apiVersion: 'admission.k8s.io/v1beta1' }),
    JSON_TYPE,
    'WEBHOOK_UNKNOWN_SHAPE',
  ],
  ['a review without request', JSON.stringify({ ...review(), request: null }), JSON_TYPE, 'WEBHOOK_UNKNOWN_SHAPE'],
  ['a review of a path', JSON.stringify(review({ name: '../secrets' })), JSON_TYPE, 'WEBHOOK_UNKNOWN_SHAPE'],
  ['audit events, one broken', JSON.stringify(auditList(auditEvent(), 7)), JSON_TYPE, 'WEBHOOK_UNKNOWN_SHAPE'],
  [
    'a CloudEvent without type',
    JSON.stringify(structured({ type: 7 })),
    'application/cloudevents+json',
    'WEBHOOK_UNKNOWN_SHAPE',
  ],
];

test('a malformed body is refused whole, with a code and what to do', async (context) => {
  const { published, invocations } = lab.stack.cloud.counters();
  for (const [name, body, type, code] of MALFORMED) {
    await context.test(name, async () => {
      const sent = await post(body, type, '/webhook', lab.stack.webhook.token);
      assert.equal(sent.code, code);
      assert.ok(sent.status >= 400 && sent.status < 500, String(sent.status));
      assert.ok(!sent.text.includes(lab.stack.webhook.token));
    });
  }
  const counters = lab.stack.cloud.counters();
  assert.deepEqual([counters.published, counters.invocations['sync']], [published, invocations['sync']]);
});

/** A Secret with one of its fields replaced. */
function broken(secret: Secret, field: string, value: string): Secret {
  return { ...secret, data: { ...secret.data, [field]: value } };
}

test('what objects lack is found and named, and keeps nobody else from being served', async () => {
  const [one, two] = [await tlsSecret('bad-tls', 'bad-tls.test'), await tlsSecret('mixed-tls', 'mixed-tls.test')];
  const from = lab.log.length;
  await apply(
    lab,
    ingress('no-service', ['no-service.test / later 80']),
    ...backed(lab, 'gate'),
    ingress('no-port', ['no-port.test / gate 81']),
    ingress('no-secret', ['no-secret.test / echo 80'], { tlsSecret: 'later-tls' }),
    broken(one, 'tls.crt', Buffer.from('no certificate').toString('base64')),
    ingress('bad-tls', ['bad-tls.test / echo 80'], { tlsSecret: 'bad-tls' }),
    broken(two, 'tls.key', one.data?.['tls.key'] ?? ''),
    ingress('mixed-tls', ['mixed-tls.test / echo 80'], { tlsSecret: 'mixed-tls' }),
    ingress('fine', ['fine.test / echo 80']),
  );
  assert.deepEqual(findings(lab, from), [
    'InvalidCertificate Ingress default/bad-tls',
    'InvalidCertificate Ingress default/mixed-tls',
    'InvalidCertificate Secret default/bad-tls',
    'InvalidCertificate Secret default/mixed-tls',
    'PortNotFound Ingress default/no-port',
    'SecretNotFound Ingress default/no-secret',
    'ServiceNotFound Ingress default/no-service',
  ]);
  assert.deepEqual(codes(lab, from), []);
  await assertDesired(lab);
  for (const host of ['fine.test', 'steady.test', 'no-secret.test', 'bad-tls.test', 'mixed-tls.test']) {
    await served(lab, host);
  }
  await served(lab, 'no-service.test', 503);

  const healed = lab.log.length;
  await apply(
    lab,
    ...backed(lab, 'later'),
    service('gate', 81),
    await tlsSecret('later-tls', 'no-secret.test'),
    one,
    two,
  );
  assert.deepEqual(findings(lab, healed), []);
  await served(lab, 'no-service.test');
  await served(lab, 'no-port.test');
  for (const host of ['no-secret.test', 'bad-tls.test', 'mixed-tls.test']) {
    const [proxy] = lab.stack.kong.proxies;
    const answer = await send(proxy?.tls ?? '', { scheme: 'https', host, path: '/' });
    assert.deepEqual([answer.status, answer.certificate], [200, `DNS:${host}`]);
  }
  await assertDesired(lab);
  assert.deepEqual(await foreign(lab), theirs);
});

test('secrets stay out of logs, events and answers', async () => {
  const said = JSON.stringify([lab.log, lab.events]);
  const { rows: keys } = await lab.pool.query<{ key: string }>('SELECT key FROM certificates');
  assert.equal(keys.length, 3);
  for (const { key } of keys) assert.ok(!said.includes(key.split('\n')[1] ?? key));
  assert.ok(!said.includes(lab.stack.webhook.token));
  assert.ok(!said.includes(new URL(lab.stack.kong.databaseUrl).password));
  assert.ok((await rows(lab)).size > 0);
});

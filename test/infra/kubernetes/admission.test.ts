import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { AdmissionWebhook } from '../../../infra/local/kubernetes/index.ts';
import { at, textAt, type JsonObject } from '../../../infra/local/kubernetes/json.ts';
import { receiver, type Receiver, type Reply } from './receiver.ts';
import { CONFIGMAPS, configMap, ingress, INGRESSES, send, stand } from './stand.ts';

const uid = (body: JsonObject): string => textAt(body, 'request', 'uid');

function verdict(body: JsonObject, allowed: boolean, more: JsonObject = {}): JsonObject {
  return { kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v1', response: { uid: uid(body), allowed, ...more } };
}

function hook(url: string, more: Partial<AdmissionWebhook> = {}): AdmissionWebhook {
  const rules = [
    { apiGroups: ['networking.k8s.io'], apiVersions: ['v1'], resources: ['ingresses'], operations: ['*' as const] },
  ];
  return { name: 'test.example.org', url, rules, failurePolicy: 'Fail', timeoutSeconds: 5, ...more };
}

const allowing = (t: TestContext): Promise<Receiver> => receiver(t, ({ body }) => verdict(body, true));

test('a webhook is asked before a create, an update and a delete that its rules match', async (t) => {
  const asked = await allowing(t);
  const k = await stand(t, { admissionWebhooks: [hook(asked.url)] });
  await send(k, 'POST', INGRESSES, ingress('web', 'a.example'));
  await send(k, 'POST', CONFIGMAPS, configMap('unmatched'));
  await send(
    k,
    'PATCH',
    `${INGRESSES}/web/status`,
    { status: { loadBalancer: { ingress: [{ ip: '1.1.1.1' }] } } },
    { 'content-type': 'application/merge-patch+json' },
  );
  await send(
    k,
    'PATCH',
    `${INGRESSES}/web?dryRun=All`,
    { spec: { ingressClassName: 'b' } },
    { 'content-type': 'application/merge-patch+json' },
  );
  await send(k, 'DELETE', `${INGRESSES}/web`);
  const seen = asked.received.map(({ body }) => [
    textAt(body, 'request', 'operation'),
    at(body, 'request', 'dryRun'),
    at(body, 'request', 'object') === null,
    at(body, 'request', 'oldObject') === null,
  ]);
  assert.deepEqual(seen, [
    ['CREATE', false, false, true],
    ['UPDATE', true, false, false],
    ['DELETE', false, true, false],
  ]);
  const [first] = asked.received;
  assert.ok(first !== undefined);
  assert.equal(new URL(first.url, 'http://x').searchParams.get('timeout'), '5s');
  assert.deepEqual(at(first.body, 'request', 'resource'), {
    group: 'networking.k8s.io',
    version: 'v1',
    resource: 'ingresses',
  });
  assert.equal(textAt(first.body, 'request', 'userInfo', 'username'), 'kubernetes-admin');
  assert.equal(textAt(first.body, 'request', 'object', 'metadata', 'namespace'), 'default');
});

test('a denial is answered with its reason, and nothing is stored', async (t) => {
  const asked = await receiver(t, ({ body }) =>
    verdict(body, false, { status: { code: 403, message: 'not on Mondays' } }),
  );
  const k = await stand(t, { admissionWebhooks: [hook(asked.url)] });
  const { status, body } = await send(k, 'POST', INGRESSES, ingress('web', 'a.example'));
  assert.equal(status, 403);
  assert.equal(textAt(body, 'message'), 'admission webhook "test.example.org" denied the request: not on Mondays');
  assert.equal((await send(k, 'GET', `${INGRESSES}/web`)).status, 404);
});

test('warnings of a webhook reach the client', async (t) => {
  const asked = await receiver(t, ({ body }) => verdict(body, true, { warnings: ['take care'] }));
  const k = await stand(t, { admissionWebhooks: [hook(asked.url)] });
  const { headers } = await send(k, 'POST', INGRESSES, ingress('web', 'a.example'));
  assert.equal(headers.get('warning'), '299 - "take care"');
});

const BROKEN: Readonly<Record<string, (body: JsonObject) => Reply>> = {
  'that answers 500': () => 500,
  'that cuts the connection': () => 'cut',
  'that answers something else': () => ({ hello: 'world' }),
  'that answers another review': () => ({ response: { uid: 'other', allowed: true } }),
};

for (const [what, reply] of Object.entries(BROKEN)) {
  test(`a webhook ${what} stops the write, unless its failures are ignored`, async (t) => {
    const asked = await receiver(t, ({ body }) => reply(body));
    const strict = await stand(t, { admissionWebhooks: [hook(asked.url)] });
    const refused = await send(strict, 'POST', INGRESSES, ingress('web', 'a.example'));
    assert.equal(refused.status, 500);
    assert.match(textAt(refused.body, 'message'), /failed calling webhook "test\.example\.org"/);
    const lax = await stand(t, { admissionWebhooks: [hook(asked.url, { failurePolicy: 'Ignore' })] });
    assert.equal((await send(lax, 'POST', INGRESSES, ingress('web', 'a.example'))).status, 201);
  });
}

test('a webhook that does not answer in time is a failure', async (t) => {
  const asked = await receiver(t, () => new Promise<Reply>(() => undefined));
  const k = await stand(t, { admissionWebhooks: [hook(asked.url, { timeoutSeconds: 1 })] });
  assert.equal((await send(k, 'POST', INGRESSES, ingress('web', 'a.example'))).status, 500);
});

test('a ValidatingWebhookConfiguration is obeyed with its selectors, and can always be removed', async (t) => {
  const asked = await receiver(t, ({ body }) => verdict(body, false));
  const k = await stand(t);
  const path = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
  const webhook = {
    name: 'all.example.org',
    clientConfig: { url: asked.url },
    rules: [{ apiGroups: ['*'], apiVersions: ['*'], resources: ['*'], operations: ['*'] }],
    objectSelector: { matchLabels: { checked: 'yes' } },
    namespaceSelector: {
      matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['kube-system'] }],
    },
    sideEffects: 'None',
    admissionReviewVersions: ['v1'],
  };
  const made = await send(k, 'POST', path, { metadata: { name: 'test' }, webhooks: [webhook] });
  assert.equal(made.status, 201);
  const checked = { labels: { checked: 'yes' } };
  assert.equal((await send(k, 'POST', CONFIGMAPS, configMap('free'))).status, 201);
  assert.equal(
    (await send(k, 'POST', '/api/v1/namespaces/kube-system/configmaps', configMap('free', {}, checked))).status,
    201,
  );
  const denied = await send(k, 'POST', CONFIGMAPS, configMap('held', {}, checked));
  assert.equal(denied.status, 400);
  assert.match(textAt(denied.body, 'message'), /denied the request without explanation/);
  assert.equal((await send(k, 'DELETE', `${path}/test`)).status, 200);
  assert.equal((await send(k, 'POST', CONFIGMAPS, configMap('held', {}, checked))).status, 201);
});

test('a write that was overtaken while the webhook was asked is made again on the new state', async (t) => {
  let overtake: (() => Promise<unknown>) | undefined;
  const asked = await receiver(t, async ({ body }) => {
    const once = overtake;
    overtake = undefined;
    await once?.();
    return verdict(body, true);
  });
  const k = await stand(t, { admissionWebhooks: [hook(asked.url)] });
  const merge = { 'content-type': 'application/merge-patch+json' };
  const { body } = await send(k, 'POST', INGRESSES, ingress('web', 'a.example'));
  overtake = () => send(k, 'PATCH', `${INGRESSES}/web`, { metadata: { labels: { other: '1' } } }, merge);
  const patched = await send(k, 'PATCH', `${INGRESSES}/web`, { metadata: { labels: { own: '1' } } }, merge);
  assert.deepEqual(at(patched.body, 'metadata', 'labels'), { other: '1', own: '1' });
  overtake = () => send(k, 'PATCH', `${INGRESSES}/web`, { metadata: { labels: { other: '2' } } }, merge);
  const stale = ingress('web', 'b.example', { resourceVersion: textAt(patched.body, 'metadata', 'resourceVersion') });
  assert.equal((await send(k, 'PUT', `${INGRESSES}/web`, stale)).status, 409);
  assert.ok(textAt(body, 'metadata', 'uid') !== '');
});

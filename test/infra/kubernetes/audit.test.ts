import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, listAt, textAt, type Json } from '../../../infra/local/kubernetes/json.ts';
import { receiver, type Receiver } from './receiver.ts';
import { CONFIGMAPS, configMap, eventually, ingress, INGRESSES, send, stand } from './stand.ts';

function events(of: Receiver): readonly Json[] {
  return of.received.flatMap(({ body }) => listAt(body, 'items'));
}

test('writes are told in batches, with what was asked and answered', async (t) => {
  const hook = await receiver(t, () => 200);
  const k = await stand(t, { auditWebhook: { url: hook.url, token: 'secret', maxBatchSize: 100, maxDelayMs: 50 } });
  await send(k, 'POST', INGRESSES, ingress('web', 'a.example'));
  await send(k, 'GET', INGRESSES);
  await send(
    k,
    'PATCH',
    `${INGRESSES}/web`,
    { spec: { ingressClassName: 'b' } },
    { 'content-type': 'application/merge-patch+json' },
  );
  await send(k, 'POST', INGRESSES, ingress('web', 'a.example'));
  await send(k, 'DELETE', `${INGRESSES}/web`);
  await eventually(() => (events(hook).length === 4 ? true : undefined));
  assert.deepEqual(
    events(hook).map((event) => [textAt(event, 'verb'), at(event, 'responseStatus', 'code'), textAt(event, 'stage')]),
    [
      ['create', 201, 'ResponseComplete'],
      ['patch', 200, 'ResponseComplete'],
      ['create', 409, 'ResponseComplete'],
      ['delete', 200, 'ResponseComplete'],
    ],
  );
  const [first] = hook.received;
  assert.equal(first?.authorization, 'Bearer secret');
  assert.equal(textAt(first?.body, 'kind'), 'EventList');
  assert.equal(textAt(first?.body, 'apiVersion'), 'audit.k8s.io/v1');
  const [create] = events(hook);
  assert.equal(textAt(create, 'level'), 'RequestResponse');
  assert.equal(textAt(create, 'user', 'username'), 'kubernetes-admin');
  assert.equal(textAt(create, 'requestURI'), INGRESSES);
  assert.equal(textAt(create, 'objectRef', 'name'), 'web');
  assert.equal(textAt(create, 'objectRef', 'apiGroup'), 'networking.k8s.io');
  assert.equal(textAt(create, 'objectRef', 'uid'), textAt(create, 'responseObject', 'metadata', 'uid'));
  assert.match(textAt(create, 'stageTimestamp'), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
});

test('the content of Secrets and ConfigMaps is never told, and Events and Leases not at all', async (t) => {
  const hook = await receiver(t, () => 200);
  const k = await stand(t, { auditWebhook: { url: hook.url, maxBatchSize: 100, maxDelayMs: 50 } });
  await send(k, 'POST', '/api/v1/namespaces/default/events', { metadata: { name: 'e' }, involvedObject: {} });
  await send(k, 'POST', '/apis/coordination.k8s.io/v1/namespaces/default/leases', { metadata: { name: 'l' } });
  await send(k, 'POST', '/api/v1/namespaces/default/secrets', {
    metadata: { name: 's' },
    stringData: { key: 'very-secret' },
  });
  await send(k, 'POST', CONFIGMAPS, configMap('c', { key: 'very-secret' }));
  await eventually(() => (events(hook).length === 2 ? true : undefined));
  assert.deepEqual(
    events(hook).map((event) => [textAt(event, 'objectRef', 'resource'), textAt(event, 'level')]),
    [
      ['secrets', 'Metadata'],
      ['configmaps', 'Metadata'],
    ],
  );
  const sent = JSON.stringify(hook.received);
  assert.ok(!sent.includes('very-secret') && !sent.includes(Buffer.from('very-secret').toString('base64')));
});

test('a batch is full at its size, and what comes meanwhile waits for the next', async (t) => {
  const hook = await receiver(t, () => 200);
  const k = await stand(t, { auditWebhook: { url: hook.url, maxBatchSize: 2, maxDelayMs: 60_000 } });
  for (const name of ['a', 'b', 'c', 'd']) await send(k, 'POST', INGRESSES, ingress(name, 'a.example'));
  await eventually(() => (events(hook).length === 4 ? true : undefined));
  assert.ok(hook.received.every(({ body }) => listAt(body, 'items').length <= 2));
  await send(k, 'POST', INGRESSES, ingress('e', 'a.example'));
  assert.equal(events(hook).length, 4);
  await k.stop();
  assert.equal(events(hook).length, 5, 'a stop sends what waits');
});

test('a receiver that fails is tried again, one that refuses is not', async (t) => {
  const flaky = await receiver(t, (_, count) => (count === 1 ? 503 : count === 2 ? 'cut' : 200));
  const k = await stand(t, { auditWebhook: { url: flaky.url, maxBatchSize: 1, maxDelayMs: 10 } });
  await send(k, 'POST', INGRESSES, ingress('a', 'a.example'));
  await eventually(() => (k.auditStatistics().sent === 1 ? true : undefined));
  assert.equal(flaky.received.length, 3);
  const refusing = await receiver(t, () => 400);
  k.setAuditWebhook({ url: refusing.url, maxBatchSize: 1, maxDelayMs: 10 });
  await send(k, 'POST', INGRESSES, ingress('b', 'a.example'));
  await eventually(() => (k.auditStatistics().dropped === 1 ? true : undefined));
  assert.equal(refusing.received.length, 1);
});

test('a receiver that fails for good loses the batch after five tries, and without one nothing is kept', async (t) => {
  const down = await receiver(t, () => 500);
  const k = await stand(t, { auditWebhook: { url: down.url, maxBatchSize: 1, maxDelayMs: 10 } });
  await send(k, 'POST', INGRESSES, ingress('a', 'a.example'));
  await eventually(() => (k.auditStatistics().dropped === 1 ? true : undefined));
  assert.equal(down.received.length, 5);
  k.setAuditWebhook(undefined);
  await send(k, 'POST', INGRESSES, ingress('b', 'a.example'));
  assert.deepEqual(k.auditStatistics(), { sent: 0, dropped: 1, waiting: 0 });
});

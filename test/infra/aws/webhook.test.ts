import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { startCloud } from '../../../infra/local/aws/index.ts';
import type { Cloud } from '../../../infra/local/aws/index.ts';
import { asList, asObject, asText } from '../../../infra/local/aws/json.ts';
import type { JsonObject } from '../../../infra/local/aws/json.ts';

/** The real webhook function of serverless.yml on the local cloud, with a sync that only keeps what it gets. */
let cloud: Cloud;
const synced: JsonObject[] = [];

before(async () => {
  cloud = await startCloud({
    serverlessFile: join(import.meta.dirname, '../../../serverless.yml'),
    environment: { WEBHOOK_TOKENS: 'first-token,second-token', CLUSTER_NAME: 'test' },
    schedules: false,
    log: () => undefined,
    handlers: {
      sync: (event) => {
        for (const record of asList(asObject(event, 'event')['Records'], 'Records')) {
          const body: unknown = JSON.parse(asText(asObject(record, 'record')['body'], 'body'));
          synced.push(asObject(asObject(body, 'body')['detail'], 'detail'));
        }
      },
    },
  });
});

beforeEach(() => {
  synced.length = 0;
});

after(() => cloud.stop());

function review(name: string): string {
  const kind = { group: 'networking.k8s.io', version: 'v1', kind: 'Ingress' };
  const object = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: { name, namespace: 'default' } };
  const request = {
    uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
    kind,
    resource: { group: 'networking.k8s.io', version: 'v1', resource: 'ingresses' },
    requestKind: kind,
    name,
    namespace: 'default',
    operation: 'CREATE',
    userInfo: { username: 'admin' },
    object,
    oldObject: null,
    dryRun: false,
  };
  return JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request });
}

async function send(path: string, body: string, headers: Record<string, string> = {}): Promise<Response> {
  const type = { 'content-type': 'application/json' };
  return fetch(`${cloud.httpUrl}${path}`, { method: 'POST', body, headers: { ...type, ...headers } });
}

for (const { name, path, headers } of [
  { name: 'a bearer token', path: '/webhook?timeout=5s', headers: { authorization: 'Bearer second-token' } },
  { name: 'a secret path', path: '/webhook/first-token?timeout=5s', headers: {} },
]) {
  test(`a review with ${name} is allowed and reaches sync as a change`, async () => {
    const response = await send(path, review('web'), headers);
    assert.equal(response.status, 200);
    const answer = asObject(asObject(await response.json(), 'answer')['response'], 'response');
    assert.deepEqual([answer['allowed'], answer['uid']], [true, '705ab4f5-6393-11e8-b7cc-42010a800002']);
    await cloud.idle(10_000);
    assert.equal(synced.length, 1);
    assert.equal(synced[0]?.['operation'], 'create');
    assert.deepEqual(synced[0]['ref'], {
      cluster: 'test',
      group: 'networking.k8s.io',
      version: 'v1',
      kind: 'Ingress',
      namespace: 'default',
      name: 'web',
    });
  });
}

test('a wrong token is refused and reaches nobody', async () => {
  const { published } = cloud.counters();
  assert.equal((await send('/webhook', review('web'), { authorization: 'Bearer third-token' })).status, 401);
  assert.equal((await send('/webhook/third-token', review('web'))).status, 401);
  assert.equal(cloud.counters().published, published);
});

test('a bus that refuses for a moment is asked again, and the change arrives', async () => {
  cloud.failNextEntries(1);
  assert.equal((await send('/webhook/first-token', review('again'))).status, 200);
  await cloud.idle(10_000);
  assert.equal(synced.length, 1);
});

test('an event lost on purpose is gone although the sender was told that all is well', async () => {
  cloud.dropNextEvents(1);
  assert.equal((await send('/webhook/first-token', review('lost'))).status, 200);
  await cloud.idle(10_000);
  assert.deepEqual(synced, []);
});

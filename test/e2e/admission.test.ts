import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test, { after, before } from 'node:test';
import { parse } from 'yaml';
import { until } from '../../infra/local/demo/meter.ts';
import { isRecord, type JsonRecord } from '../../shared/json.ts';
import { CLUSTER_CHANGE } from '../../shared/events.ts';
import type { KubernetesObject } from '../../shared/kubernetes/resources.ts';
import { consumer, ingress, plugin } from '../support/manifests.ts';
import { apply, served } from './act.ts';
import { heal, startLab, type Lab } from './lab.ts';
import { backed, foundation, manifests } from './objects.ts';

/** A cluster whose API server asks the webhook, which judges, before it stores anything: infra/kubernetes/webhook.yml. */
let lab: Lab;

function configuration(): JsonRecord {
  const file = path.join(import.meta.dirname, '../../infra/kubernetes/webhook.yml');
  const { url, token } = lab.stack.webhook;
  const text = readFileSync(file, 'utf8').replaceAll(/url: .*\/webhook\/TOKEN/g, `url: ${url}/${token}`);
  const value: unknown = parse(text);
  assert.ok(isRecord(value));
  return value;
}

async function create(
  object: KubernetesObject,
  collection: string,
  query = {},
): Promise<JsonRecord & { status: number }> {
  const { status, body } = await lab.kubernetes.send({ method: 'POST', path: collection, body: object, query });
  return { ...(isRecord(body) ? body : {}), status };
}

function wrong(name: string): KubernetesObject {
  return ingress(name, ['a.test / echo 80'], { annotations: { 'konghq.com/protocols': 'htps' } });
}

const INGRESSES = '/apis/networking.k8s.io/v1/namespaces/default/ingresses';
const KONG = '/apis/configuration.konghq.com/v1/namespaces/default';

function carried(name: string): number {
  return lab.events.filter(
    (event) => event['detail-type'] === CLUSTER_CHANGE && JSON.stringify(event).includes(`"${name}"`),
  ).length;
}

before(async () => {
  lab = await startLab({ environment: { ADMISSION: 'open' } });
  await lab.cluster.apply(...manifests(configuration()));
  await apply(lab, ...foundation(lab), consumer('ann', undefined, { custom_id: '7' }));
});
after(() => lab.stop());

test('what is wrong is denied with what to do, is not stored, and reaches no bus', async () => {
  const cases: readonly [object: KubernetesObject, collection: string, says: RegExp][] = [
    [
      wrong('wrong'),
      INGRESSES,
      /Ingress default\/wrong: annotation konghq\.com\/protocols is "htps", expected .* Correct or remove the annotation/,
    ],
    [
      plugin('wrong', { minute: -1 }),
      `${KONG}/kongplugins`,
      /KongPlugin default\/wrong: Kong would refuse its plugins/,
    ],
    [
      consumer('wrong', undefined, { username: 'ann' }),
      `${KONG}/kongconsumers`,
      /belongs to KongConsumer default\/ann/,
    ],
    [consumer('wrong', undefined, { custom_id: '7' }), `${KONG}/kongconsumers`, /belongs to KongConsumer default\/ann/],
  ];
  for (const [object, collection, says] of cases) {
    const answer = await create(object, collection);
    assert.equal(answer.status, 400, JSON.stringify(answer));
    assert.match(
      String(answer['message']),
      /admission webhook "changes\.kong-ingress-functions\.example" denied the request/,
    );
    assert.match(String(answer['message']), says);
    const read = await lab.kubernetes.send({ method: 'GET', path: `${collection}/wrong` });
    assert.equal(read.status, 404);
  }
  assert.equal(carried('wrong'), 0);
});

test('a dry run is judged and is no change', async () => {
  const query = { dryRun: 'All' };
  assert.equal((await create(wrong('dry'), INGRESSES, query)).status, 400);
  assert.equal((await create(ingress('dry', ['a.test / echo 80']), INGRESSES, query)).status, 201);
  assert.equal(carried('dry'), 0);
});

test('what is right passes and reaches the data planes; what is missing is an Event until it is there', async () => {
  await apply(lab, ingress('web', ['web.test / echo 80']));
  await served(lab, 'web.test');
  await apply(lab, ingress('early', ['early.test / late 80']));
  const collection = '/api/v1/namespaces/default/events';
  const query = { fieldSelector: 'involvedObject.kind=Ingress,involvedObject.name=early' };
  const reasons = async (): Promise<readonly string[]> => {
    const { body } = await lab.kubernetes.send({ method: 'GET', path: collection, query });
    const items: unknown = isRecord(body) ? body['items'] : [];
    assert.ok(Array.isArray(items));
    return items.filter(isRecord).map(({ reason, message }) => `${String(reason)} ${String(message)}`);
  };
  const told = (count: number): Promise<readonly string[]> =>
    until(`${count} Events`, 30_000, async () => {
      const found = await reasons();
      return found.length >= count ? found : undefined;
    });
  assert.match(
    (await told(1)).join(),
    /TranslationFailed ServiceNotFound: .*default\/late does not exist\. Create the Service/,
  );
  await apply(lab, ...backed(lab, 'late'));
  assert.match((await told(2)).join(), /KongConfigurationSucceeded/);
});

test('a Kong that does not answer stops no write, and what is wrong by itself is still denied', async () => {
  lab.faults.kong = (_method, requested) => (requested.startsWith('/schemas/') ? { status: 500 } : undefined);
  try {
    const { status, message } = await create(wrong('wrong'), INGRESSES);
    assert.equal(status, 400);
    assert.match(String(message), /protocols is "htps"/);
    assert.equal((await create(ingress('blind', ['blind.test / echo 80']), INGRESSES)).status, 201);
  } finally {
    heal(lab);
  }
  await served(lab, 'blind.test');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, listAt, textAt, type JsonObject } from '../../../infra/local/kubernetes/json.ts';
import type { KubernetesStandIn } from '../../../infra/local/kubernetes/index.ts';
import { CONFIGMAPS, configMap, send, stand } from './stand.ts';

const SLICES = '/apis/discovery.k8s.io/v1';

const names = (body: JsonObject): readonly string[] =>
  listAt(body, 'items').map((item) => textAt(item, 'metadata', 'name'));

const nextPage = (body: JsonObject): string => `${CONFIGMAPS}?limit=2&continue=${textAt(body, 'metadata', 'continue')}`;

const slice = (name: string, service: string): JsonObject => ({
  metadata: { name, labels: { 'kubernetes.io/service-name': service } },
  addressType: 'IPv4',
  endpoints: [{ addresses: ['10.0.0.1'] }],
  ports: [{ port: 80 }],
});

async function fill(k: KubernetesStandIn, ...all: readonly string[]): Promise<void> {
  for (const name of all)
    await send(
      k,
      'POST',
      CONFIGMAPS,
      configMap(name, {}, { labels: { parity: Number(name.slice(1)) % 2 === 0 ? 'even' : 'odd' } }),
    );
}

test('pages hold a list together, and show one state whatever is written meanwhile', async (t) => {
  const k = await stand(t);
  await fill(k, 'a1', 'a2', 'a3', 'a4', 'a5');
  const first = await send(k, 'GET', `${CONFIGMAPS}?limit=2`);
  assert.deepEqual(names(first.body), ['a1', 'a2']);
  assert.equal(at(first.body, 'metadata', 'remainingItemCount'), 3);
  await send(k, 'DELETE', `${CONFIGMAPS}/a3`);
  await fill(k, 'a9');
  const second = await send(k, 'GET', nextPage(first.body));
  assert.deepEqual(names(second.body), ['a3', 'a4']);
  const third = await send(k, 'GET', nextPage(second.body));
  assert.deepEqual(names(third.body), ['a5']);
  assert.equal(textAt(third.body, 'metadata', 'continue'), '');
  const versions = [first, second, third].map(({ body }) => textAt(body, 'metadata', 'resourceVersion'));
  assert.equal(new Set(versions).size, 1);
  assert.deepEqual(
    names((await send(k, 'GET', nextPage(first.body))).body),
    ['a3', 'a4'],
    'a page can be asked for again',
  );
});

test('a continue token that is not known any more is 410 Expired', async (t) => {
  const k = await stand(t);
  const token = Buffer.from('unknown 2').toString('base64url');
  const { status, body } = await send(k, 'GET', `${CONFIGMAPS}?limit=2&continue=${token}`);
  assert.equal(status, 410);
  assert.equal(textAt(body, 'reason'), 'Expired');
});

test('the page limit of the options bounds pages, but not lists without a limit', async (t) => {
  const k = await stand(t, { pageLimit: 2 });
  await fill(k, 'a1', 'a2', 'a3');
  assert.deepEqual(names((await send(k, 'GET', `${CONFIGMAPS}?limit=500`)).body), ['a1', 'a2']);
  assert.deepEqual(names((await send(k, 'GET', CONFIGMAPS)).body), ['a1', 'a2', 'a3']);
});

test('lists are chosen by labels, fields and namespace, and sorted', async (t) => {
  const k = await stand(t);
  await fill(k, 'a2', 'a1', 'a3');
  const list = async (query: string): Promise<readonly string[]> =>
    names((await send(k, 'GET', `${CONFIGMAPS}?${query}`)).body);
  assert.deepEqual(await list(''), ['a1', 'a2', 'a3']);
  assert.deepEqual(await list('labelSelector=parity%3Dodd'), ['a1', 'a3']);
  assert.deepEqual(await list('labelSelector=parity%20in%20(even)'), ['a2']);
  assert.deepEqual(await list('fieldSelector=metadata.name%3Da2'), ['a2']);
  assert.deepEqual(await list('fieldSelector=metadata.name%3Da2&labelSelector=parity%3Dodd'), []);
  assert.deepEqual(names((await send(k, 'GET', '/api/v1/configmaps?fieldSelector=metadata.name%3Da2')).body), ['a2']);
  assert.deepEqual(names((await send(k, 'GET', '/api/v1/namespaces/kube-system/configmaps')).body), []);
});

test('slices of a Service are found by their label, also after it changed', async (t) => {
  const k = await stand(t);
  const own = `${SLICES}/namespaces/default/endpointslices`;
  for (const [name, of] of [
    ['b', 'web'],
    ['a', 'web'],
    ['c', 'api'],
  ] as const)
    await send(k, 'POST', own, slice(name, of));
  const of = async (service: string): Promise<readonly string[]> =>
    names((await send(k, 'GET', `${own}?labelSelector=kubernetes.io%2Fservice-name%3D${service}`)).body);
  assert.deepEqual(await of('web'), ['a', 'b']);
  await send(
    k,
    'PATCH',
    `${own}/a`,
    { metadata: { labels: { 'kubernetes.io/service-name': 'api' } } },
    { 'content-type': 'application/merge-patch+json' },
  );
  await send(k, 'DELETE', `${own}/b`);
  assert.deepEqual(await of('web'), []);
  assert.deepEqual(await of('api'), ['a', 'c']);
  assert.deepEqual(
    names((await send(k, 'GET', `${SLICES}/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3Dapi`)).body),
    ['a', 'c'],
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '../../shared/errors.ts';
import { type Key, queryKey } from '../../shared/kubernetes/keys.ts';
import type { ObjectList } from '../../shared/kubernetes/list.ts';
import { liveLookup } from '../../shared/kubernetes/live.ts';
import type { Lookup } from '../../shared/kubernetes/lookup.ts';
import { MalformedObject, parseObject } from '../../shared/kubernetes/object.ts';
import type { Kind, KubernetesObject } from '../../shared/kubernetes/resources.ts';
import type { Selection } from '../../shared/kubernetes/selection.ts';
import { snapshotLookup } from '../../shared/kubernetes/snapshot.ts';
import { traced } from '../../shared/kubernetes/traced.ts';

function object(kind: Kind, name: string, rest: object = {}, metadata: object = {}): KubernetesObject {
  return parseObject(kind, { metadata: { name, namespace: 'shop', ...metadata }, ...rest });
}

function slice(name: string, service: string, metadata: object = {}): KubernetesObject {
  return object(
    'EndpointSlice',
    name,
    { endpoints: null, ports: null },
    { labels: { 'kubernetes.io/service-name': service }, ...metadata },
  );
}

const OBJECTS = [
  object('Service', 'echo', { spec: { ports: [{ port: 80 }] } }),
  object('Service', 'going', {}, { deletionTimestamp: '2026-11-23T02:00:00Z' }),
  object('Service', 'odd', { spec: { ports: [{ port: '80' }] } }),
  slice('echo-b', 'echo'),
  slice('echo-a', 'echo'),
  slice('echo-x', 'echo', { namespace: 'other' }),
  slice('echo-going', 'echo', { deletionTimestamp: '2026-11-23T02:00:00Z' }),
  slice('web-a', 'web'),
];

/** A client over objects that writes down what it is asked; `fail` makes the next request fail. */
function fakeClient(objects: readonly KubernetesObject[]): {
  asked: string[];
  fail: boolean;
  get(kind: Kind, namespace: string, name: string): Promise<KubernetesObject | undefined>;
  list(kind: Kind, selection: Selection): Promise<ObjectList>;
} {
  const asked: string[] = [];
  const client = {
    asked,
    fail: false,
    async get(kind: Kind, namespace: string, name: string) {
      asked.push(`${kind}/${namespace}/${name}`);
      if (client.fail) throw new AppError('KUBERNETES_UNAVAILABLE', 'down');
      return objects.find(
        (one) => one.kind === kind && one.metadata.namespace === namespace && one.metadata.name === name,
      );
    },
    async list(kind: Kind, { namespace, labelSelector }: Selection) {
      asked.push(`${kind} in ${namespace} with ${labelSelector}`);
      const [label, value] = (labelSelector ?? '').split('=');
      const found = objects.filter(
        (one) =>
          one.kind === kind && one.metadata.namespace === namespace && one.metadata.labels?.[label ?? ''] === value,
      );
      return { objects: found, resourceVersion: '1', absent: false };
    },
  };
  return client;
}

const lookups: readonly [string, () => Lookup][] = [
  ['live', () => liveLookup(fakeClient(OBJECTS))],
  ['snapshot', () => snapshotLookup(OBJECTS)],
  ['traced', () => traced(snapshotLookup(OBJECTS))],
];

for (const [title, make] of lookups) {
  test(`${title}: an object by name; what is missing or being deleted is undefined`, async () => {
    const lookup = make();
    assert.equal((await lookup.get('Service', 'shop', 'echo'))?.spec?.ports?.[0]?.port, 80);
    assert.equal(await lookup.get('Service', 'shop', 'none'), undefined);
    assert.equal(await lookup.get('Service', 'other', 'echo'), undefined);
    assert.equal(await lookup.get('Ingress', 'shop', 'echo'), undefined);
    assert.equal(await lookup.get('Service', 'shop', 'going'), undefined);
  });

  test(`${title}: a query’s answer is sorted, without what is being deleted; nulls of lists are absent`, async () => {
    const found = await make().list('EndpointSlice', { service: 'shop/echo' });
    assert.deepEqual(
      found.map((one) => one.metadata.name),
      ['echo-a', 'echo-b'],
    );
    assert.ok(found[0] !== undefined && !('endpoints' in found[0]));
    assert.deepEqual(await make().list('EndpointSlice', { service: 'shop/none' }), []);
  });

  test(`${title}: a malformed object is an error that carries it and says where`, async () => {
    await assert.rejects(
      async () => make().get('Service', 'shop', 'odd'),
      (error) => {
        assert.ok(error instanceof MalformedObject);
        assert.equal(error.code, 'KUBERNETES_OBJECT_MALFORMED');
        assert.equal(error.object.metadata.name, 'odd');
        assert.match(error.problem, /^spec\.ports\[0\]\.port is a string/);
        return true;
      },
    );
  });
}

test('live: one request a key, also for those who ask while it is under way, and for misses', async () => {
  const client = fakeClient(OBJECTS);
  const lookup = liveLookup(client);
  await Promise.all([1, 2, 3].map(async () => lookup.get('Service', 'shop', 'echo')));
  await Promise.all([1, 2, 3].map(async () => lookup.list('EndpointSlice', { service: 'shop/echo' })));
  for (let time = 0; time < 3; time += 1) await lookup.get('Service', 'shop', 'none');
  assert.deepEqual(client.asked, [
    'Service/shop/echo',
    'EndpointSlice in shop with kubernetes.io/service-name=echo',
    'Service/shop/none',
  ]);
});

test('live: an error is not kept, and what is forgotten is read again', async () => {
  const client = fakeClient(OBJECTS);
  const lookup = liveLookup(client);
  client.fail = true;
  await assert.rejects(async () => lookup.get('Service', 'shop', 'echo'), { code: 'KUBERNETES_UNAVAILABLE' });
  client.fail = false;
  assert.notEqual(await lookup.get('Service', 'shop', 'echo'), undefined);
  lookup.forget('Service/shop/echo');
  await lookup.get('Service', 'shop', 'echo');
  await lookup.list('EndpointSlice', { service: 'shop/echo' });
  lookup.forget(queryKey('EndpointSlice', { service: 'shop/echo' }));
  await lookup.list('EndpointSlice', { service: 'shop/echo' });
  assert.equal(client.asked.length, 5);
});

test('snapshot: of two objects with one key the last counts', async () => {
  const newer = object('Service', 'echo', { spec: { ports: [{ port: 81 }] } });
  const lookup = snapshotLookup([...OBJECTS, newer]);
  assert.equal((await lookup.get('Service', 'shop', 'echo'))?.spec?.ports?.[0]?.port, 81);
});

test('traced: every key asked, misses and failures included, sorted, once', async () => {
  const lookup = traced(liveLookup(fakeClient(OBJECTS)));
  await lookup.get('Service', 'shop', 'none');
  await lookup.get('IngressClass', '', 'kong');
  await lookup.list('EndpointSlice', { service: 'shop/none' });
  await lookup.get('Service', 'shop', 'none');
  await assert.rejects(async () => lookup.get('Service', 'shop', 'odd'));
  const expected: readonly Key[] = [
    'EndpointSlice?service=shop/none',
    'IngressClass//kong',
    'Service/shop/none',
    'Service/shop/odd',
  ];
  assert.deepEqual(lookup.keys(), expected);
});

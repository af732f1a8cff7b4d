import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, listAt, textAt, type Json, type JsonObject } from '../../../infra/local/kubernetes/json.ts';
import { CONFIGMAPS, configMap, eventually, ingress, INGRESSES, send, service, SERVICES, stand } from './stand.ts';

const MERGE = { 'content-type': 'application/merge-patch+json' };
const STRATEGIC = { 'content-type': 'application/strategic-merge-patch+json' };
const JSON_PATCH = { 'content-type': 'application/json-patch+json' };

test('a new object gets uid, creationTimestamp, generation, resourceVersion and its defaults', async (t) => {
  const k = await stand(t);
  const { status, body } = await send(k, 'POST', SERVICES, service('web', [{ port: 80 }]));
  assert.equal(status, 201);
  assert.match(textAt(body, 'metadata', 'uid'), /^[0-9a-f-]{36}$/);
  assert.match(textAt(body, 'metadata', 'creationTimestamp'), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.match(textAt(body, 'metadata', 'resourceVersion'), /^\d+$/);
  assert.equal(textAt(body, 'metadata', 'namespace'), 'default');
  assert.equal(textAt(body, 'spec', 'type'), 'ClusterIP');
  assert.match(textAt(body, 'spec', 'clusterIP'), /^10\.\d+\.\d+\.\d+$/);
  assert.deepEqual(listAt(body, 'spec', 'ports'), [{ port: 80, protocol: 'TCP', targetPort: 80 }]);
  const made = await send(k, 'POST', INGRESSES, ingress('web', 'a.example'));
  assert.equal(at(made.body, 'metadata', 'generation'), 1);
});

test('names are generated, checked and taken once', async (t) => {
  const k = await stand(t);
  const generated = await send(k, 'POST', CONFIGMAPS, { metadata: { generateName: 'x-' } });
  assert.match(textAt(generated.body, 'metadata', 'name'), /^x-[a-z0-9]{5}$/);
  assert.equal((await send(k, 'POST', CONFIGMAPS, configMap('a'))).status, 201);
  const again = await send(k, 'POST', CONFIGMAPS, configMap('a'));
  assert.equal(again.status, 409);
  assert.equal(textAt(again.body, 'reason'), 'AlreadyExists');
  assert.deepEqual(at(again.body, 'details'), { name: 'a', kind: 'configmaps' });
  for (const name of ['', 'Upper', 'a_b', '-a', 'a'.repeat(254)]) {
    const { status } = await send(k, 'POST', CONFIGMAPS, configMap(name));
    assert.equal(status, 422, name);
  }
});

test('an update needs the resourceVersion that is there, and counts generations by spec alone', async (t) => {
  const k = await stand(t);
  const { body } = await send(k, 'POST', INGRESSES, ingress('web', 'a.example'));
  const next = ingress('web', 'b.example', { resourceVersion: textAt(body, 'metadata', 'resourceVersion') });
  const updated = await send(k, 'PUT', `${INGRESSES}/web`, next);
  assert.equal(updated.status, 200);
  assert.equal(at(updated.body, 'metadata', 'generation'), 2);
  assert.equal(textAt(updated.body, 'metadata', 'uid'), textAt(body, 'metadata', 'uid'));
  const stale = await send(k, 'PUT', `${INGRESSES}/web`, next);
  assert.equal(stale.status, 409);
  assert.equal(textAt(stale.body, 'reason'), 'Conflict');
  const labelled = await send(k, 'PATCH', `${INGRESSES}/web`, { metadata: { labels: { a: 'b' } } }, MERGE);
  assert.equal(at(labelled.body, 'metadata', 'generation'), 2);
  assert.notEqual(
    textAt(labelled.body, 'metadata', 'resourceVersion'),
    textAt(updated.body, 'metadata', 'resourceVersion'),
  );
});

test('a write that changes nothing keeps the resourceVersion', async (t) => {
  const k = await stand(t);
  const { body } = await send(k, 'POST', INGRESSES, ingress('web', 'a.example'));
  const same = await send(k, 'PATCH', `${INGRESSES}/web`, { spec: { ingressClassName: 'kong' } }, MERGE);
  assert.deepEqual(same.body, body);
});

test('spec and status are written on their own paths', async (t) => {
  const k = await stand(t);
  const status: JsonObject = { loadBalancer: { ingress: [{ ip: '10.0.0.1' }] } };
  const made = await send(k, 'POST', INGRESSES, { ...ingress('web', 'a.example'), status });
  assert.deepEqual(at(made.body, 'status'), { loadBalancer: {} });
  const ignored = await send(k, 'PATCH', `${INGRESSES}/web`, { status }, MERGE);
  assert.deepEqual(at(ignored.body, 'status'), { loadBalancer: {} });
  const patch = { status, spec: { ingressClassName: 'other' }, metadata: { labels: { a: 'b' } } };
  const written = await send(k, 'PATCH', `${INGRESSES}/web/status`, patch, MERGE);
  assert.deepEqual(at(written.body, 'status'), status);
  assert.equal(textAt(written.body, 'spec', 'ingressClassName'), 'kong');
  assert.equal(at(written.body, 'metadata', 'labels'), undefined);
  assert.equal(at(written.body, 'metadata', 'generation'), 1);
  assert.deepEqual((await send(k, 'GET', `${INGRESSES}/web/status`)).body, written.body);
  assert.equal((await send(k, 'GET', `${CONFIGMAPS}/x/status`)).status, 404);
});

test('every type of patch works over HTTP', async (t) => {
  const k = await stand(t);
  await send(k, 'POST', SERVICES, service('web', [{ port: 80, name: 'a' }]));
  const path = `${SERVICES}/web`;
  const strategic = await send(k, 'PATCH', path, { spec: { ports: [{ port: 81, name: 'b' }] } }, STRATEGIC);
  assert.deepEqual(
    listAt(strategic.body, 'spec', 'ports').map((port) => at(port, 'port')),
    [81, 80],
  );
  const json = await send(k, 'PATCH', path, [{ op: 'remove', path: '/spec/ports/1' }], JSON_PATCH);
  assert.deepEqual(
    listAt(json.body, 'spec', 'ports').map((port) => at(port, 'port')),
    [81],
  );
  const merge = await send(k, 'PATCH', path, { spec: { ports: [{ port: 82 }] } }, MERGE);
  assert.deepEqual(
    listAt(merge.body, 'spec', 'ports').map((port) => at(port, 'port')),
    [82],
  );
  const plugins = '/apis/configuration.konghq.com/v1/namespaces/default/kongplugins';
  await send(k, 'POST', plugins, {
    apiVersion: 'configuration.konghq.com/v1',
    kind: 'KongPlugin',
    metadata: { name: 'p' },
    plugin: 'cors',
  });
  assert.equal(
    (await send(k, 'PATCH', `${plugins}/p`, { plugin: 'acl' }, STRATEGIC)).status,
    415,
    'custom resources have no strategic merge',
  );
  assert.equal((await send(k, 'PATCH', path, {}, { 'content-type': 'application/json' })).status, 415);
});

test('concurrent patches without a resourceVersion all get through', async (t) => {
  const k = await stand(t);
  await send(k, 'POST', CONFIGMAPS, configMap('a'));
  const keys = Array.from({ length: 20 }, (_, index) => `k${index}`);
  await Promise.all(keys.map((key) => send(k, 'PATCH', `${CONFIGMAPS}/a`, { data: { [key]: '1' } }, MERGE)));
  const { body } = await send(k, 'GET', `${CONFIGMAPS}/a`);
  assert.deepEqual(Object.keys(at(body, 'data') ?? {}).toSorted(), keys.toSorted());
});

test('a dry run answers as the write would and stores nothing', async (t) => {
  const k = await stand(t);
  const made = await send(k, 'POST', `${INGRESSES}?dryRun=All`, ingress('web', 'a.example'));
  assert.equal(made.status, 201);
  assert.equal((await send(k, 'GET', `${INGRESSES}/web`)).status, 404);
  await send(k, 'POST', INGRESSES, ingress('web', 'a.example'));
  const patched = await send(k, 'PATCH', `${INGRESSES}/web?dryRun=All`, { spec: { ingressClassName: 'other' } }, MERGE);
  assert.equal(textAt(patched.body, 'spec', 'ingressClassName'), 'other');
  await send(k, 'DELETE', `${INGRESSES}/web?dryRun=All`);
  assert.equal(textAt((await send(k, 'GET', `${INGRESSES}/web`)).body, 'spec', 'ingressClassName'), 'kong');
});

test('an object with finalizers waits for them, and cannot come back', async (t) => {
  const k = await stand(t);
  await send(k, 'POST', INGRESSES, ingress('web', 'a.example', { finalizers: ['example.org/hold'] }));
  const waiting = await send(k, 'DELETE', `${INGRESSES}/web`);
  assert.match(textAt(waiting.body, 'metadata', 'deletionTimestamp'), /^\d{4}-/);
  assert.equal((await send(k, 'GET', `${INGRESSES}/web`)).status, 200);
  const still = await send(k, 'PATCH', `${INGRESSES}/web`, { metadata: { deletionTimestamp: null } }, MERGE);
  assert.match(textAt(still.body, 'metadata', 'deletionTimestamp'), /^\d{4}-/);
  await send(k, 'PATCH', `${INGRESSES}/web`, { metadata: { finalizers: null } }, MERGE);
  assert.equal((await send(k, 'GET', `${INGRESSES}/web`)).status, 404);
});

test('a delete says what is gone, honours preconditions and can take a selection', async (t) => {
  const k = await stand(t);
  const { body } = await send(k, 'POST', CONFIGMAPS, configMap('a', {}, { labels: { x: '1' } }));
  const other = { preconditions: { uid: '00000000-0000-0000-0000-000000000000' } };
  assert.equal((await send(k, 'DELETE', `${CONFIGMAPS}/a`, other)).status, 409);
  const done = await send(k, 'DELETE', `${CONFIGMAPS}/a`, { propagationPolicy: 'Background' });
  assert.equal(textAt(done.body, 'status'), 'Success');
  assert.equal(textAt(done.body, 'details', 'uid'), textAt(body, 'metadata', 'uid'));
  assert.equal((await send(k, 'DELETE', `${CONFIGMAPS}/a`)).status, 404);
  for (const [name, x] of [
    ['b', '1'],
    ['c', '1'],
    ['d', '2'],
  ] as const) {
    await send(k, 'POST', CONFIGMAPS, configMap(name, {}, { labels: { x } }));
  }
  const many = await send(k, 'DELETE', `${CONFIGMAPS}?labelSelector=x%3D1`);
  assert.deepEqual(
    listAt(many.body, 'items').map((item) => textAt(item, 'metadata', 'name')),
    ['b', 'c'],
  );
  const left = await send(k, 'GET', CONFIGMAPS);
  assert.deepEqual(
    listAt(left.body, 'items').map((item) => textAt(item, 'metadata', 'name')),
    ['d'],
  );
});

test('a namespace must be there, takes its objects along and waits for their finalizers', async (t) => {
  const k = await stand(t);
  const path = '/api/v1/namespaces/shop/configmaps';
  const gone = (what: string): Promise<true> =>
    eventually(async () => ((await send(k, 'GET', what)).status === 404 ? true : undefined));
  const missing = await send(k, 'POST', path, configMap('a'));
  assert.equal(missing.status, 404);
  assert.match(textAt(missing.body, 'message'), /namespaces "shop" not found/);
  await send(k, 'POST', '/api/v1/namespaces', { metadata: { name: 'shop' } });
  await send(k, 'POST', path, configMap('a'));
  await send(k, 'POST', path, configMap('held', {}, { finalizers: ['example.org/hold'] }));
  const terminating = await send(k, 'DELETE', '/api/v1/namespaces/shop');
  assert.equal(textAt(terminating.body, 'status', 'phase'), 'Terminating');
  assert.equal((await send(k, 'POST', path, configMap('b'))).status, 403);
  await gone(`${path}/a`);
  assert.equal((await send(k, 'GET', '/api/v1/namespaces/shop')).status, 200);
  await send(k, 'PATCH', `${path}/held`, { metadata: { finalizers: [] } }, MERGE);
  await gone('/api/v1/namespaces/shop');
});

const INVALID: readonly (readonly [string, string, Json, RegExp])[] = [
  [
    'an Ingress without pathType',
    INGRESSES,
    {
      metadata: { name: 'x' },
      spec: { rules: [{ http: { paths: [{ path: '/', backend: { service: { name: 'a', port: { number: 1 } } } }] } }] },
    },
    /pathType: Required value/,
  ],
  [
    'an Ingress with nothing to do',
    INGRESSES,
    { metadata: { name: 'x' }, spec: {} },
    /either `defaultBackend` or `rules`/,
  ],
  ['an Ingress for an IP address', INGRESSES, ingress('x', '10.0.0.1'), /spec\.rules\[0\]\.host/],
  [
    'an Ingress path that is relative',
    INGRESSES,
    {
      metadata: { name: 'x' },
      spec: {
        rules: [
          {
            http: {
              paths: [{ path: 'a', pathType: 'Prefix', backend: { service: { name: 'a', port: { number: 1 } } } }],
            },
          },
        ],
      },
    },
    /must be an absolute path/,
  ],
  [
    'a backend without port',
    INGRESSES,
    { metadata: { name: 'x' }, spec: { defaultBackend: { service: { name: 'a' } } } },
    /port name or number is required/,
  ],
  ['a Service port out of range', SERVICES, service('x', [{ port: 70_000 }]), /between 1 and 65535/],
  [
    'Service ports without names',
    SERVICES,
    service('x', [{ port: 1 }, { port: 2 }]),
    /spec\.ports\[0\]\.name: Required/,
  ],
  ['a Service named like a number', SERVICES, service('1x'), /must begin with a letter/],
  [
    'an external name that is missing',
    SERVICES,
    { metadata: { name: 'x' }, spec: { type: 'ExternalName' } },
    /spec\.externalName: Required/,
  ],
  [
    'an EndpointSlice without addressType',
    '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices',
    { metadata: { name: 'x' }, endpoints: [] },
    /addressType: Required/,
  ],
  [
    'a TLS Secret without key',
    '/api/v1/namespaces/default/secrets',
    { metadata: { name: 'x' }, type: 'kubernetes.io/tls', data: { 'tls.crt': 'YQ==' } },
    /tls\.key/,
  ],
  [
    'a Secret that is not base64',
    '/api/v1/namespaces/default/secrets',
    { metadata: { name: 'x' }, data: { a: '%' } },
    /illegal base64/,
  ],
  ['a label that is none', CONFIGMAPS, configMap('x', {}, { labels: { a: 'not allowed' } }), /metadata\.labels/],
];

for (const [what, path, body, message] of INVALID) {
  test(`${what} is refused with 422 and the field`, async (t) => {
    const k = await stand(t);
    const answer = await send(k, 'POST', path, body);
    assert.equal(answer.status, 422);
    assert.equal(textAt(answer.body, 'reason'), 'Invalid');
    assert.match(textAt(answer.body, 'message'), message);
    assert.ok(listAt(answer.body, 'details', 'causes').length > 0);
  });
}

test('fields that a kind does not have are dropped with a warning, or refused when the client is strict', async (t) => {
  const k = await stand(t);
  const wrong = {
    ...ingress('web', 'a.example'),
    spce: {},
    spec: { defaultBackend: { service: { name: 'a', port: { number: 1, nam: 'x' } } } },
  };
  const strict = await send(k, 'POST', `${INGRESSES}?fieldValidation=Strict`, wrong);
  assert.equal(strict.status, 400);
  assert.match(
    textAt(strict.body, 'message'),
    /strict decoding error: unknown field "spec\.defaultBackend\.service\.port\.nam", unknown field "spce"/,
  );
  const warned = await send(k, 'POST', INGRESSES, wrong);
  assert.equal(warned.status, 201);
  assert.match(warned.headers.get('warning') ?? '', /unknown field \\"spce\\"/);
  assert.equal(at(warned.body, 'spce'), undefined);
  assert.deepEqual(at(warned.body, 'spec', 'defaultBackend', 'service', 'port'), { number: 1 });
});

test('a Secret takes text as stringData and keeps its type', async (t) => {
  const k = await stand(t);
  const path = '/api/v1/namespaces/default/secrets';
  const made = await send(k, 'POST', path, { metadata: { name: 's' }, stringData: { key: 'abc' } });
  assert.deepEqual(at(made.body, 'data'), { key: 'YWJj' });
  assert.equal(at(made.body, 'stringData'), undefined);
  assert.equal(textAt(made.body, 'type'), 'Opaque');
  assert.equal((await send(k, 'PATCH', `${path}/s`, { type: 'other' }, MERGE)).status, 422);
});

import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { test } from 'node:test';
import { at, listAt, textAt } from '../../../infra/local/kubernetes/json.ts';
import { CONFIGMAPS, configMap, ingress, INGRESSES, send, stand } from './stand.ts';

test('it says that it is a stand-in', async (t) => {
  const k = await stand(t);
  const { body, headers } = await send(k, 'GET', '/version');
  assert.equal(textAt(body, 'gitVersion'), 'v1.33.0+stand-in');
  assert.equal(headers.get('x-stand-in'), 'kubernetes');
});

test('health needs no token, everything else does', async (t) => {
  const k = await stand(t, { tokens: { 'other-token': 'system:serviceaccount:kong:functions' } });
  const stranger = { url: k.url, token: 'wrong' };
  for (const path of ['/healthz', '/livez', '/readyz', '/version']) {
    assert.equal((await send(stranger, 'GET', path)).status, 200, path);
  }
  for (const path of ['/api', '/apis', '/openapi/v2', INGRESSES]) {
    const { status, body } = await send(stranger, 'GET', path);
    assert.equal(status, 401, path);
    assert.equal(textAt(body, 'reason'), 'Unauthorized');
  }
  assert.equal((await fetch(`${k.url}/api`)).status, 401);
  assert.equal((await send({ url: k.url, token: 'other-token' }, 'GET', INGRESSES)).status, 200);
  assert.equal(k.requests().at(-1)?.user, 'system:serviceaccount:kong:functions');
});

test('the kubeconfig is private and names the server', async (t) => {
  const k = await stand(t, { tls: true });
  assert.equal((await stat(k.kubeconfig)).mode & 0o777, 0o600);
  const text = await readFile(k.kubeconfig, 'utf8');
  assert.ok(text.includes(k.url) && text.includes(k.token));
  assert.match(k.url, /^https:\/\/127\.0\.0\.1:\d+$/);
});

test('discovery names every kind, in the old and in the aggregated form', async (t) => {
  const k = await stand(t);
  const groups = listAt((await send(k, 'GET', '/apis')).body, 'groups').map((group) => textAt(group, 'name'));
  for (const group of [
    'networking.k8s.io',
    'configuration.konghq.com',
    'gateway.networking.k8s.io',
    'apiextensions.k8s.io',
  ]) {
    assert.ok(groups.includes(group), group);
  }
  assert.deepEqual(listAt((await send(k, 'GET', '/api')).body, 'versions'), ['v1']);
  const kinds = async (path: string): Promise<readonly string[]> =>
    listAt((await send(k, 'GET', path)).body, 'resources').map(
      (resource) => `${textAt(resource, 'name')} ${textAt(resource, 'kind')}`,
    );
  const core = await kinds('/api/v1');
  for (const kind of ['services Service', 'services/status Service', 'secrets Secret', 'namespaces Namespace'])
    assert.ok(core.includes(kind), kind);
  assert.ok((await kinds('/apis/gateway.networking.k8s.io/v1')).includes('httproutes HTTPRoute'));
  assert.ok((await kinds('/apis/gateway.networking.k8s.io/v1beta1')).includes('referencegrants ReferenceGrant'));
  const accept = { accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json' };
  const { body, headers } = await send(k, 'GET', '/apis', undefined, accept);
  assert.equal(textAt(body, 'kind'), 'APIGroupDiscoveryList');
  assert.match(headers.get('content-type') ?? '', /as=APIGroupDiscoveryList/);
  const kong = listAt(body, 'items').find((item) => textAt(item, 'metadata', 'name') === 'configuration.konghq.com');
  assert.deepEqual(
    listAt(kong, 'versions').map((version) => textAt(version, 'version')),
    ['v1', 'v1beta1', 'v1alpha1'],
  );
  assert.equal(textAt((await send(k, 'GET', '/apis/networking.k8s.io')).body, 'preferredVersion', 'version'), 'v1');
  assert.equal((await send(k, 'GET', '/apis/unknown.example')).status, 404);
  assert.equal((await send(k, 'GET', '/apis/networking.k8s.io/v9')).status, 404);
});

test('without custom resources their groups are absent until a definition brings them, and go with it', async (t) => {
  const k = await stand(t, { customResources: false });
  const path = '/apis/configuration.konghq.com/v1/namespaces/default/kongplugins';
  assert.equal((await send(k, 'GET', path)).status, 404);
  const definition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'kongplugins.configuration.konghq.com' },
    spec: {
      group: 'configuration.konghq.com',
      scope: 'Namespaced',
      names: { kind: 'KongPlugin', plural: 'kongplugins', shortNames: ['kp'] },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: [{ name: 'Plugin', type: 'string', jsonPath: '.plugin' }],
        },
      ],
    },
  };
  const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  const made = await send(k, 'POST', definitions, definition);
  assert.equal(made.status, 201);
  assert.ok(listAt(made.body, 'status', 'conditions').some((condition) => textAt(condition, 'type') === 'Established'));
  const plugin = {
    apiVersion: 'configuration.konghq.com/v1',
    kind: 'KongPlugin',
    metadata: { name: 'p' },
    plugin: 'cors',
  };
  assert.equal((await send(k, 'POST', path, plugin)).status, 201);
  const accept = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };
  const { body } = await send(k, 'GET', path, undefined, accept);
  assert.deepEqual(
    listAt(body, 'columnDefinitions').map((column) => textAt(column, 'name')),
    ['Name', 'Plugin', 'Age'],
  );
  assert.deepEqual(listAt(body, 'rows', '0').length, 0);
  assert.deepEqual(listAt(listAt(body, 'rows')[0], 'cells').slice(0, 2), ['p', 'cors']);
  await send(k, 'DELETE', `${definitions}/kongplugins.configuration.konghq.com`);
  assert.equal((await send(k, 'GET', path)).status, 404);
  await send(k, 'POST', definitions, definition);
  assert.deepEqual(listAt((await send(k, 'GET', path)).body, 'items'), [], 'the objects went with their definition');
});

test('paths, methods, bodies and forms that it does not know get the proper Status', async (t) => {
  const k = await stand(t);
  const cases: readonly (readonly [string, string, number, string?])[] = [
    ['GET', '/nothing', 404],
    ['GET', '/apis/networking.k8s.io/v1/unknown', 404],
    ['GET', '/api/v1/namespaces/default/namespaces/x/y/z', 404],
    ['GET', '/apis/networking.k8s.io/v1/ingresses/web', 404],
    ['POST', '/apis/networking.k8s.io/v1/ingresses', 405],
    ['PUT', CONFIGMAPS, 405],
    ['POST', `${CONFIGMAPS}/x`, 405],
    ['GET', `${CONFIGMAPS}/%zz`, 400],
    ['GET', `${CONFIGMAPS}?labelSelector=a%3Db%3Dc`, 400],
    ['GET', `${CONFIGMAPS}?limit=-1`, 400],
    ['GET', `${CONFIGMAPS}?watch=true&resourceVersion=x`, 400],
  ];
  for (const [method, path, code] of cases) {
    const { status, body } = await send(k, method, path, method === 'GET' ? undefined : configMap('x'));
    assert.equal(status, code, `${method} ${path}`);
    assert.equal(textAt(body, 'kind'), 'Status');
    assert.equal(at(body, 'code'), code);
  }
  assert.equal(
    (await send(k, 'GET', CONFIGMAPS, undefined, { accept: 'application/vnd.kubernetes.protobuf' })).status,
    406,
  );
  const types = { 'application/vnd.kubernetes.protobuf': 400, 'text/plain': 415, 'application/json': 400 };
  for (const [type, code] of Object.entries(types)) {
    const response = await fetch(`${k.url}${CONFIGMAPS}`, {
      method: 'POST',
      body: '{',
      headers: { authorization: `Bearer ${k.token}`, 'content-type': type },
    });
    assert.equal(response.status, code, type);
  }
  assert.equal((await send(k, 'POST', CONFIGMAPS)).status, 400);
  assert.equal((await send(k, 'POST', CONFIGMAPS, [])).status, 400);
  assert.equal((await send(k, 'POST', CONFIGMAPS, { ...configMap('x'), kind: 'Secret' })).status, 400);
  assert.equal((await send(k, 'POST', CONFIGMAPS, configMap('x', {}, { namespace: 'other' }))).status, 400);
  assert.equal((await send(k, 'POST', CONFIGMAPS, configMap('x', { big: 'x'.repeat(4_000_000) }))).status, 413);
});

test('faults fail requests on purpose', async (t) => {
  const k = await stand(t, {
    faults: (method, path) => (path.includes('continue=') ? 500 : method === 'DELETE' ? 'cut' : undefined),
  });
  for (const name of ['a', 'b']) await send(k, 'POST', CONFIGMAPS, configMap(name));
  const first = await send(k, 'GET', `${CONFIGMAPS}?limit=1`);
  assert.equal(first.status, 200);
  const second = await send(k, 'GET', `${CONFIGMAPS}?limit=1&continue=${textAt(first.body, 'metadata', 'continue')}`);
  assert.equal(second.status, 500);
  await assert.rejects(send(k, 'DELETE', `${CONFIGMAPS}/a`), TypeError);
  assert.equal((await send(k, 'GET', `${CONFIGMAPS}/a`)).status, 200);
  k.clearRequests();
  await send(k, 'GET', `${CONFIGMAPS}/a?x=1`);
  assert.deepEqual(k.requests(), [{ method: 'GET', path: `${CONFIGMAPS}/a?x=1`, user: 'kubernetes-admin' }]);
});

test('kinds that are served in two versions or groups are the same objects', async (t) => {
  const k = await stand(t);
  const gateway = '/apis/gateway.networking.k8s.io';
  await send(k, 'POST', `${gateway}/v1beta1/namespaces/default/httproutes`, {
    apiVersion: 'gateway.networking.k8s.io/v1beta1',
    kind: 'HTTPRoute',
    metadata: { name: 'r' },
    spec: {},
  });
  const { body } = await send(k, 'GET', `${gateway}/v1/namespaces/default/httproutes/r`);
  assert.equal(textAt(body, 'apiVersion'), 'gateway.networking.k8s.io/v1');
  const event = {
    metadata: { name: 'e' },
    regarding: { kind: 'Ingress', name: 'web' },
    note: 'text',
    reason: 'R',
    type: 'Warning',
  };
  await send(k, 'POST', '/apis/events.k8s.io/v1/namespaces/default/events', event);
  const core = await send(k, 'GET', '/api/v1/namespaces/default/events?fieldSelector=involvedObject.name%3Dweb');
  assert.deepEqual(
    listAt(core.body, 'items').map((item) => textAt(item, 'message')),
    ['text'],
  );
  const other = await send(
    k,
    'GET',
    '/apis/events.k8s.io/v1/namespaces/default/events?fieldSelector=regarding.name%3Dweb',
  );
  assert.deepEqual(
    listAt(other.body, 'items').map((item) => [textAt(item, 'apiVersion'), textAt(item, 'note')]),
    [['events.k8s.io/v1', 'text']],
  );
});

test('a list as a table, and as metadata alone', async (t) => {
  const k = await stand(t);
  await send(k, 'POST', INGRESSES, ingress('web', 'a.example'));
  const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
  const { body } = await send(k, 'GET', INGRESSES, undefined, { accept });
  assert.equal(textAt(body, 'kind'), 'Table');
  const [row] = listAt(body, 'rows');
  assert.deepEqual(listAt(row, 'cells').slice(0, 5), ['web', 'kong', 'a.example', '', '80']);
  assert.equal(textAt(row, 'object', 'kind'), 'PartialObjectMetadata');
  const metadata = await send(k, 'GET', INGRESSES, undefined, {
    accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io',
  });
  assert.equal(textAt(metadata.body, 'kind'), 'PartialObjectMetadataList');
  assert.equal(at(listAt(metadata.body, 'items')[0], 'spec'), undefined);
});

test('OpenAPI says that the server validates fields and dry-runs', async (t) => {
  const k = await stand(t);
  const index = await send(k, 'GET', '/openapi/v3');
  const url = textAt(index.body, 'paths', 'apis/networking.k8s.io/v1', 'serverRelativeURL');
  const { body } = await send(k, 'GET', url);
  const patch = at(body, 'paths', '/apis/networking.k8s.io/v1/namespaces/{namespace}/ingresses/{name}', 'patch');
  const names = listAt(patch, 'parameters').map((parameter) => textAt(parameter, 'name'));
  assert.ok(names.includes('fieldValidation') && names.includes('dryRun'));
  assert.equal(textAt((await send(k, 'GET', '/openapi/v2')).body, 'swagger'), '2.0');
  assert.equal((await send(k, 'GET', '/openapi/v3/apis/unknown/v1')).status, 404);
});

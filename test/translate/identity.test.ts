import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { v5 } from 'uuid';
import { entityId, licenseId, tagsOf, type Plural } from '../../shared/translate/identity.ts';
import { pluginKey } from '../../shared/translate/plugin.ts';

const VECTORS: readonly (readonly [Plural, string, string, string])[] = [
  ['services', 'bar-namespace.foo-svc.80', '', 'edc1d53e-73b4-5932-9455-0e01f0d53e3f'],
  ['routes', 'bar-namespace.ing-with-tls.foo-svc.example.com.80', '', 'fc9a8135-0253-5631-b1e0-8712f796a4e2'],
  ['consumers', 'consumer', '', '7deb6e70-60be-5dd2-b374-06551479ea5e'],
  ['consumergroups', 'consumer-group-1', '', 'dc176b3e-97a3-55b5-935a-b6edda29067d'],
  ['plugins', 'correlation-id:route/default.httpbin.httpbin..80', '', '61a22b86-f859-5c8a-a23c-97b92b14b635'],
  ['services', 'httproute.default.httproute-testing.3', '', 'efb4a7d7-791f-504e-b005-0bd38bf1435e'],
  ['vaults', 'env-1', '', 'db5048c0-8fe4-5985-b90d-218dbf10a0e3'],
  ['services', 'bar-namespace.foo-svc.80', 'ws1', '313ba974-cb29-5953-8bfe-6759bc4b794d'],
];

for (const [plural, key, workspace, id] of VECTORS) {
  test(`id of ${plural} ${workspace}/${key}`, () => {
    assert.equal(entityId(plural, key, workspace), id);
  });
}

function bound(name: string) {
  return { slot: `x/${name}`, name };
}

test('ids are RFC 9562 version 5', () => {
  const services = v5('services', 'fd02801f-0957-4a15-a55a-c8d9606f30b5');
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (key) => entityId('services', key, '') === v5(key, services)));
});

test('id of a licence', () => {
  assert.equal(licenseId('my-license'), '12096e08-e9e8-5c50-97b0-3245c8232d44');
});

test('a plugin is keyed by its name and the names of what it is bound to, in a fixed order', () => {
  assert.equal(pluginKey('cors', {}), 'cors');
  assert.equal(
    pluginKey('cors', { consumer: bound('c'), route: bound('r'), service: bound('s') }),
    'cors:service/s:route/r:consumer/c',
  );
});

test('tags name the object, the rules and what the annotation adds once', () => {
  const object = {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: 'r', namespace: 'n', uid: 'u', annotations: { 'konghq.com/tags': 'a, b,a,bad/one' } },
  };
  assert.deepEqual(tagsOf(object, ['first']), [
    'k8s-name:r',
    'k8s-namespace:n',
    'k8s-kind:HTTPRoute',
    'k8s-uid:u',
    'k8s-group:gateway.networking.k8s.io',
    'k8s-version:v1',
    'k8s-named-route-rule:first',
    'a',
    'b',
  ]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseManifests } from '../../shared/cli/files.ts';
import type { Lookup } from '../../shared/kubernetes/lookup.ts';
import { MalformedObject } from '../../shared/kubernetes/object.ts';
import { snapshotLookup } from '../../shared/kubernetes/snapshot.ts';
import { traced } from '../../shared/kubernetes/traced.ts';
import { isRoot, translateRoot } from '../../shared/translate/index.ts';
import { OPTIONS } from '../golden/cases.ts';

const OBJECTS = parseManifests(
  `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: web, annotations: { konghq.com/plugins: limit } }
spec:
  ingressClassName: kong
  tls: [{ hosts: [example.com], secretName: gone }]
  rules:
  - http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: echo, port: { number: 80 } } } }] }
---
apiVersion: v1
kind: Service
metadata: { name: echo }
spec: { ports: [{ port: 80 }] }
---
apiVersion: configuration.konghq.com/v1
kind: KongPlugin
metadata: { name: limit }
plugin: rate-limiting
`,
  'test',
  false,
).objects;

const ingress = OBJECTS.find(isRoot);
assert.ok(ingress !== undefined);

test('every key that counts is asked for, misses included, so that a later object reaches the root', async () => {
  const lookup = traced(snapshotLookup(OBJECTS));
  const { proposals } = await translateRoot(ingress, lookup, OPTIONS);
  assert.deepEqual(lookup.keys(), [
    'EndpointSlice?service=default/echo',
    'IngressClass//kong',
    'KongConsumer?plugin=default/limit',
    'KongConsumerGroup?plugin=default/limit',
    'KongPlugin/default/limit',
    'Secret/default/gone',
    'Service/default/echo',
  ]);
  assert.deepEqual(
    proposals.map(({ type }) => type).toSorted((a, b) => (a < b ? -1 : 1)),
    ['plugins', 'routes', 'services', 'upstreams'],
  );
});

/** A snapshot in which the questions about one kind fail. */
function failing(kind: string, error: Error): Lookup {
  const lookup = snapshotLookup(OBJECTS);
  return {
    get: (asked, namespace, name) => (asked === kind ? Promise.reject(error) : lookup.get(asked, namespace, name)),
    list: (asked, query) => (asked === kind ? Promise.reject(error) : lookup.list(asked, query)),
  };
}

for (const kind of ['IngressClass', 'Service', 'EndpointSlice', 'Secret', 'KongPlugin', 'KongConsumer']) {
  test(`a question about ${kind} that fails is never taken for a miss`, async () => {
    await assert.rejects(translateRoot(ingress, failing(kind, new Error('no connection')), OPTIONS), /no connection/);
  });
}

test('a malformed object is a finding on it, and the root is translated without it', async () => {
  const plugin = OBJECTS.find(({ kind }) => kind === 'KongPlugin');
  assert.ok(plugin !== undefined);
  const lookup = failing('KongPlugin', new MalformedObject(plugin, 'plugin is a number, expected a string'));
  const { proposals, findings } = await translateRoot(ingress, lookup, OPTIONS);
  assert.ok(proposals.some(({ type }) => type === 'routes'));
  assert.deepEqual(
    findings.filter(({ reason }) => reason === 'InvalidObject').map(({ message }) => message.split('.')[0]),
    ['KongPlugin default/limit: plugin is a number, expected a string'],
  );
});

test('translation changes none of its arguments', async () => {
  const before = JSON.stringify(OBJECTS);
  await translateRoot(ingress, snapshotLookup(OBJECTS), OPTIONS);
  assert.equal(JSON.stringify(OBJECTS), before);
});

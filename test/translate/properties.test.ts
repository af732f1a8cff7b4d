import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseManifests } from '../../shared/cli/files.ts';
import type { KubernetesObject } from '../../shared/kubernetes/resources.ts';
import { KINDS } from '../../shared/kubernetes/kinds.ts';
import { translateAll } from '../../shared/translate/offline.ts';
import type { TranslateOptions } from '../../shared/translate/types.ts';
import { isReason } from '../../shared/findings.ts';
import { OPTIONS, goldenCases } from '../golden/cases.ts';
import { schemaProblem } from './kong-schema.ts';

const EVERYTHING: TranslateOptions = {
  ...OPTIONS,
  featureGates: { GatewayAlpha: true, RewriteURIs: true, KongServiceFacade: true },
};
const FLAVORS = ['traditional', 'expressions'] as const;

/** Every object of every golden case in one cluster, each case in namespaces of its own. */
const CLUSTER: readonly KubernetesObject[] = goldenCases()
  .filter(({ name }) => name.endsWith('/default'))
  .flatMap(({ input, name }) => {
    const text = readFileSync(input, 'utf8').replaceAll('namespace: default', `namespace: ${name.split('/')[0]}`);
    return parseManifests(text, input, false).objects;
  });

/** Of several objects with one key, a cluster has one. */
const UNIQUE = [
  ...new Map(
    CLUSTER.map((object) => [`${object.kind}/${object.metadata.namespace ?? ''}/${object.metadata.name}`, object]),
  ).values(),
];

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const item of Object.values(value)) freeze(item);
    Object.freeze(value);
  }
  return value;
}

for (const routerFlavor of FLAVORS) {
  test(`the order of the input never matters (${routerFlavor})`, async () => {
    const options = { ...EVERYTHING, routerFlavor };
    const expected = await translateAll(freeze(UNIQUE), options);
    assert.ok(expected.entities.length > 100);
    const order = fc.shuffledSubarray(UNIQUE, { minLength: UNIQUE.length });
    await fc.assert(
      fc.asyncProperty(order, async (objects) => {
        assert.deepEqual(await translateAll(objects, options), expected);
      }),
      { numRuns: 8 },
    );
  });

  test(`ids and names are unique, every reason is in the table (${routerFlavor})`, async () => {
    const { entities, findings } = await translateAll(UNIQUE, { ...EVERYTHING, routerFlavor });
    const ids = entities.map(({ type, id }) => `${type}/${id}`);
    assert.equal(new Set(ids).size, ids.length);
    const names = entities
      .filter(({ type }) => ['services', 'routes', 'upstreams', 'snis', 'vaults'].includes(type))
      .map(({ type, body }) => `${type}/${JSON.stringify(body['prefix'] ?? body['name'])}`);
    assert.equal(new Set(names).size, names.length);
    const references = entities.flatMap(({ body }) =>
      Object.values(body).flatMap((value) =>
        typeof value === 'object' && value !== null && 'id' in value && typeof value.id === 'string' ? [value.id] : [],
      ),
    );
    const known = new Set(entities.map(({ id }) => id));
    for (const id of references) assert.ok(known.has(id), id);
    for (const { reason } of findings) assert.ok(isReason(reason), reason);
  });
}

const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(
    '',
    '/',
    '//',
    '*',
    '*.',
    '*.*',
    '..',
    '~',
    '/~',
    '/~(',
    '$1',
    '\\',
    '"',
    'a'.repeat(9000),
    '\u0000',
    'null',
    '-1',
  ),
  fc.webPath(),
  fc.domain(),
);
const metadata = fc.record({
  name: fc.oneof(fc.constantFrom('a', 'b.c', 'x/y', 'UPPER'), hostile),
  namespace: fc.constant('default'),
  annotations: fc.dictionary(
    fc
      .oneof(
        fc.constantFrom(
          'methods',
          'protocols',
          'snis',
          'host-aliases',
          'headers.x',
          'headers-separator',
          'path-handling',
          'tags',
          'regex-prefix',
          'rewrite',
          'plugins',
          'strip-path',
          'https-redirect-status-code',
          'regex-priority',
        ),
        hostile,
      )
      .map((name) => `konghq.com/${name}`),
    fc.oneof(hostile, fc.constantFrom('GET', 'http', 'tcp', 'grpc,http', 'tls_passthrough', 'a.example.com', 'true')),
    { maxKeys: 4 },
  ),
});
const backend = fc.record({
  service: fc.record({
    name: fc.oneof(fc.constant('echo'), hostile),
    port: fc.oneof(fc.constant({ number: 80 }), fc.record({ name: hostile })),
  }),
});
const hostileIngress = fc.record({
  apiVersion: fc.constant('networking.k8s.io/v1'),
  kind: fc.constant('Ingress'),
  metadata,
  spec: fc.record({
    ingressClassName: fc.constant('kong'),
    rules: fc.array(
      fc.record({
        host: fc.oneof(fc.constant('example.com'), hostile),
        http: fc.record({
          paths: fc.array(
            fc.record({
              path: hostile,
              pathType: fc.constantFrom('Exact', 'Prefix', 'ImplementationSpecific'),
              backend,
            }),
            { maxLength: 3 },
          ),
        }),
      }),
      { maxLength: 3 },
    ),
    tls: fc.array(fc.record({ hosts: fc.array(hostile, { maxLength: 2 }), secretName: hostile }), { maxLength: 1 }),
  }),
});
const valueMatch = fc.record({ type: fc.constantFrom('Exact', 'RegularExpression'), name: hostile, value: hostile });
const hostileHttpRoute = fc.record({
  apiVersion: fc.constant('gateway.networking.k8s.io/v1'),
  kind: fc.constant('HTTPRoute'),
  metadata,
  spec: fc.record({
    parentRefs: fc.constant([{ name: 'gw' }]),
    hostnames: fc.array(fc.oneof(hostile, fc.domain()), { maxLength: 2 }),
    rules: fc.array(
      fc.record({
        matches: fc.array(
          fc.record({
            path: fc.record({ type: fc.constantFrom('Exact', 'PathPrefix', 'RegularExpression'), value: hostile }),
            headers: fc.array(valueMatch, { maxLength: 2 }),
            method: fc.constantFrom('GET', 'POST', 'bad method'),
          }),
          { maxLength: 2 },
        ),
        backendRefs: fc.constant([{ group: '', kind: 'Service', name: 'echo', port: 80, weight: 1_000_000 }]),
      }),
      { maxLength: 2 },
    ),
  }),
});
const hostileGrpcRoute = fc.record({
  apiVersion: fc.constant('gateway.networking.k8s.io/v1'),
  kind: fc.constant('GRPCRoute'),
  metadata,
  spec: fc.record({
    parentRefs: fc.constant([{ name: 'gw' }]),
    hostnames: fc.array(fc.oneof(hostile, fc.domain()), { maxLength: 2 }),
    rules: fc.array(
      fc.record({
        matches: fc.array(
          fc.record({
            method: fc.record({
              type: fc.constantFrom('Exact', 'RegularExpression'),
              service: fc.oneof(fc.constant('pkg.Svc'), hostile),
              method: hostile,
            }),
            headers: fc.array(valueMatch, { maxLength: 2 }),
          }),
          { maxLength: 2 },
        ),
        backendRefs: fc.constant([{ group: '', kind: 'Service', name: 'echo', port: 80, weight: 1 }]),
      }),
      { maxLength: 2 },
    ),
  }),
});
const hostileTcpIngress = fc.record({
  apiVersion: fc.constant('configuration.konghq.com/v1beta1'),
  kind: fc.constant('TCPIngress'),
  metadata: metadata.map((meta) => ({
    ...meta,
    annotations: { ...meta.annotations, 'kubernetes.io/ingress.class': 'kong' },
  })),
  spec: fc.record({
    rules: fc.array(
      fc.record({
        host: fc.oneof(fc.constant('example.com'), hostile),
        port: fc.oneof(fc.constant(9000), fc.integer(), fc.double()),
        backend: fc.record({ serviceName: fc.oneof(fc.constant('echo'), hostile), servicePort: fc.constant(80) }),
      }),
      { maxLength: 2 },
    ),
  }),
});
const BASE: readonly KubernetesObject[] = parseManifests(
  `
apiVersion: v1
kind: Service
metadata: { name: echo, namespace: default }
spec: { ports: [{ port: 80, name: http }] }
---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: { name: kong }
spec: { controllerName: konghq.com/kic-gateway-controller }
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: gw, namespace: default }
spec: { gatewayClassName: kong, listeners: [{ name: http, protocol: HTTP, port: 80 }] }
`,
  'base',
  false,
).objects;

for (const routerFlavor of FLAVORS) {
  test(`hostile hosts, paths and annotations give findings or entities that Kong takes (${routerFlavor})`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(hostileIngress, hostileHttpRoute, hostileGrpcRoute, hostileTcpIngress),
        async (object) => {
          const { entities } = await translateAll([...BASE, object], { ...EVERYTHING, routerFlavor });
          for (const entity of entities) {
            assert.equal(schemaProblem(entity, routerFlavor), undefined, JSON.stringify(entity));
          }
        },
      ),
      { numRuns: 300 },
    );
  });
}

test('objects of any shape give findings, never exceptions, and leave the others alone', async () => {
  const alone = await translateAll(UNIQUE, EVERYTHING);
  const anything = fc.record({
    kind: fc.constantFrom(...Object.keys(KINDS)),
    spec: fc.oneof(
      fc.jsonValue(),
      fc.dictionary(fc.constantFrom('rules', 'listeners', 'parentRefs', 'tls'), fc.jsonValue()),
    ),
    data: fc.jsonValue(),
    config: fc.jsonValue(),
    credentials: fc.jsonValue(),
  });
  await fc.assert(
    fc.asyncProperty(anything, async ({ kind, spec, data, config, credentials }) => {
      const broken = {
        apiVersion: 'v1',
        kind,
        metadata: { name: 'any-shape', namespace: 'elsewhere' },
        spec,
        data,
        config,
        credentials,
      };
      const { entities } = await translateAll([...UNIQUE, broken], EVERYTHING);
      const kept = new Set(entities.map(({ type, id }) => `${type}/${id}`));
      for (const { type, id } of alone.entities) assert.ok(kept.has(`${type}/${id}`));
    }),
    { numRuns: 30 },
  );
});

test('what Secrets hold never shows in a finding', async () => {
  const marker = 'M4RK3R';
  const encoded = Buffer.from(marker).toString('base64');
  const poisoned = UNIQUE.map((object): KubernetesObject => {
    if (object.kind !== 'Secret' || !('data' in object)) return object;
    const keys = Object.keys(object.data ?? {});
    const data = Object.fromEntries(keys.map((key) => [key, encoded]));
    return Object.assign({}, object, { data });
  });
  const { findings } = await translateAll(poisoned, EVERYTHING);
  assert.ok(findings.length > 10);
  assert.ok(!JSON.stringify(findings).includes(marker));
});

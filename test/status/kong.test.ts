import assert from 'node:assert/strict';
import test, { before } from 'node:test';
import { conditionsOf, entriesOf, useStatusLabs, type StatusLab } from './lab.ts';
import { CLASS, gateway, ingress, NAMESPACES, route, service } from './manifests.ts';

const makeLab = useStatusLabs();
let lab: StatusLab;

const INGRESS_CLASS = `
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: { name: kong }
spec: { controller: ingress-controllers.konghq.com/kong }
---
`;

before(async () => {
  lab = await makeLab({
    featureGates: { GatewayAlpha: true, KongServiceFacade: true },
    config: { service: 'statuses-a/proxy' },
  });
  await lab.apply(`${NAMESPACES}${INGRESS_CLASS}${CLASS}${service('echo')}${service('proxy')}`);
});

/** An object of one of Kong's kinds, of class kong; `fields` is YAML at the object's top. */
function kong(
  kind: string,
  name: string,
  fields: string,
  version = 'v1',
  namespace = '  namespace: statuses-a',
): string {
  return `
apiVersion: configuration.konghq.com/${version}
kind: ${kind}
metadata:
  name: ${name}
${namespace}
  annotations: { kubernetes.io/ingress.class: kong }
${fields}
---
`;
}

const PENDING = ['Programmed=False/Pending'];
const ON = ['Programmed=True/Programmed'];
const INVALID = ['Programmed=False/Invalid'];

interface Case {
  readonly key: string;
  readonly yaml: string;
  readonly conditions: readonly string[];
}

const CASES: readonly Case[] = [
  { key: 'KongConsumer/statuses-a/ann', yaml: kong('KongConsumer', 'ann', 'username: ann'), conditions: PENDING },
  { key: 'KongConsumer/statuses-a/nobody', yaml: kong('KongConsumer', 'nobody', 'custom_id: ""'), conditions: INVALID },
  {
    key: 'KongConsumer/statuses-a/keyless',
    yaml: kong('KongConsumer', 'keyless', 'username: keyless\ncredentials: [absent]'),
    conditions: INVALID,
  },
  {
    key: 'KongConsumerGroup/statuses-a/gold',
    yaml: kong('KongConsumerGroup', 'gold', 'spec: { name: gold }', 'v1beta1'),
    conditions: INVALID,
  },
  {
    key: 'KongVault//env',
    yaml: kong('KongVault', 'env', 'spec: { backend: env, prefix: statuses-env }', 'v1alpha1', ''),
    conditions: PENDING,
  },
  {
    key: 'KongVault//aws',
    yaml: kong('KongVault', 'aws', 'spec: { backend: aws, prefix: statuses-aws }', 'v1alpha1', ''),
    conditions: INVALID,
  },
  {
    key: 'KongClusterPlugin//everywhere',
    yaml: kong('KongClusterPlugin', 'everywhere', 'plugin: correlation-id', 'v1', '  labels: { global: "true" }'),
    conditions: PENDING,
  },
  {
    key: 'KongCustomEntity/statuses-a/key',
    yaml: kong(
      'KongCustomEntity',
      'key',
      'spec: { type: key_sets, controllerName: kong, fields: { name: statuses } }',
      'v1alpha1',
    ),
    conditions: PENDING,
  },
  {
    key: 'KongCustomEntity/statuses-a/odd',
    yaml: kong('KongCustomEntity', 'odd', 'spec: { type: services, controllerName: kong, fields: {} }', 'v1alpha1'),
    conditions: INVALID,
  },
];

for (const { key, yaml, conditions } of CASES) {
  test(`${key} is ${conditions.join()}, and true only once that is proven`, async () => {
    await lab.apply(yaml);
    assert.deepEqual(conditionsOf(await lab.status(key)), conditions);
    await lab.converge();
    assert.deepEqual(conditionsOf(await lab.status(key)), conditions === PENDING ? ON : conditions);
    await lab.remove(key);
  });
}

test('objects of another class, and those that Kong has nothing of, are left alone', async () => {
  const patches = lab.patches.length;
  const other = kong('KongConsumer', 'other', 'username: other').replace('ingress.class: kong', 'ingress.class: other');
  await lab.apply(
    other + ingress('other', 'other.test', 'echo', 'nginx') + kong('KongPlugin', 'unused', 'plugin: cors'),
  );
  await lab.converge();
  assert.equal(lab.patches.length, patches);
  assert.deepEqual(await lab.status('Ingress/statuses-a/other'), { loadBalancer: {} });
  await lab.remove('KongConsumer/statuses-a/other', 'Ingress/statuses-a/other', 'KongPlugin/statuses-a/unused');
});

test('a plugin is programmed where it is used; a broken one says why, one that nobody uses waits', async () => {
  const key = 'KongPlugin/statuses-a/limits';
  const using = ingress('limited', 'limited.test').replace(
    'metadata: {',
    'metadata: { annotations: { konghq.com/plugins: limits },',
  );
  await lab.apply(kong('KongPlugin', 'limits', 'plugin: rate-limiting\nconfig: { minute: 5, policy: local }'));
  await lab.apply(using);
  assert.deepEqual(conditionsOf(await lab.status(key)), PENDING);
  await lab.converge();
  assert.deepEqual(conditionsOf(await lab.status(key)), ON);
  // Another user of the same plugin does not make it wait.
  const patches = lab.patches.filter((item) => item === key).length;
  await lab.apply(using.replaceAll('limited', 'second'));
  assert.equal(lab.patches.filter((item) => item === key).length, patches);
  await lab.apply(kong('KongPlugin', 'limits', 'plugin: rate-limiting\nconfig: { minute: 6, policy: local }'));
  assert.deepEqual(conditionsOf(await lab.status(key)), PENDING);
  await lab.converge();
  assert.deepEqual(conditionsOf(await lab.status(key)), ON);
  await lab.apply(
    kong('KongPlugin', 'limits', 'plugin: rate-limiting\nconfigFrom: { secretKeyRef: { name: absent, key: config } }'),
  );
  const broken = await lab.status(key);
  assert.deepEqual(conditionsOf(broken), INVALID);
  assert.match(JSON.stringify(broken), /Secret statuses-a\/absent|absent/);
  await lab.remove('Ingress/statuses-a/limited', 'Ingress/statuses-a/second');
  assert.deepEqual(conditionsOf(await lab.status(key)), PENDING);
  await lab.remove(key);
});

test('an Ingress shows the addresses once it is programmed, and a change of it asks for nothing', async () => {
  const key = 'Ingress/statuses-a/web';
  const statements = await lab.apply(ingress('web', 'web.test'));
  assert.deepEqual(statements.statuses, []);
  assert.deepEqual(await lab.status(key), { loadBalancer: {} });
  await lab.converge();
  const proxy = await lab.kubernetes.get('Service', 'statuses-a', 'proxy');
  assert.ok(proxy !== undefined);
  const status = await lab.status(key);
  const [address] = JSON.stringify(status).match(/"ip":"[\d.]+"/) ?? [];
  assert.ok(address !== undefined && JSON.stringify(proxy).includes(address.slice(6, -1)), JSON.stringify(status));
  const patches = lab.patches.length;
  await lab.apply(ingress('web', 'web2.test'));
  await lab.converge();
  assert.equal(lab.patches.length, patches);
  await lab.remove(key);
});

function stream(kind: string, name: string, backend: string): string {
  return kong(
    kind,
    name,
    `spec: { rules: [{ port: 9000, backend: { serviceName: ${backend}, servicePort: 80 } }] }`,
    'v1beta1',
  );
}

test('a TCPIngress and a UDPIngress show addresses too; one that nothing is served of does not', async () => {
  await lab.apply(
    stream('TCPIngress', 'tcp', 'echo') +
      stream('UDPIngress', 'udp', 'echo') +
      ingress('bad', 'bad.test').replace('metadata: {', 'metadata: { annotations: { konghq.com/rewrite: /other },'),
  );
  await lab.converge();
  for (const key of ['TCPIngress/statuses-a/tcp', 'UDPIngress/statuses-a/udp']) {
    assert.match(JSON.stringify(await lab.status(key)), /"ip":/, key);
  }
  assert.doesNotMatch(JSON.stringify(await lab.status('Ingress/statuses-a/bad')), /"ip":/);
  await lab.remove('TCPIngress/statuses-a/tcp', 'UDPIngress/statuses-a/udp', 'Ingress/statuses-a/bad');
});

test('what Kong rejects is not programmed, and is once Kong takes it', async () => {
  const key = 'KongConsumer/statuses-a/refused';
  lab.plane.faults = (method, path) =>
    method === 'PUT' && path.startsWith('/consumers/') ? { status: 400 } : undefined;
  await lab.apply(kong('KongConsumer', 'refused', 'username: refused'));
  await lab.converge();
  assert.deepEqual(conditionsOf(await lab.status(key)), INVALID);
  lab.plane.faults = () => undefined;
  await lab.apply(kong('KongConsumer', 'refused', 'username: refused\ncustom_id: taken'));
  assert.deepEqual(conditionsOf(await lab.status(key)), PENDING);
  await lab.converge();
  assert.deepEqual(conditionsOf(await lab.status(key)), ON);
  await lab.remove(key);
});

test('a facade is programmed where an Ingress leads to it', async () => {
  const key = 'KongServiceFacade/statuses-a/front';
  await lab.apply(`
apiVersion: incubator.ingress-controller.konghq.com/v1alpha1
kind: KongServiceFacade
metadata: { name: front, namespace: statuses-a, annotations: { kubernetes.io/ingress.class: kong } }
spec: { backendRef: { name: echo, port: 80 } }
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: fronted, namespace: statuses-a }
spec:
  ingressClassName: kong
  rules:
    - host: front.test
      http:
        paths:
          - path: /
            pathType: Prefix
            backend: { resource: { apiGroup: incubator.ingress-controller.konghq.com, kind: KongServiceFacade, name: front } }
`);
  assert.deepEqual(conditionsOf(await lab.status(key)), PENDING);
  await lab.converge();
  assert.deepEqual(conditionsOf(await lab.status(key)), ON);
  await lab.remove('Ingress/statuses-a/fronted', key);
});

test('a KongUpstreamPolicy has an entry a Service, Conflicted where Services differ, 16 at most', async () => {
  const key = 'KongUpstreamPolicy/statuses-a/sticky';
  const names = Array.from({ length: 18 }, (_, index) => `s${index}`);
  const annotated = '{ konghq.com/upstream-policy: sticky }';
  await lab.apply(
    kong('KongUpstreamPolicy', 'sticky', 'spec: { algorithm: least-connections }', 'v1beta1') +
      service('one', 'statuses-a', annotated) +
      ingress('one', 'one.test', 'one'),
  );
  assert.deepEqual(entriesOf(await lab.status(key), 'ancestors'), [['Accepted=True/Accepted', ...PENDING]]);
  await lab.converge();
  assert.deepEqual(entriesOf(await lab.status(key), 'ancestors'), [['Accepted=True/Accepted', ...ON]]);
  await lab.apply(
    names.map((name) => service(name, 'statuses-a', annotated) + ingress(name, `${name}.test`, name)).join(''),
  );
  assert.equal(entriesOf(await lab.status(key), 'ancestors').length, 16);
  await lab.remove(...['one', ...names].map((name) => `Ingress/statuses-a/${name}`));
  assert.deepEqual(entriesOf(await lab.status(key), 'ancestors'), []);
  await lab.apply(
    gateway('edge', '{ name: http, protocol: HTTP, port: 80 }') +
      route(
        'HTTPRoute',
        'mixed',
        '  parentRefs: [{ name: edge }]\n  rules: [{ backendRefs: [{ name: one, port: 80 }, { name: echo, port: 80 }] }]',
      ),
  );
  const [conflicted] = entriesOf(await lab.status(key), 'ancestors');
  assert.equal(conflicted?.[0], 'Accepted=False/Conflicted');
  await lab.remove('HTTPRoute/statuses-a/mixed', 'Gateway/statuses-a/edge', key);
});

function policy(name: string, validation: string): string {
  return `
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: { name: ${name}, namespace: statuses-a }
spec:
  targetRefs: [{ group: "", kind: Service, name: echo }]
  validation: ${validation}
---
`;
}

test('a BackendTLSPolicy has an entry for each Gateway of its routes', async () => {
  await lab.apply(
    gateway('secure', '{ name: http, protocol: HTTP, port: 80 }') +
      route(
        'HTTPRoute',
        'secure',
        '  parentRefs: [{ name: secure }]\n  rules: [{ backendRefs: [{ name: echo, port: 80 }] }]',
      ),
  );
  await lab.apply(
    policy('tls', '{ hostname: echo.test, caCertificateRefs: [{ group: "", kind: ConfigMap, name: absent }] }'),
  );
  const key = 'BackendTLSPolicy/statuses-a/tls';
  assert.deepEqual(entriesOf(await lab.status(key), 'ancestors'), [
    ['Accepted=False/NoValidCACertificate', 'ResolvedRefs=False/InvalidCACertificateRef'],
  ]);
  await lab.apply(policy('tls', '{ hostname: echo.test, wellKnownCACertificates: System }'));
  assert.equal(entriesOf(await lab.status(key), 'ancestors')[0]?.[0], 'Accepted=False/Invalid');
  await lab.apply(`
apiVersion: v1
kind: ConfigMap
metadata: { name: ca, namespace: statuses-a }
data: { id: 6e6ff1f4-9bd2-4b4c-a9f9-1c9d7d1cb111, cert: x }
---
${policy('tls', '{ hostname: echo.test, caCertificateRefs: [{ group: "", kind: ConfigMap, name: ca }] }')}`);
  assert.deepEqual(entriesOf(await lab.status(key), 'ancestors'), [
    ['Accepted=True/Accepted', 'ResolvedRefs=True/ResolvedRefs'],
  ]);
  await lab.apply(
    policy('younger', '{ hostname: echo.test, caCertificateRefs: [{ group: "", kind: ConfigMap, name: ca }] }'),
  );
  const second = entriesOf(await lab.status('BackendTLSPolicy/statuses-a/younger'), 'ancestors');
  const first = entriesOf(await lab.status(key), 'ancestors');
  assert.deepEqual(
    new Set([first[0]?.[0], second[0]?.[0]]),
    new Set(['Accepted=False/Conflicted', 'Accepted=True/Accepted']),
  );
  await lab.remove(
    'HTTPRoute/statuses-a/secure',
    key,
    'BackendTLSPolicy/statuses-a/younger',
    'Gateway/statuses-a/secure',
  );
});

test('a KongLicense has an entry of ours, beside those of others', async () => {
  await lab.apply(kong('KongLicense', 'statuses', 'rawLicenseString: "{}"\nenabled: true', 'v1alpha1', ''));
  assert.deepEqual(entriesOf(await lab.status('KongLicense//statuses'), 'controllers'), [INVALID]);
  await lab.remove('KongLicense//statuses');
});

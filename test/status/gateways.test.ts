import assert from 'node:assert/strict';
import test, { before } from 'node:test';
import { isRecord } from '../../shared/json.ts';
import { tlsSecret } from '../support/tls.ts';
import { reconcile } from '../../shared/reconcile.ts';
import { conditionsOf, listenerOf, manifestsOf, useStatusLabs, type StatusLab } from './lab.ts';
import { CLASS, gateway, NAMESPACES, route, service } from './manifests.ts';

const makeLab = useStatusLabs();
let lab: StatusLab;

async function secret(name: string, namespace: string): Promise<string> {
  const { data, type } = await tlsSecret(name, `${name}.test`);
  const object = { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, type, data };
  return `${JSON.stringify(object)}\n---\n`;
}

before(async () => {
  lab = await makeLab();
  const broken = `
apiVersion: v1
kind: Secret
metadata: { name: broken, namespace: statuses-a }
type: kubernetes.io/tls
data: { tls.crt: bm90IGEgY2VydGlmaWNhdGU=, tls.key: bm90IGEga2V5 }
---
`;
  await lab.apply(
    NAMESPACES +
      CLASS +
      service('echo') +
      broken +
      (await secret('good', 'statuses-a')) +
      (await secret('far', 'statuses-b')),
  );
});

const FINE = ['Accepted=True/Accepted', 'Conflicted=False/NoConflicts', 'ResolvedRefs=True/ResolvedRefs'];
const ON = 'Programmed=True/Programmed';
const OFF = 'Programmed=False/Invalid';

function https(name: string, hostname: string, ref: string, port = 443): string {
  return `{ name: ${name}, protocol: HTTPS, port: ${port}, hostname: "${hostname}", tls: { certificateRefs: [${ref}] } }`;
}

interface Case {
  readonly title: string;
  readonly listeners: readonly string[];
  /** The Gateway's own conditions, once everything is proven. */
  readonly conditions: readonly string[];
  /** Each listener's. */
  readonly expected: Readonly<Record<string, readonly string[]>>;
  readonly kinds?: Readonly<Record<string, readonly string[]>>;
}

const ACCEPTED = ['Accepted=True/Accepted', 'Programmed=True/Programmed'];
const SOME = ['Accepted=True/ListenersNotValid', 'Programmed=True/Programmed'];
const NONE = ['Accepted=False/ListenersNotValid', 'Programmed=False/Invalid'];

const CASES: readonly Case[] = [
  {
    title: 'listeners that are served',
    listeners: ['{ name: http, protocol: HTTP, port: 80 }', https('https', 'good.test', '{ name: good }')],
    conditions: ACCEPTED,
    expected: { http: [...FINE, ON], https: [...FINE, ON] },
    kinds: { http: ['HTTPRoute', 'GRPCRoute'], https: ['HTTPRoute', 'GRPCRoute'] },
  },
  {
    title: 'a protocol that Kong does not have',
    listeners: ['{ name: odd, protocol: example.com/quic, port: 443 }', '{ name: http, protocol: HTTP, port: 80 }'],
    conditions: SOME,
    expected: { odd: ['Accepted=False/UnsupportedProtocol', ...FINE.slice(1), OFF], http: [...FINE, ON] },
    kinds: { odd: [] },
  },
  {
    title: 'protocols that cannot share a port',
    listeners: ['{ name: a, protocol: HTTP, port: 80 }', https('b', 'good.test', '{ name: good }', 80)],
    conditions: NONE,
    expected: {
      a: ['Accepted=True/Accepted', 'Conflicted=True/ProtocolConflict', 'ResolvedRefs=True/ResolvedRefs', OFF],
      b: ['Accepted=True/Accepted', 'Conflicted=True/ProtocolConflict', 'ResolvedRefs=True/ResolvedRefs', OFF],
    },
  },
  {
    title: 'one port and hostname twice',
    listeners: [
      '{ name: a, protocol: HTTP, port: 80, hostname: a.test }',
      '{ name: b, protocol: HTTP, port: 80, hostname: a.test }',
      '{ name: c, protocol: HTTP, port: 80, hostname: c.test }',
    ],
    conditions: SOME,
    expected: {
      a: ['Accepted=True/Accepted', 'Conflicted=True/HostnameConflict', 'ResolvedRefs=True/ResolvedRefs', OFF],
      b: ['Accepted=True/Accepted', 'Conflicted=True/HostnameConflict', 'ResolvedRefs=True/ResolvedRefs', OFF],
      c: [...FINE, ON],
    },
  },
  {
    title: 'a TCP port that is shared, and a UDP port of the same number',
    listeners: [
      '{ name: a, protocol: TCP, port: 9000 }',
      '{ name: b, protocol: TCP, port: 9000 }',
      '{ name: c, protocol: UDP, port: 9000 }',
    ],
    conditions: SOME,
    expected: {
      a: ['Accepted=True/Accepted', 'Conflicted=True/ProtocolConflict', 'ResolvedRefs=True/ResolvedRefs', OFF],
      b: ['Accepted=True/Accepted', 'Conflicted=True/ProtocolConflict', 'ResolvedRefs=True/ResolvedRefs', OFF],
      c: [...FINE, ON],
    },
    kinds: { a: [], c: [] },
  },
  {
    title: 'certificates of hostnames that overlap',
    listeners: [
      https('wide', '*.good.test', '{ name: good }'),
      https('narrow', 'a.good.test', '{ name: good }'),
      https('apart', 'other.test', '{ name: good }'),
    ],
    conditions: ACCEPTED,
    expected: {
      wide: [...FINE, 'OverlappingTLSConfig=True/OverlappingHostnames', ON],
      narrow: [...FINE, 'OverlappingTLSConfig=True/OverlappingHostnames', ON],
      apart: [...FINE, ON],
    },
  },
  {
    title: 'a Secret that does not exist',
    listeners: [https('https', 'a.test', '{ name: absent }')],
    conditions: NONE,
    expected: { https: [...FINE.slice(0, 2), 'ResolvedRefs=False/InvalidCertificateRef', OFF] },
  },
  {
    title: 'a Secret without a certificate',
    listeners: [https('https', 'a.test', '{ name: broken }')],
    conditions: NONE,
    expected: { https: [...FINE.slice(0, 2), 'ResolvedRefs=False/InvalidCertificateRef', OFF] },
  },
  {
    title: 'a certificate that is no Secret',
    listeners: [https('https', 'a.test', '{ kind: ConfigMap, name: good }')],
    conditions: NONE,
    expected: { https: [...FINE.slice(0, 2), 'ResolvedRefs=False/InvalidCertificateRef', OFF] },
  },
  {
    title: 'a Secret of another namespace without a grant',
    listeners: [https('https', 'a.test', '{ name: far, namespace: statuses-b }')],
    conditions: NONE,
    expected: { https: [...FINE.slice(0, 2), 'ResolvedRefs=False/RefNotPermitted', OFF] },
  },
  {
    title: 'a kind of routes that is not taken, beside one that is',
    listeners: [
      '{ name: http, protocol: HTTP, port: 80, allowedRoutes: { kinds: [{ kind: GRPCRoute }, { kind: TCPRoute }] } }',
    ],
    conditions: NONE,
    expected: { http: [...FINE.slice(0, 2), 'ResolvedRefs=False/InvalidRouteKinds', OFF] },
    kinds: { http: ['GRPCRoute'] },
  },
];

function kindsOf(listener: unknown): readonly unknown[] {
  const kinds = isRecord(listener) ? listener['supportedKinds'] : undefined;
  return Array.isArray(kinds) ? kinds.map((item: unknown) => (isRecord(item) ? item['kind'] : item)) : [];
}

const WITHOUT_ADDRESSES = { service: undefined } as const;

for (const [index, { title, listeners, conditions, expected, kinds = {} }] of CASES.entries()) {
  test(`Gateway: ${title}`, async () => {
    const own = index === 0 ? await makeLab({ config: WITHOUT_ADDRESSES }) : (plain ?? lab);
    plain ??= own;
    const key = `Gateway/statuses-a/gw-${index}`;
    await own.apply(gateway(`gw-${index}`, ...listeners));
    await own.converge();
    const status = await own.status(key);
    assert.deepEqual(conditionsOf(status), conditions);
    for (const [name, wanted] of Object.entries(expected)) {
      assert.deepEqual(conditionsOf(listenerOf(status, name)), wanted, name);
    }
    for (const [name, wanted] of Object.entries(kinds))
      assert.deepEqual(kindsOf(listenerOf(status, name)), wanted, name);
    assert.doesNotMatch(JSON.stringify(status), /PRIVATE KEY|BEGIN CERTIFICATE/);
    await own.remove(key);
  });
}

/** A lab of which nobody has said where Kong is reached. */
let plain: StatusLab | undefined;

test('certificates wait for their proof, and a conflict that is solved is over', async () => {
  const own = await makeLab({ config: WITHOUT_ADDRESSES });
  const key = 'Gateway/statuses-a/waits';
  await own.apply(
    gateway('waits', https('https', 'good.test', '{ name: good }'), https('twin', 'good.test', '{ name: good }')),
  );
  assert.deepEqual(conditionsOf(await own.status(key)), NONE);
  await own.apply(gateway('waits', https('https', 'good.test', '{ name: good }')));
  const waiting = await own.status(key);
  assert.deepEqual(conditionsOf(waiting), ['Accepted=True/Accepted', 'Programmed=False/Pending']);
  assert.deepEqual(conditionsOf(listenerOf(waiting, 'https')), [...FINE, 'Programmed=False/Pending']);
  await own.converge();
  const done = await own.status(key);
  assert.deepEqual(conditionsOf(done), ACCEPTED);
  assert.equal(Array.isArray(done['listeners']) && done['listeners'].length, 1);
  await own.remove(key);
});

function proxy(ports: string): string {
  return `
apiVersion: v1
kind: Service
metadata: { name: proxy, namespace: statuses-a }
spec: { type: LoadBalancer, ports: [${ports}] }
`;
}

test('addresses are those of the Service before Kong, and follow it; its ports decide about listeners', async () => {
  const key = 'Gateway/statuses-a/reached';
  const own = await makeLab({ config: { service: 'statuses-a/proxy' } });
  await own.apply(
    gateway('reached', '{ name: http, protocol: HTTP, port: 80 }', '{ name: alt, protocol: HTTP, port: 81 }'),
  );
  assert.deepEqual(conditionsOf(await own.status(key))[1], 'Programmed=False/AddressNotAssigned');
  await own.apply(proxy('{ name: http, port: 80 }'));
  const object = await own.kubernetes.get('Service', 'statuses-a', 'proxy');
  await own.kubernetes.patchStatus({
    kind: 'Service',
    namespace: 'statuses-a',
    name: 'proxy',
    resourceVersion: object?.metadata.resourceVersion ?? '',
    status: { loadBalancer: { ingress: [{ ip: '203.0.113.7' }, { hostname: 'lb.example.com' }] } },
  });
  await own.changed('update', 'Service/statuses-a/proxy');
  const status = await own.status(key);
  assert.deepEqual(status['addresses'], [
    { type: 'IPAddress', value: '203.0.113.7' },
    { type: 'Hostname', value: 'lb.example.com' },
  ]);
  assert.deepEqual(conditionsOf(status), ['Accepted=True/ListenersNotValid', 'Programmed=True/Programmed']);
  assert.equal(conditionsOf(listenerOf(status, 'alt'))[0], 'Accepted=False/PortUnavailable');
  await own.apply(proxy('{ name: http, port: 80 }, { name: alt, port: 81 }'));
  assert.deepEqual(conditionsOf(await own.status(key)), ACCEPTED);
  // An event that is lost: the next convergence looks for itself.
  const again = await own.kubernetes.get('Service', 'statuses-a', 'proxy');
  await own.kubernetes.patchStatus({
    kind: 'Service',
    namespace: 'statuses-a',
    name: 'proxy',
    resourceVersion: again?.metadata.resourceVersion ?? '',
    status: { loadBalancer: { ingress: [{ ip: '203.0.113.8' }] } },
  });
  await own.converge();
  assert.deepEqual((await own.status(key))['addresses'], [{ type: 'IPAddress', value: '203.0.113.8' }]);
  await own.remove(key, 'Service/statuses-a/proxy');
});

test('addresses that are configured stand in for the Service’s', async () => {
  const own = await makeLab({ config: { addresses: ['198.51.100.1'], udpAddresses: ['udp.example.com'] } });
  await own.apply(gateway('given', '{ name: http, protocol: HTTP, port: 80 }'));
  assert.deepEqual((await own.status('Gateway/statuses-a/given'))['addresses'], [
    { type: 'IPAddress', value: '198.51.100.1' },
    { type: 'Hostname', value: 'udp.example.com' },
  ]);
  await own.remove('Gateway/statuses-a/given');
});

test('a class is accepted when it is ours, with what is supported, and says so once', async () => {
  const own = await makeLab();
  await own.apply(CLASS);
  const status = await own.status('GatewayClass//kong-statuses');
  assert.deepEqual(conditionsOf(status), ['Accepted=True/Accepted', 'SupportedVersion=True/SupportedVersion']);
  const features = status['supportedFeatures'];
  assert.ok(
    Array.isArray(features) && features.some((item: unknown) => isRecord(item) && item['name'] === 'HTTPRoute'),
  );
  const patches = own.patches.length;
  await own.changed('update', 'GatewayClass//kong-statuses');
  await own.apply(route('HTTPRoute', 'quiet', '  parentRefs: [{ name: absent }]\n  rules: []'));
  assert.equal(own.patches.length, patches);
  await own.remove('HTTPRoute/statuses-a/quiet');
});

test('a class whose event was lost is found by reconcile, once', async () => {
  const own = await makeLab();
  const list = async () => {
    const found = await own.kubernetes.list('GatewayClass', { namespace: '' });
    return { objects: found.objects.filter(({ metadata }) => metadata.name === 'lost-statuses'), requests: 1 };
  };
  await own.cluster.apply(...manifestsOf(CLASS.replace('kong-statuses', 'lost-statuses')));
  const tools = { dependencies: own.dependencies, list, remainingMs: () => 60_000, force: false };
  const { slices } = await reconcile(tools);
  assert.deepEqual(
    slices.map(({ statuses }) => statuses),
    [['GatewayClass//lost-statuses']],
  );
  assert.deepEqual((await reconcile(tools)).slices, []);
  await own.remove('GatewayClass//lost-statuses');
});

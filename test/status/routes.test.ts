import assert from 'node:assert/strict';
import test, { before } from 'node:test';
import { conditionsOf, entriesOf, listenerOf, useStatusLabs, type StatusLab } from './lab.ts';
import { CLASS, gateway, NAMESPACES, route, service } from './manifests.ts';

const makeLab = useStatusLabs();
let lab: StatusLab;

before(async () => {
  lab = await makeLab({ featureGates: { GatewayAlpha: true } });
  await lab.apply(NAMESPACES + CLASS + service('echo') + service('elsewhere', 'statuses-b'));
  await lab.apply(
    gateway(
      'edge',
      '{ name: web, protocol: HTTP, port: 80, hostname: "*.example.com", allowedRoutes: { namespaces: { from: All } } }',
      '{ name: same, protocol: HTTP, port: 8080 }',
      '{ name: chosen, protocol: HTTP, port: 8081, allowedRoutes: { namespaces: { from: Selector, selector: { matchLabels: { team: b } } } } }',
      '{ name: grpc, protocol: HTTP, port: 8082, allowedRoutes: { kinds: [{ kind: GRPCRoute }] } }',
      '{ name: tcp, protocol: TCP, port: 9000 }',
      '{ name: udp, protocol: UDP, port: 9001 }',
      '{ name: tls, protocol: TLS, port: 9443, tls: { mode: Passthrough } }',
    ),
  );
  // Of somebody else's class.
  await lab.apply(`
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: { name: other-statuses }
spec: { controllerName: example.com/other }
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: other, namespace: statuses-a }
spec: { gatewayClassName: other-statuses, listeners: [{ name: web, protocol: HTTP, port: 80 }] }
`);
});

const RULES = '  rules: [{ backendRefs: [{ name: echo, port: 80 }] }]';
const PENDING = ['Accepted=True/Accepted', 'ResolvedRefs=True/ResolvedRefs', 'Programmed=False/Pending'];
const PROGRAMMED = [...PENDING.slice(0, 2), 'Programmed=True/ConfiguredInGateway'];
const RESOLVED = 'ResolvedRefs=True/ResolvedRefs';
const REFUSED = 'Programmed=False/NotAccepted';

interface Case {
  readonly title: string;
  readonly kind?: string;
  readonly namespace?: string;
  readonly spec: string;
  /** Conditions of each of our entries, before anything is proven. */
  readonly entries: readonly (readonly string[])[];
}

const CASES: readonly Case[] = [
  {
    title: 'a route that a listener takes',
    spec: `  parentRefs: [{ name: edge, sectionName: web }]\n  hostnames: [a.example.com]\n${RULES}`,
    entries: [PENDING],
  },
  {
    title: 'no listener has a hostname in common',
    spec: `  parentRefs: [{ name: edge, sectionName: web }]\n  hostnames: [a.example.org]\n${RULES}`,
    entries: [['Accepted=False/NoMatchingListenerHostname', RESOLVED, REFUSED]],
  },
  {
    title: 'no listener has this name',
    spec: `  parentRefs: [{ name: edge, sectionName: absent }]\n${RULES}`,
    entries: [['Accepted=False/NoMatchingParent', RESOLVED, REFUSED]],
  },
  {
    title: 'no listener has this port',
    spec: `  parentRefs: [{ name: edge, sectionName: web, port: 81 }]\n${RULES}`,
    entries: [['Accepted=False/NoMatchingParent', RESOLVED, REFUSED]],
  },
  {
    title: 'the listener takes routes of its own namespace',
    namespace: 'statuses-b',
    spec: `  parentRefs: [{ name: edge, namespace: statuses-a, sectionName: same }]\n  rules: [{ backendRefs: [{ name: elsewhere, port: 80 }] }]`,
    entries: [['Accepted=False/NotAllowedByListeners', RESOLVED, REFUSED]],
  },
  {
    title: 'the listener takes routes of namespaces with a label',
    namespace: 'statuses-b',
    spec: `  parentRefs: [{ name: edge, namespace: statuses-a, sectionName: chosen }]\n  rules: [{ backendRefs: [{ name: elsewhere, port: 80 }] }]`,
    entries: [PENDING],
  },
  {
    title: 'the route’s namespace lacks the label',
    spec: `  parentRefs: [{ name: edge, sectionName: chosen }]\n${RULES}`,
    entries: [['Accepted=False/NotAllowedByListeners', RESOLVED, REFUSED]],
  },
  {
    title: 'the listener takes another kind of routes',
    spec: `  parentRefs: [{ name: edge, sectionName: grpc }]\n${RULES}`,
    entries: [['Accepted=False/NotAllowedByListeners', RESOLVED, REFUSED]],
  },
  {
    title: 'the listener has another protocol',
    spec: `  parentRefs: [{ name: edge, sectionName: tcp }]\n${RULES}`,
    entries: [['Accepted=False/NotAllowedByListeners', RESOLVED, REFUSED]],
  },
  {
    title: 'two parents, one of which takes it',
    spec: `  parentRefs: [{ name: edge, sectionName: same }, { name: edge, sectionName: absent }]\n${RULES}`,
    entries: [PENDING, ['Accepted=False/NoMatchingParent', RESOLVED, REFUSED]],
  },
  {
    title: 'a Gateway of somebody else',
    spec: `  parentRefs: [{ name: other }]\n${RULES}`,
    entries: [],
  },
  {
    title: 'a backend that is no Service',
    spec: `  parentRefs: [{ name: edge, sectionName: same }]
  rules: [{ backendRefs: [{ group: example.com, kind: Bucket, name: echo, port: 80 }] }]`,
    entries: [['Accepted=True/Accepted', 'ResolvedRefs=False/InvalidKind', 'Programmed=False/Pending']],
  },
  {
    title: 'a backend that does not exist',
    spec: `  parentRefs: [{ name: edge, sectionName: same }]\n  rules: [{ backendRefs: [{ name: absent, port: 80 }] }]`,
    entries: [['Accepted=True/Accepted', 'ResolvedRefs=False/BackendNotFound', 'Programmed=False/Pending']],
  },
  {
    title: 'a backend of another namespace without a grant',
    spec: `  parentRefs: [{ name: edge, sectionName: same }]
  rules: [{ backendRefs: [{ name: elsewhere, namespace: statuses-b, port: 80 }] }]`,
    entries: [['Accepted=True/Accepted', 'ResolvedRefs=False/RefNotPermitted', 'Programmed=False/Pending']],
  },
  {
    title: 'several references that lead nowhere: the kind comes first',
    spec: `  parentRefs: [{ name: edge, sectionName: same }]
  rules:
    - { backendRefs: [{ name: absent, port: 80 }, { group: example.com, kind: Bucket, name: echo, port: 80 }] }`,
    entries: [['Accepted=True/Accepted', 'ResolvedRefs=False/InvalidKind', 'Programmed=False/Pending']],
  },
  {
    title: 'a filter that Kong does not have in one of two rules',
    spec: `  parentRefs: [{ name: edge, sectionName: same }]
  rules:
    - { matches: [{ path: { type: PathPrefix, value: /good } }], backendRefs: [{ name: echo, port: 80 }] }
    - matches: [{ path: { type: PathPrefix, value: /bad } }]
      filters: [{ type: RequestMirror, requestMirror: { backendRef: { name: echo, port: 80 } } }]
      backendRefs: [{ name: echo, port: 80 }]`,
    entries: [
      [
        'Accepted=True/Accepted',
        RESOLVED,
        'PartiallyInvalid=True/UnsupportedValue',
        'Programmed=False/TranslationError',
      ],
    ],
  },
  {
    title: 'a match that the router cannot express',
    spec: `  parentRefs: [{ name: edge, sectionName: same }]
  rules: [{ matches: [{ queryParams: [{ name: a, value: b }] }], backendRefs: [{ name: echo, port: 80 }] }]`,
    entries: [['Accepted=False/UnsupportedValue', RESOLVED, REFUSED]],
  },
  {
    title: 'a GRPCRoute',
    kind: 'GRPCRoute',
    spec: `  parentRefs: [{ name: edge, sectionName: grpc }]\n${RULES}`,
    entries: [PENDING],
  },
  {
    title: 'a GRPCRoute whose backend does not exist',
    kind: 'GRPCRoute',
    spec: `  parentRefs: [{ name: edge, sectionName: grpc }]\n  rules: [{ backendRefs: [{ name: absent, port: 80 }] }]`,
    entries: [['Accepted=True/Accepted', 'ResolvedRefs=False/BackendNotFound', 'Programmed=False/Pending']],
  },
  {
    title: 'a TCPRoute',
    kind: 'TCPRoute',
    spec: `  parentRefs: [{ name: edge, sectionName: tcp }]\n${RULES}`,
    entries: [PENDING],
  },
  {
    title: 'a UDPRoute',
    kind: 'UDPRoute',
    spec: `  parentRefs: [{ name: edge, sectionName: udp }]\n${RULES}`,
    entries: [PENDING],
  },
  {
    title: 'a TLSRoute',
    kind: 'TLSRoute',
    spec: `  parentRefs: [{ name: edge, sectionName: tls }]\n  hostnames: [tls.example.com]\n${RULES}`,
    entries: [PENDING],
  },
  {
    title: 'a TLSRoute under a listener of HTTP',
    kind: 'TLSRoute',
    spec: `  parentRefs: [{ name: edge, sectionName: same }]\n  hostnames: [tls2.example.com]\n${RULES}`,
    entries: [['Accepted=False/NotAllowedByListeners', RESOLVED, REFUSED]],
  },
];

for (const [index, { title, kind = 'HTTPRoute', namespace = 'statuses-a', spec, entries }] of CASES.entries()) {
  test(`${kind}: ${title}`, async () => {
    const name = `case-${index}`;
    await lab.apply(route(kind, name, spec, namespace));
    const key = `${kind}/${namespace}/${name}`;
    const status = await lab.status(key);
    assert.deepEqual(entriesOf(status, 'parents'), entries);
    const text = JSON.stringify(status['parents'] ?? []);
    assert.ok(entries.length === 0 || text.includes('"observedGeneration":1'), text);
    await lab.converge();
    const proven = entries.map((entry) =>
      entry.map((item) => (item === 'Programmed=False/Pending' ? 'Programmed=True/ConfiguredInGateway' : item)),
    );
    assert.deepEqual(entriesOf(await lab.status(key), 'parents'), proven);
    await lab.remove(key);
  });
}

test('an alpha kind while its gate is off is not accepted', async () => {
  const closed = await makeLab();
  await closed.apply(route('TCPRoute', 'gated', `  parentRefs: [{ name: edge, sectionName: tcp }]\n${RULES}`));
  const status = await closed.status('TCPRoute/statuses-a/gated');
  assert.deepEqual(entriesOf(status, 'parents'), [['Accepted=False/UnsupportedValue', RESOLVED, REFUSED]]);
  await lab.remove('TCPRoute/statuses-a/gated');
});

/** A route to a Service that comes late and to one of another namespace. */
function late(path: string): string {
  return `  parentRefs: [{ name: edge, sectionName: same }]
  rules:
    - matches: [{ path: { type: PathPrefix, value: ${path} } }]
      backendRefs: [{ name: late, port: 80 }, { name: elsewhere, namespace: statuses-b, port: 80 }]`;
}

test('a change waits again, under its own generation, and a grant or a Service that comes is seen', async () => {
  const key = 'HTTPRoute/statuses-a/web';
  await lab.apply(route('HTTPRoute', 'web', late('/one')));
  await lab.converge();
  assert.deepEqual(entriesOf(await lab.status(key), 'parents'), [
    ['Accepted=True/Accepted', 'ResolvedRefs=False/BackendNotFound', 'Programmed=True/ConfiguredInGateway'],
  ]);
  await lab.apply(service('late'));
  assert.deepEqual(entriesOf(await lab.status(key), 'parents')[0]?.[1], 'ResolvedRefs=False/RefNotPermitted');
  await lab.apply(`
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: { name: allow, namespace: statuses-b }
spec:
  from: [{ group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: statuses-a }]
  to: [{ group: "", kind: Service }]
`);
  await lab.converge();
  assert.deepEqual(entriesOf(await lab.status(key), 'parents'), [PROGRAMMED]);
  await lab.apply(route('HTTPRoute', 'web', late('/two')));
  const waiting = await lab.status(key);
  assert.deepEqual(entriesOf(waiting, 'parents'), [PENDING]);
  assert.match(JSON.stringify(waiting), /"observedGeneration":2/);
  await lab.converge();
  const done = await lab.status(key);
  assert.deepEqual(entriesOf(done, 'parents'), [PROGRAMMED]);
  assert.match(JSON.stringify(done), /margin 500 ms.*Proof: stored, by agreement/);
  await lab.remove(key, 'ReferenceGrant/statuses-b/allow', 'Service/statuses-a/late');
});

test('entries and conditions of others stay, and ours go when no parent is ours any more', async () => {
  const key = 'HTTPRoute/statuses-a/shared';
  await lab.apply(
    route('HTTPRoute', 'shared', `  parentRefs: [{ name: edge, sectionName: same }, { name: other }]\n${RULES}`),
  );
  const theirs = {
    parentRef: { group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'other' },
    controllerName: 'example.com/other',
    conditions: [
      {
        type: 'Accepted',
        status: 'True',
        reason: 'Accepted',
        message: 'x',
        lastTransitionTime: '2026-01-01T00:00:00Z',
      },
    ],
  };
  const object = await lab.kubernetes.get('HTTPRoute', 'statuses-a', 'shared');
  const { parents } = await lab.status(key);
  assert.ok(Array.isArray(parents));
  const [ours] = parents;
  const extra = {
    type: 'example.com/Audited',
    status: 'True',
    reason: 'Yes',
    message: '',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  };
  const written = await lab.kubernetes.patchStatus({
    kind: 'HTTPRoute',
    namespace: 'statuses-a',
    name: 'shared',
    resourceVersion: object?.metadata.resourceVersion ?? '',
    status: { parents: [theirs, { ...ours, conditions: [...ours.conditions, extra] }] },
  });
  assert.equal(written.outcome, 'written');
  await lab.converge();
  const both = await lab.status(key);
  assert.deepEqual(entriesOf(both, 'parents'), [
    [...PENDING.slice(0, 2), 'Programmed=True/ConfiguredInGateway', 'example.com/Audited=True/Yes'],
  ]);
  assert.match(JSON.stringify(both), /"controllerName":"example.com\/other"/);
  await lab.apply(route('HTTPRoute', 'shared', `  parentRefs: [{ name: other }]\n${RULES}`));
  const left = await lab.status(key);
  assert.deepEqual(entriesOf(left, 'parents'), []);
  assert.deepEqual(left['parents'], [theirs]);
  await lab.remove(key);
});

test('a listener counts the routes of every kind that it allows', async () => {
  const attached = async (): Promise<readonly unknown[]> => {
    const status = await lab.status('Gateway/statuses-a/edge');
    return ['web', 'same', 'grpc', 'tcp'].map((name) => listenerOf(status, name)['attachedRoutes']);
  };
  assert.deepEqual(await attached(), [0, 0, 0, 0]);
  await lab.apply(
    route('HTTPRoute', 'one', `  parentRefs: [{ name: edge }]\n  hostnames: [a.example.com]\n${RULES}`) +
      route('HTTPRoute', 'two', `  parentRefs: [{ name: edge, sectionName: same }]\n${RULES}`) +
      route('GRPCRoute', 'three', `  parentRefs: [{ name: edge, sectionName: grpc }]\n${RULES}`) +
      route('TCPRoute', 'four', `  parentRefs: [{ name: edge, sectionName: tcp }]\n${RULES}`),
  );
  assert.deepEqual(await attached(), [1, 2, 1, 1]);
  const patches = lab.patches.length;
  await lab.apply(
    route(
      'HTTPRoute',
      'two',
      `  parentRefs: [{ name: edge, sectionName: same }]\n  hostnames: [b.example.com]\n${RULES}`,
    ),
  );
  assert.deepEqual(lab.patches.slice(patches), ['HTTPRoute/statuses-a/two'], 'the Gateway has nothing new to say');
  await lab.remove(
    'HTTPRoute/statuses-a/one',
    'HTTPRoute/statuses-a/two',
    'GRPCRoute/statuses-a/three',
    'TCPRoute/statuses-a/four',
  );
  assert.deepEqual(await attached(), [0, 0, 0, 0]);
});

test('a Gateway of a class that somebody else manages is left alone, its routes are not', async () => {
  await lab.apply(
    `
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: { name: managed-statuses }
spec: { controllerName: konghq.com/kic-gateway-controller }
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: managed, namespace: statuses-a }
spec: { gatewayClassName: managed-statuses, listeners: [{ name: web, protocol: HTTP, port: 80 }] }
---
` + route('HTTPRoute', 'managed', `  parentRefs: [{ name: managed }]\n${RULES}`),
  );
  assert.deepEqual(conditionsOf(await lab.status('GatewayClass//managed-statuses')), []);
  assert.equal((await lab.status('Gateway/statuses-a/managed'))['listeners'], undefined);
  assert.deepEqual(entriesOf(await lab.status('HTTPRoute/statuses-a/managed'), 'parents'), [PENDING]);
  await lab.remove('HTTPRoute/statuses-a/managed');
});

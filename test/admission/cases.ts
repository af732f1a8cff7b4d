import type { TranslateOptions } from '../../shared/translate/types.ts';
import { ingress } from '../support/manifests.ts';
import { type Manifest, manifest, OURS } from './support.ts';

/** One check of one kind, with an object that passes it and one that does not. */
export interface Case {
  /** What the README calls it. */
  readonly check: string;
  readonly accepted: Manifest;
  readonly refused: Manifest;
  /** In the refusal's message. */
  readonly says: RegExp;
  /** What is in the cluster beside the class kong and the Service echo. */
  readonly cluster?: readonly Manifest[];
  readonly options?: Partial<TranslateOptions>;
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** A Secret, of a credential's type if one is named. */
export function secret(
  name: string,
  data: Readonly<Record<string, string>>,
  credential?: string,
  labels: object = {},
): Manifest {
  const encoded = Object.fromEntries(Object.entries(data).map(([key, value]) => [key, base64(value)]));
  const label = credential === undefined ? {} : { 'konghq.com/credential': credential };
  return manifest('Secret', name, { data: encoded, type: 'Opaque' }, { labels: { ...label, ...labels } });
}

const web = (rules: readonly string[], annotations?: Readonly<Record<string, string>>): Manifest => ({
  ...ingress('web', rules, annotations === undefined ? {} : { annotations }),
});

const GATEWAY_CLASS = manifest('GatewayClass', 'kong', {
  spec: { controllerName: 'konghq.com/kic-gateway-controller' },
});

function gateway(protocol: string, port: number, name = 'gate'): Manifest {
  const tls = protocol === 'TLS' ? { tls: { mode: 'Passthrough' } } : {};
  return manifest('Gateway', name, {
    spec: { gatewayClassName: 'kong', listeners: [{ name: 'one', protocol, port, ...tls }] },
  });
}

/** What the API server puts into rules without matches. */
const ANY_PATH = [{ path: { type: 'PathPrefix', value: '/' } }];
const backend = { kind: 'Service', name: 'echo', port: 80 };

function httpRoute(...rules: readonly object[]): Manifest {
  const spec = {
    parentRefs: [{ name: 'gate' }],
    rules: rules.map((rule) => ({ matches: ANY_PATH, backendRefs: [backend], ...rule })),
  };
  return manifest('HTTPRoute', 'route', { spec });
}

function streamRoute(
  kind: 'TCPRoute' | 'UDPRoute' | 'TLSRoute' | 'GRPCRoute',
  ref: object,
  spec: object = {},
): Manifest {
  return manifest(kind, 'route', {
    spec: { parentRefs: [{ name: 'gate' }], rules: [{ backendRefs: [ref] }], ...spec },
  });
}

const HTTP = [GATEWAY_CLASS, gateway('HTTP', 80)];
const ALPHA = { featureGates: { GatewayAlpha: true } };
const LIMITS = { plugin: 'rate-limiting', config: { minute: 5, policy: 'local' } };
const configured = (name: string): object => ({
  plugin: 'rate-limiting',
  configFrom: { secretKeyRef: { name, key: 'config' } },
});
const consumer = (fields: object, name = 'ann'): Manifest => manifest('KongConsumer', name, fields, OURS);
const vault = (spec: object): Manifest => manifest('KongVault', 'env', { spec }, OURS);
const entity = (type: string, fields: object): Manifest =>
  manifest('KongCustomEntity', 'own', { spec: { type, controllerName: 'kong', fields } });

/** Checks that need nothing but the cluster and Kong's schemas. */
export const CASES: readonly Case[] = [
  {
    check: 'Ingress: host',
    accepted: web(['*.a.test / echo 80']),
    refused: web(['a.*.test / echo 80']),
    says: /Ingress default\/web: host .* Use a DNS name/,
  },
  {
    check: 'Ingress: path',
    accepted: web(['a.test /~/v[0-9]+ echo 80']),
    refused: web(['a.test /~/v[0-9 echo 80']),
    says: /path ".*\/v\[0-9.*" .* Write a path that Kong takes/,
  },
  {
    check: 'Ingress: protocols',
    accepted: web(['a.test / echo 80'], { 'konghq.com/protocols': 'https' }),
    refused: web(['a.test / echo 80'], { 'konghq.com/protocols': 'htps' }),
    says: /annotation konghq\.com\/protocols is "htps", expected a list of http/,
  },
  {
    check: 'Ingress: annotations that make a route which Kong refuses',
    accepted: web(['a.test / echo 80'], { 'konghq.com/methods': 'GET' }),
    refused: web(['a.test / echo 80'], { 'konghq.com/protocols': 'tcp' }),
    says: /route default\.web\.echo\.a\.test\.80 .*Correct the annotations/,
  },
  {
    check: 'Ingress: rewrite',
    accepted: web(['a.test / echo 80'], { 'konghq.com/rewrite': '/v2' }),
    refused: web(['a.test / echo 80'], { 'konghq.com/rewrite': '/$x' }),
    says: /annotation konghq\.com\/rewrite/,
    options: { featureGates: { RewriteURIs: true } },
  },
  {
    check: 'Ingress: backends',
    accepted: web(['a.test / echo 80']),
    refused: {
      ...web([]),
      spec: {
        ingressClassName: 'kong',
        rules: [
          {
            host: 'a.test',
            http: {
              paths: [
                { path: '/', pathType: 'Prefix', backend: { service: { name: 'echo', port: { number: 80 } } } },
                { path: '/b', pathType: 'Prefix', backend: { resource: { kind: 'Bucket', name: 'b' } } },
              ],
            },
          },
        ],
      },
    },
    says: /Bucket, which cannot be a backend.* Use a Service/,
  },
  {
    check: 'TCPIngress: port',
    accepted: manifest(
      'TCPIngress',
      'web',
      { spec: { rules: [{ port: 9000, backend: { serviceName: 'echo', servicePort: 80 } }] } },
      OURS,
    ),
    refused: manifest(
      'TCPIngress',
      'web',
      { spec: { rules: [{ port: 90000, backend: { serviceName: 'echo', servicePort: 80 } }] } },
      OURS,
    ),
    says: /spec\.rules\[0\]\.port is no port/,
  },
  {
    check: 'UDPIngress: port',
    accepted: manifest(
      'UDPIngress',
      'web',
      { spec: { rules: [{ port: 9000, backend: { serviceName: 'echo', servicePort: 80 } }] } },
      OURS,
    ),
    refused: manifest(
      'UDPIngress',
      'web',
      { spec: { rules: [{ port: 90000, backend: { serviceName: 'echo', servicePort: 80 } }] } },
      OURS,
    ),
    says: /spec\.rules\[0\]\.port is no port/,
  },
  {
    check: 'Gateway: shape',
    accepted: gateway('HTTP', 80),
    refused: manifest('Gateway', 'gate', {
      spec: { gatewayClassName: 'kong', listeners: [{ name: 'one', port: 'x' }] },
    }),
    says: /spec\.listeners\[0\].*Correct the field/,
    cluster: [GATEWAY_CLASS],
  },
  {
    check: 'HTTPRoute: timeouts.backendRequest',
    accepted: httpRoute({ timeouts: { backendRequest: '5s' } }, { timeouts: { backendRequest: '5s' } }),
    refused: httpRoute({ timeouts: { backendRequest: '5s' } }, { timeouts: { backendRequest: '6s' } }),
    says: /different timeouts\.backendRequest/,
    cluster: HTTP,
  },
  {
    check: 'HTTPRoute: filters',
    accepted: httpRoute({
      filters: [{ type: 'RequestHeaderModifier', requestHeaderModifier: { set: [{ name: 'a', value: 'b' }] } }],
    }),
    refused: httpRoute({ filters: [{ type: 'RequestMirror', requestMirror: { backendRef: backend } }] }),
    says: /filters\[0\].* Use a filter that Kong can express/,
    cluster: HTTP,
  },
  {
    check: 'HTTPRoute: filters of backendRefs',
    accepted: httpRoute({}),
    refused: httpRoute({
      backendRefs: [
        {
          ...backend,
          filters: [{ type: 'RequestHeaderModifier', requestHeaderModifier: { remove: ['a'] } }],
        },
      ],
    }),
    says: /spec\.rules\[0\]\.backendRefs\[0\]\.filters has no counterpart/,
    cluster: HTTP,
  },
  {
    check: 'HTTPRoute: backendRefs',
    accepted: httpRoute({}),
    refused: httpRoute({ backendRefs: [{ group: 'example.org', kind: 'Bucket', name: 'b' }] }),
    says: /is of kind Bucket, which cannot be a backend/,
    cluster: HTTP,
  },
  {
    check: 'HTTPRoute: query parameters',
    accepted: httpRoute({ matches: [{ path: { type: 'PathPrefix', value: '/a' } }] }),
    refused: httpRoute({ matches: [{ queryParams: [{ name: 'a', value: 'b' }] }] }),
    says: /queryParams.* Use the expressions router/,
    cluster: HTTP,
  },
  {
    check: 'HTTPRoute: protocols',
    accepted: { ...httpRoute({}), ...annotated('HTTPRoute', { 'konghq.com/protocols': 'http' }) },
    refused: { ...httpRoute({}), ...annotated('HTTPRoute', { 'konghq.com/protocols': 'gopher' }) },
    says: /annotation konghq\.com\/protocols is "gopher"/,
    cluster: HTTP,
  },
  {
    check: "HTTPRoute: each route by Kong's rules",
    accepted: httpRoute({ matches: [{ path: { type: 'RegularExpression', value: '/a[0-9]' } }] }),
    refused: httpRoute({ matches: [{ path: { type: 'RegularExpression', value: '/a[0-9' } }] }),
    says: /spec\.rules\[0\]\.matches\[0\].* Write a path that Kong takes/,
    cluster: HTTP,
  },
  {
    check: 'GRPCRoute: backendRefs',
    accepted: streamRoute('GRPCRoute', backend),
    refused: streamRoute('GRPCRoute', { ...backend, kind: 'Bucket' }),
    says: /is of kind Bucket/,
    cluster: HTTP,
  },
  {
    check: 'TCPRoute: backendRefs',
    accepted: streamRoute('TCPRoute', backend),
    refused: streamRoute('TCPRoute', { ...backend, kind: 'Bucket' }),
    says: /is of kind Bucket/,
    cluster: [GATEWAY_CLASS, gateway('TCP', 9000)],
    options: ALPHA,
  },
  {
    check: 'UDPRoute: backendRefs',
    accepted: streamRoute('UDPRoute', backend),
    refused: streamRoute('UDPRoute', { ...backend, kind: 'Bucket' }),
    says: /is of kind Bucket/,
    cluster: [GATEWAY_CLASS, gateway('UDP', 9000)],
    options: ALPHA,
  },
  {
    check: 'TLSRoute: hostnames',
    accepted: streamRoute('TLSRoute', backend, { hostnames: ['a.test'] }),
    refused: streamRoute('TLSRoute', backend, { hostnames: ['a b'] }),
    says: /spec\.hostnames holds "a b"/,
    cluster: [GATEWAY_CLASS, gateway('TLS', 8443)],
    options: ALPHA,
  },
  {
    check: "KongPlugin: configuration by Kong's schema",
    accepted: manifest('KongPlugin', 'limits', LIMITS),
    refused: manifest('KongPlugin', 'limits', { plugin: 'rate-limiting', config: { minute: 'x', nope: 1 } }),
    says: /config\.minute: expected a number; config\.nope: unknown field/,
  },
  {
    check: 'KongPlugin: a plugin that Kong has',
    accepted: manifest('KongPlugin', 'limits', LIMITS),
    refused: manifest('KongPlugin', 'limits', { plugin: 'nope' }),
    says: /plugin 'nope' not enabled/,
  },
  {
    check: 'KongPlugin: configFrom',
    accepted: manifest('KongPlugin', 'limits', configured('settings')),
    refused: manifest('KongPlugin', 'limits', configured('missing')),
    says: /configFrom\.secretKeyRef names Secret default\/missing, which does not exist/,
    cluster: [secret('settings', { config: '{"minute":5,"policy":"local"}' })],
  },
  {
    check: 'KongPlugin: configPatches',
    accepted: patched('/minute'),
    refused: patched('minute'),
    says: /configPatches\[0\]\.path leads nowhere/,
    cluster: [secret('settings', { config: '5' })],
  },
  {
    check: "KongClusterPlugin: configuration by Kong's schema",
    accepted: manifest('KongClusterPlugin', 'limits', LIMITS, OURS),
    refused: manifest('KongClusterPlugin', 'limits', { ...LIMITS, config: { minute: -5 } }, OURS),
    says: /Kong would refuse its plugins/,
  },
  {
    check: 'KongClusterPlugin: configFrom',
    accepted: manifest('KongClusterPlugin', 'limits', inNamespace('settings'), OURS),
    refused: manifest('KongClusterPlugin', 'limits', configured('settings'), OURS),
    says: /configFrom\.secretKeyRef\.namespace is missing/,
    cluster: [secret('settings', { config: '{"minute":5,"policy":"local"}' })],
  },
  {
    check: 'KongConsumer: username or custom_id',
    accepted: consumer({ custom_id: '7' }),
    refused: consumer({}),
    says: /username and custom_id are both empty/,
  },
  {
    check: 'KongConsumer: credentials that exist',
    accepted: consumer({ username: 'ann', credentials: ['key'] }),
    refused: consumer({ username: 'ann', credentials: ['key', 'missing'] }),
    says: /credentials names Secret default\/missing, which does not exist/,
    cluster: [secret('key', { key: 'k' }, 'key-auth')],
  },
  {
    check: 'KongConsumer: credentials of a type of Kong',
    accepted: consumer({ username: 'ann', credentials: ['key'] }),
    refused: consumer({ username: 'ann', credentials: ['broken'] }),
    says: /credentials names Secret default\/broken, which lacks key/,
    cluster: [secret('key', { key: 'k' }, 'key-auth'), secret('broken', { kee: 'k' }, 'key-auth')],
  },
  {
    check: 'KongConsumerGroup: Enterprise',
    accepted: manifest('KongConsumerGroup', 'gold', {}, {}),
    refused: manifest('KongConsumerGroup', 'gold', {}, OURS),
    says: /consumer groups need Kong Enterprise/,
  },
  {
    check: "KongVault: fields by Kong's schema",
    accepted: vault({ backend: 'env', prefix: 'env-one', config: { prefix: 'KONG_' } }),
    refused: vault({ backend: 'env', prefix: 'env-one', config: { nope: 1 } }),
    says: /Kong would refuse its vaults.*nope/,
  },
  {
    check: 'KongVault: a backend of this Kong',
    accepted: vault({ backend: 'env', prefix: 'env-one' }),
    refused: vault({ backend: 'hcv', prefix: 'env-one' }),
    says: /spec\.backend is hcv, which needs Kong Enterprise/,
  },
  {
    check: 'KongCustomEntity: type',
    accepted: entity('key_sets', { name: 'mine' }),
    refused: entity('services', { host: 'x' }),
    says: /spec\.type is services, expected one of/,
  },
  {
    check: "KongCustomEntity: fields by Kong's schema",
    accepted: entity('key_sets', { name: 'mine' }),
    refused: entity('key_sets', { name: 'mine', nope: true }),
    says: /Kong would refuse its key_sets.*nope/,
  },
  {
    check: "KongUpstreamPolicy: fields by Kong's schema",
    accepted: manifest('KongUpstreamPolicy', 'policy', { spec: { algorithm: 'round-robin', slots: 100 } }),
    refused: manifest('KongUpstreamPolicy', 'policy', { spec: { slots: 5 } }),
    says: /Kong would refuse its upstreams.*slots/,
  },
  {
    check: 'Secret: credential type',
    accepted: secret('key', { key: 'k' }, 'key-auth'),
    refused: secret('key', { key: 'k' }, 'password'),
    says: /label konghq\.com\/credential with a type that is none of key-auth/,
  },
  {
    check: 'Secret: fields of the credential type',
    accepted: secret('key', { username: 'u', password: 'p' }, 'basic-auth'),
    refused: secret('key', { password: 'p' }, 'basic-auth'),
    says: /Secret default\/key: it lacks username/,
  },
  {
    check: 'Secret: CA certificate',
    accepted: secret('ca', {}, undefined, {}),
    refused: secret('ca', { id: 'x', cert: 'y' }, undefined, { 'konghq.com/ca-cert': 'true' }),
    says: /data\.id is missing or no UUID/,
  },
  {
    check: 'ConfigMap: CA certificate',
    accepted: manifest('ConfigMap', 'ca', { data: {} }),
    refused: manifest('ConfigMap', 'ca', { data: { id: 'x' } }, { labels: { 'konghq.com/ca-cert': 'true' } }),
    says: /data\.id is missing or no UUID/,
  },
];

function annotated(kind: 'HTTPRoute', annotations: Readonly<Record<string, string>>): Pick<Manifest, 'metadata'> {
  return { metadata: manifest(kind, 'route', {}, { annotations }).metadata };
}

function patched(path: string): Manifest {
  return manifest('KongPlugin', 'limits', {
    plugin: 'rate-limiting',
    config: { policy: 'local' },
    configPatches: [{ path, valueFrom: { secretKeyRef: { name: 'settings', key: 'config' } } }],
  });
}

function inNamespace(name: string): object {
  return {
    plugin: 'rate-limiting',
    configFrom: { secretKeyRef: { name, key: 'config', namespace: 'default' } },
  };
}

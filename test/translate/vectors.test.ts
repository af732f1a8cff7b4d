import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prefixTemplate } from '../../shared/translate/http-filter.ts';
import { matchPaths, basePriority, ranked } from '../../shared/translate/http-match.ts';
import { combinedServiceName } from '../../shared/translate/httproute.ts';
import { expandIpv6, targetText, weightScale } from '../../shared/translate/target.ts';
import { intersection, effectiveHostnames } from '../../shared/translate/hostname.ts';
import { durationMs } from '../../shared/translate/duration.ts';
import { rewriteUri } from '../../shared/translate/rewrite.ts';
import { kongPaths, rulePath, type PathType } from '../../shared/translate/ingress-path.ts';
import { bodies, translateYaml } from './support.ts';

function ingress(host: string, path: string, type: string, annotations: Record<string, string> = {}): string {
  return JSON.stringify({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'httpbin', namespace: 'default', annotations },
    spec: {
      ingressClassName: 'kong',
      rules: [
        {
          ...(host === '' ? {} : { host }),
          http: { paths: [{ path, pathType: type, backend: { service: { name: 'httpbin', port: { number: 80 } } } }] },
        },
      ],
    },
  });
}

const SERVICE = `
apiVersion: v1
kind: Service
metadata: { name: httpbin, namespace: default }
spec: { ports: [{ port: 80 }] }
`;

test('a plain Ingress gives exactly these fields', async () => {
  const { entities, findings } = await translateYaml(`${ingress('', '/', 'Prefix')}\n---${SERVICE}`);
  assert.deepEqual(findings, []);
  const service = entities.find(({ type }) => type === 'services');
  assert.deepEqual(bodies(entities, 'services'), {
    'default.httpbin.80': {
      name: 'default.httpbin.80',
      host: 'httpbin.default.80.svc',
      port: 80,
      path: '/',
      protocol: 'http',
      retries: 5,
      connect_timeout: 60_000,
      read_timeout: 60_000,
      write_timeout: 60_000,
    },
  });
  assert.deepEqual(bodies(entities, 'routes'), {
    'default.httpbin.httpbin..80': {
      name: 'default.httpbin.httpbin..80',
      paths: ['/'],
      strip_path: false,
      preserve_host: true,
      regex_priority: 0,
      request_buffering: true,
      response_buffering: true,
      https_redirect_status_code: 426,
      path_handling: 'v0',
      service: { id: service?.id },
    },
  });
  assert.deepEqual(bodies(entities, 'upstreams'), {
    'httpbin.default.80.svc': { name: 'httpbin.default.80.svc', algorithm: 'round-robin' },
  });
});

test('a wildcard host is part of the name with an underscore', async () => {
  const yaml = `${ingress('*.example.com', '/foo', 'Prefix')}\n---${SERVICE}`;
  const traditional = bodies((await translateYaml(yaml)).entities, 'routes')[
    'default.httpbin.httpbin._.example.com.80'
  ];
  assert.deepEqual(traditional?.['hosts'], ['*.example.com']);
  assert.deepEqual(traditional?.['paths'], ['/foo/', '~/foo$']);
  const { entities } = await translateYaml(yaml, { routerFlavor: 'expressions' });
  const route = bodies(entities, 'routes')['default.httpbin.httpbin._.example.com.80'];
  assert.equal(
    route?.['expression'],
    '(http.host =^ ".example.com") && ((http.path == "/foo") || (http.path ^= "/foo/"))',
  );
});

test('expression priorities', async () => {
  const yaml = `${ingress('example.com', '/', 'ImplementationSpecific')}\n---${SERVICE}`;
  const { entities } = await translateYaml(yaml, { routerFlavor: 'expressions' });
  assert.equal(Object.values(bodies(entities, 'routes'))[0]?.['priority'], 57_178_899_611_649);
  const base = basePriority('', { path: { type: 'PathPrefix', value: '/prefix' } });
  assert.deepEqual(ranked([{ base }]), [35_184_422_424_575]);
  assert.deepEqual(ranked([{ base }, { base }]), [35_184_422_424_575, 35_184_422_424_574]);
  assert.deepEqual(ranked([{ base, before: 2 }]), [35_184_422_424_573]);
});

test('priorities never spill into their neighbours', () => {
  const long = { path: { type: 'PathPrefix', value: `/${'a'.repeat(5000)}` } };
  assert.ok(basePriority('', long) < basePriority('', { path: { type: 'RegularExpression', value: '/' } }));
});

test('annotation values', async () => {
  const annotations = {
    'konghq.com/strip-path': 'TRUE',
    'konghq.com/methods': 'get, post',
    'konghq.com/headers.x-split': 'a, b',
    'konghq.com/headers-separator': ';',
  };
  const { entities } = await translateYaml(`${ingress('', '/', 'Prefix', annotations)}\n---${SERVICE}`);
  const route = bodies(entities, 'routes')['default.httpbin.httpbin..80'];
  assert.equal(route?.['strip_path'], true);
  assert.deepEqual(route?.['methods'], ['GET', 'POST']);
  assert.deepEqual(route?.['headers'], { 'x-split': ['a, b'] });
});

test('one bad method discards the annotation, and says so', async () => {
  const { entities, findings } = await translateYaml(
    `${ingress('', '/', 'Prefix', { 'konghq.com/methods': 'GET,P0ST' })}\n---${SERVICE}`,
  );
  assert.equal(bodies(entities, 'routes')['default.httpbin.httpbin..80']?.['methods'], undefined);
  assert.deepEqual(
    findings.map(({ reason }) => reason),
    ['InvalidAnnotation'],
  );
});

const PATHS: readonly (readonly [PathType, string, readonly string[]])[] = [
  ['Prefix', '/', ['/']],
  ['Prefix', '', ['/']],
  ['Prefix', '/foo', ['/foo/', '~/foo$']],
  ['Prefix', '/foo/', ['/foo/', '~/foo$']],
  ['Prefix', '//foo', ['/foo/', '~/foo$']],
  ['Exact', '/foo', ['~/foo$']],
  ['Exact', '/foo/', ['~/foo/$']],
  ['Exact', '/', ['~/$']],
  ['ImplementationSpecific', '/foo', ['/foo']],
  ['ImplementationSpecific', String.raw`/~/foo/\d{3}`, [String.raw`~/foo/\d{3}`]],
];

for (const [pathType, value, expected] of PATHS) {
  test(`Ingress path ${pathType} ${value}`, () => {
    const rule = rulePath({ path: value, pathType, backend: {} });
    assert.deepEqual(kongPaths(rule, { prefix: '/~', legacyDetection: false }), expected);
  });
}

test('legacy detection takes a path with other characters for a regular expression', () => {
  const rules = { prefix: '/~', legacyDetection: true };
  const paths = ['/a/[0-9]+', '/plain/%20', '/~/(b)'].map((value) =>
    kongPaths(rulePath({ path: value, pathType: 'ImplementationSpecific', backend: {} }), rules),
  );
  assert.deepEqual(paths, [['~/a/[0-9]+'], ['/plain/%20'], ['~/(b)']]);
});

function pathMatch(type: string, value: string) {
  return { path: { type, value } };
}

test('HTTPRoute paths', () => {
  assert.deepEqual(matchPaths(pathMatch('Exact', '/a'), false), ['~/a$']);
  assert.deepEqual(matchPaths(pathMatch('PathPrefix', '/a'), false), ['~/a$', '/a/']);
  assert.deepEqual(matchPaths(pathMatch('PathPrefix', '/a/'), false), ['~/a/$', '/a/']);
  assert.deepEqual(matchPaths(pathMatch('PathPrefix', '/'), false), ['~/$', '/']);
  assert.deepEqual(matchPaths(pathMatch('RegularExpression', '/x.*'), false), ['~/x.*']);
  assert.deepEqual(matchPaths(pathMatch('PathPrefix', '/old'), true), ['~/old$', '~/old(/.*)']);
  assert.deepEqual(matchPaths(pathMatch('PathPrefix', '/'), true), ['~/$', '~/(.*)']);
});

test('templates of a replaced prefix', () => {
  assert.equal(prefixTemplate('/new/', '/old'), '/new$(uri_captures[1])');
  assert.equal(prefixTemplate('/', '/old'), '$(uri_captures[1] == nil and "/" or uri_captures[1])');
  assert.equal(prefixTemplate('/', '/'), '$(uri_captures[1] == nil and "/" or "/" .. uri_captures[1])');
  assert.equal(prefixTemplate('/new', '/'), '/new$(uri_captures[1] == nil and "" or "/" .. uri_captures[1])');
  assert.equal(prefixTemplate(undefined, '/old'), '/');
});

test('names of combined services, also long ones', () => {
  const ref = { name: 'svc', port: 80, weight: 1 };
  assert.equal(combinedServiceName('default', [ref]), 'httproute.default.svc.default.svc.80.1');
  assert.equal(combinedServiceName('default', []), 'httproute.default.svc._');
  const many = Array.from({ length: 60 }, (_, index) => ({ ...ref, name: `service-${index}` }));
  const name = combinedServiceName('default', many);
  assert.match(name, /^httproute\.default\.svc\.default\.service-0\.80\.1_combined\.[0-9a-f]{64}$/);
});

test('rewrite annotations', () => {
  assert.equal(rewriteUri(''), '/');
  assert.equal(rewriteUri('/a/$1/b$12'), '/a/$(uri_captures[1])/b$(uri_captures[12])');
  assert.equal(rewriteUri(String.raw`/\$5`), '/$5');
  for (const bad of ['$', '/$a', '\\', String.raw`/\a`]) assert.equal(rewriteUri(bad), undefined, bad);
});

test('weights are scaled until they divide evenly', () => {
  assert.equal(
    weightScale([
      { weight: 75, count: 2 },
      { weight: 25, count: 1 },
    ]),
    2,
  );
  assert.equal(
    weightScale([
      { weight: 50, count: 1 },
      { weight: 50, count: 1 },
    ]),
    1,
  );
  assert.equal(
    weightScale([
      { weight: 90, count: 10 },
      { weight: 10, count: 100 },
    ]),
    10,
  );
  assert.equal(
    weightScale([
      { weight: 0, count: 3 },
      { weight: 1, count: 0 },
    ]),
    1,
  );
});

test('targets spell IPv6 in full, as Kong stores it', () => {
  assert.equal(targetText('fd00::1', 80), '[fd00:0000:0000:0000:0000:0000:0000:0001]:80');
  assert.equal(expandIpv6('::'), '0000:0000:0000:0000:0000:0000:0000:0000');
  assert.equal(expandIpv6('1:2:3:4:5:6:7:8'), '0001:0002:0003:0004:0005:0006:0007:0008');
  assert.equal(targetText('10.0.0.1', 8080), '10.0.0.1:8080');
});

test('hostnames of listener and route', () => {
  assert.equal(intersection('*.example.com', 'a.b.example.com'), 'a.b.example.com');
  assert.equal(intersection('a.example.com', '*.example.com'), 'a.example.com');
  assert.equal(intersection('*.example.com', 'example.com'), undefined);
  assert.equal(intersection('a.example.com', 'b.example.com'), undefined);
  assert.deepEqual(effectiveHostnames([undefined, 'a.com'], []), []);
  assert.deepEqual(effectiveHostnames(['a.com', 'b.com'], []), ['a.com', 'b.com']);
  assert.deepEqual(effectiveHostnames([undefined], ['x.com']), ['x.com']);
  assert.equal(effectiveHostnames(['a.com'], ['x.com']), undefined);
});

test('Gateway API durations', () => {
  assert.deepEqual(
    ['1m30s', '500ms', '1h', '0s', '5', '-1s', ''].map((text) => durationMs(text)),
    [90_000, 500, 3_600_000, 2_147_483_646, undefined, undefined, undefined],
  );
});

import { ABSENT, OTHER_SERVICE, ROUTE, SERVICE, exchange, notFound, violation } from '../exchange.ts';
import type { Exchange } from '../exchange.ts';

export const routes: readonly Exchange[] = [
  exchange(
    'a route with its defaults',
    ['PUT', `/routes/${ROUTE}`, { name: 'contract-r', paths: ['/a', '~/b\\d+$'], service: { name: 'contract-a' } }],
    200,
    {
      protocols: ['http', 'https'],
      strip_path: true,
      preserve_host: false,
      regex_priority: 0,
      path_handling: 'v0',
      https_redirect_status_code: 426,
      request_buffering: true,
      response_buffering: true,
      service: { id: SERVICE },
      hosts: null,
    },
  ),
  exchange(
    'a service by an unknown name',
    ['POST', '/routes', { paths: ['/x'], service: { name: 'nobody' } }],
    400,
    { code: 13 },
    { fields: ['service'] },
  ),
  exchange(
    'a service that does not exist',
    ['POST', '/routes', { paths: ['/x'], service: { id: ABSENT } }],
    400,
    { code: 4 },
    { fields: ['service'] },
  ),
  exchange('nothing to match on', ['POST', '/routes', { name: 'x' }], 400, violation, { fields: ['@entity'] }),
  exchange('a wrong path names its place', ['POST', '/routes', { paths: ['/ok', 'wrong'] }], 400, {
    ...violation,
    fields: { paths: [null, 'should start with: / (fixed path) or ~/ (regex path)'] },
  }),
  exchange('an empty path segment', ['POST', '/routes', { paths: ['/a//b'] }], 400, violation, { fields: ['paths'] }),
  exchange('a broken regular expression', ['POST', '/routes', { paths: ['~/a(b'] }], 400, violation, {
    fields: ['paths'],
  }),
  exchange('two wildcards in a host', ['POST', '/routes', { hosts: ['*.a.*'] }], 400, violation, { fields: ['hosts'] }),
  exchange('a method in small letters', ['POST', '/routes', { methods: ['get'] }], 400, violation, {
    fields: ['methods'],
  }),
  exchange(
    'protocols that exclude each other',
    ['POST', '/routes', { paths: ['/x'], protocols: ['http', 'tcp'] }],
    400,
    violation,
    { fields: ['protocols'] },
  ),
  exchange('the host as a header', ['POST', '/routes', { headers: { Host: ['a'] } }], 400, violation, {
    fields: ['headers'],
  }),
  exchange(
    'a gRPC route never strips',
    ['POST', '/routes', { name: 'contract-grpc', protocols: ['grpc'], paths: ['/p.S/M'] }],
    201,
    { strip_path: false },
  ),
  exchange(
    'nor may it be told to',
    ['POST', '/routes', { protocols: ['grpc'], paths: ['/x'], strip_path: true }],
    400,
    violation,
    { fields: ['strip_path'] },
  ),
  exchange(
    'a TCP route',
    ['POST', '/routes', { name: 'contract-tcp', protocols: ['tcp'], destinations: [{ port: 9000 }] }],
    201,
    { destinations: [{ port: 9000 }] },
  ),
  exchange(
    'a TCP route with paths',
    ['POST', '/routes', { protocols: ['tcp'], destinations: [{ port: 9000 }], paths: ['/x'] }],
    400,
    violation,
    { fields: ['paths'] },
  ),
  exchange(
    'server names without TLS',
    ['POST', '/routes', { protocols: ['http'], paths: ['/x'], snis: ['a.example.com'] }],
    400,
    violation,
    { fields: ['@entity', 'snis'] },
  ),
  exchange(
    'expressions need their router',
    ['POST', '/routes', { paths: ['/x'], expression: 'http.path == "/"' }],
    400,
    violation,
    { fields: ['expression'] },
  ),
  exchange(
    'a route below its service',
    ['PUT', `/services/${OTHER_SERVICE}/routes/contract-nested`, { hosts: ['n.example.com'] }],
    200,
    { service: { id: OTHER_SERVICE } },
  ),
  exchange('the service of a route', ['GET', '/routes/contract-nested/service'], 200, { id: OTHER_SERVICE }),
  exchange('a route below another service', ['GET', `/services/${SERVICE}/routes/contract-nested`], 404, notFound),
  exchange('a service with routes stays', ['DELETE', `/services/${SERVICE}`], 400, {
    code: 4,
    fields: { '@referenced_by': 'routes' },
  }),
];

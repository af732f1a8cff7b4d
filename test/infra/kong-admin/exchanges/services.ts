import { ABSENT, OTHER_SERVICE, SERVICE, duplicate, exchange, notFound, service, violation } from '../exchange.ts';
import type { Exchange } from '../exchange.ts';

export const services: readonly Exchange[] = [
  exchange(
    'a service from a URL',
    ['POST', '/services', { name: 'contract-url', url: 'https://shop.example.com/v1' }],
    201,
    {
      protocol: 'https',
      host: 'shop.example.com',
      port: 443,
      path: '/v1',
      retries: 5,
      connect_timeout: 60000,
      enabled: true,
      tls_verify: null,
    },
  ),
  exchange(
    'PUT by id creates with 200',
    ['PUT', `/services/${SERVICE}`, service('contract-a', { port: 8080, tags: ['x'] })],
    200,
    {
      id: SERVICE,
      port: 8080,
      tags: ['x'],
    },
  ),
  exchange('PUT resets what is left out', ['PUT', `/services/${SERVICE}`, service('contract-a')], 200, {
    port: 80,
    tags: null,
  }),
  exchange(
    'PUT keeps the id of the path',
    ['PUT', `/services/${SERVICE}`, service('contract-a', { id: ABSENT })],
    200,
    { id: SERVICE },
  ),
  exchange(
    'a sent created_at is kept, updated_at is not',
    ['PUT', `/services/${SERVICE}`, service('contract-a', { created_at: 1_000_000_000, updated_at: 1 })],
    200,
    { created_at: 1_000_000_000 },
  ),
  exchange('PATCH keeps created_at and the rest', ['PATCH', '/services/contract-a', { retries: 2 }], 200, {
    created_at: 1_000_000_000,
    retries: 2,
    id: SERVICE,
  }),
  exchange(
    'POST with an id that exists',
    ['POST', '/services', service('contract-b', { id: SERVICE })],
    400,
    { code: 3 },
    { fields: ['id'] },
  ),
  exchange('a name that is taken', ['PUT', `/services/${OTHER_SERVICE}`, service('contract-a')], 409, {
    ...duplicate,
    fields: { name: 'contract-a' },
  }),
  exchange(
    'PUT by name',
    ['PUT', '/services/contract-b', { id: OTHER_SERVICE, host: 'b.example.com', name: 'ignored' }],
    200,
    { id: OTHER_SERVICE, name: 'contract-b' },
  ),
  exchange('a required field that is missing', ['PUT', `/services/${ABSENT}`, { name: 'x' }], 400, violation, {
    fields: ['host'],
  }),
  exchange(
    'every wrong field is named',
    ['POST', '/services', { host: 'a b', port: 70000, path: 'x', nothing: 1 }],
    400,
    violation,
    { fields: ['host', 'nothing', 'path', 'port'] },
  ),
  exchange(
    'fields that exclude each other',
    ['POST', '/services', service('x', { protocol: 'tcp', path: '/x' })],
    400,
    violation,
    { fields: ['@entity', 'path'] },
  ),
  exchange(
    'a client certificate that does not exist',
    ['PUT', `/services/${SERVICE}`, service('contract-a', { protocol: 'https', client_certificate: { id: ABSENT } })],
    400,
    { code: 4 },
    { fields: ['client_certificate'] },
  ),
  exchange('GET by id', ['GET', `/services/${SERVICE}`], 200, { name: 'contract-a' }),
  exchange('GET by name', ['GET', '/services/contract-a'], 200, { id: SERVICE }),
  exchange('GET of nothing', ['GET', `/services/${ABSENT}`], 404, notFound),
  exchange('PATCH of nothing', ['PATCH', `/services/${ABSENT}`, { port: 1 }], 404, { code: 6 }, { fields: ['id'] }),
  exchange('DELETE of nothing', ['DELETE', `/services/${ABSENT}`], 204),
  exchange('a wrong method', ['POST', `/services/${SERVICE}`, {}], 405, { message: 'Method not allowed' }),
  exchange('an unknown path', ['GET', '/no-such-thing'], 404, notFound),
  exchange('a list as the body', ['POST', '/services', []], 500, { message: 'An unexpected error occurred' }),
];

import { ABSENT, TARGET, UPSTREAM, duplicate, exchange, notFound, violation } from '../exchange.ts';
import type { Exchange } from '../exchange.ts';

export const upstreams: readonly Exchange[] = [
  exchange(
    'an upstream',
    ['PUT', `/upstreams/${UPSTREAM}`, { name: 'contract.shop.svc', hash_on: 'header', hash_on_header: 'x-user' }],
    200,
    {
      algorithm: 'consistent-hashing',
      slots: 10000,
      hash_fallback: 'none',
      hash_on_cookie_path: '/',
      use_srv_name: false,
      healthchecks: {
        threshold: 0,
        active: { timeout: 1, concurrency: 10, healthy: { http_statuses: [200, 302] } },
        passive: { type: 'http' },
      },
    },
  ),
  exchange(
    'part of the health checks',
    ['PATCH', '/upstreams/contract.shop.svc', { healthchecks: { active: { type: 'tcp' } } }],
    200,
    { healthchecks: { active: { type: 'tcp', timeout: 1 }, passive: { type: 'http' } } },
  ),
  exchange('a hash input without its field', ['POST', '/upstreams', { name: 'x', hash_on: 'cookie' }], 400, violation, {
    fields: ['@entity', 'hash_on_cookie'],
  }),
  exchange('an address as the name', ['POST', '/upstreams', { name: '10.0.0.1' }], 400, violation, {
    fields: ['name'],
  }),
  exchange(
    'a target gets the port 8000',
    ['POST', '/upstreams/contract.shop.svc/targets', { id: TARGET, target: '10.0.0.1' }],
    201,
    { id: TARGET, target: '10.0.0.1:8000', weight: 100, upstream: { id: UPSTREAM } },
  ),
  exchange(
    'the same target again',
    ['POST', '/upstreams/contract.shop.svc/targets', { target: '10.0.0.1:8000' }],
    409,
    duplicate,
    { fields: ['target', 'upstream'] },
  ),
  exchange(
    'PUT never creates a target',
    ['PUT', `/upstreams/contract.shop.svc/targets/${ABSENT}`, { target: '10.0.0.2:80' }],
    404,
    notFound,
  ),
  exchange(
    'PUT changes a target and keeps the rest',
    ['PUT', `/upstreams/contract.shop.svc/targets/${TARGET}`, { tags: ['t'] }],
    200,
    { weight: 100, tags: ['t'] },
  ),
  exchange('PUT by address', ['PUT', '/upstreams/contract.shop.svc/targets/10.0.0.1:8000', { weight: 7 }], 200, {
    weight: 7,
    tags: ['t'],
  }),
  exchange('a wrong target', ['POST', '/upstreams/contract.shop.svc/targets', { target: 'a b' }], 400, violation, {
    fields: ['target'],
  }),
  exchange(
    'a wrong weight',
    ['POST', '/upstreams/contract.shop.svc/targets', { target: 'a:1', weight: -1 }],
    400,
    violation,
    { fields: ['weight'] },
  ),
  exchange(
    'DELETE of a target that is gone',
    ['DELETE', `/upstreams/contract.shop.svc/targets/${ABSENT}`],
    404,
    notFound,
  ),
  exchange('there is no list of all targets', ['GET', '/targets'], 404, notFound),
  exchange('deleting an upstream', ['DELETE', `/upstreams/${UPSTREAM}`], 204),
  exchange('takes its targets along', ['GET', '/tags/t'], 200, { data: [] }),
];

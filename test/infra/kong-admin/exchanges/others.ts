import { VAULT, duplicate, exchange, notFound, violation } from '../exchange.ts';
import type { Exchange } from '../exchange.ts';

export const others: readonly Exchange[] = [
  exchange(
    'a vault',
    ['PUT', `/vaults/${VAULT}`, { name: 'env', prefix: 'contract-env', config: { prefix: 'SHOP_' } }],
    200,
    { config: { prefix: 'SHOP_' }, description: null },
  ),
  exchange('a vault by prefix', ['GET', '/vaults/contract-env'], 200, { id: VAULT }),
  exchange(
    'a vault that is not there',
    ['POST', '/vaults', { name: 'nowhere', prefix: 'contract-x' }],
    400,
    violation,
    { fields: ['name'] },
  ),
  exchange('a prefix that is taken', ['POST', '/vaults', { name: 'env', prefix: 'contract-env' }], 409, duplicate, {
    fields: ['prefix'],
  }),
  exchange('a page of size 0', ['GET', '/services?size=0'], 400, { code: 9 }),
  exchange('a page too large', ['GET', '/services?size=1001'], 400, { code: 9 }),
  exchange('an offset of nobody', ['GET', '/services?offset=zzz'], 400, { code: 7 }),
  exchange('no tags to filter by', ['GET', '/services?tags='], 400, { code: 11, options: { tags: 'cannot be null' } }),
  exchange('AND and OR at once', ['GET', '/services?tags=a,b/c'], 400, { code: 11 }),
  exchange('no declarative configuration', ['GET', '/config'], 400),
  exchange('nothing cached', ['GET', '/cache/services:none'], 404, notFound),
  exchange('the node', ['GET', '/'], 200, { edition: 'community', configuration: { database: 'postgres' } }),
  exchange('the database', ['GET', '/status'], 200, { database: { reachable: true } }),
];

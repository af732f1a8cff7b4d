import { CONSUMER, CREDENTIAL, duplicate, exchange, notFound, violation } from '../exchange.ts';
import type { Exchange } from '../exchange.ts';

export const consumers: readonly Exchange[] = [
  exchange(
    'a consumer',
    ['PUT', `/consumers/${CONSUMER}`, { username: 'contract-carol', custom_id: 'contract-1' }],
    200,
    { tags: null },
  ),
  exchange('a consumer without names', ['POST', '/consumers', {}], 400, violation, { fields: ['@entity'] }),
  exchange('a consumer by custom id', ['GET', '/consumers?custom_id=contract-1'], 200, {
    data: [{ id: CONSUMER }],
    next: null,
  }),
  exchange('a custom id of nobody', ['GET', '/consumers?custom_id=contract-2'], 200, { next: null }),
  exchange('a username that is taken', ['POST', '/consumers', { username: 'contract-carol' }], 409, duplicate, {
    fields: ['username'],
  }),
  exchange('a custom id that is taken', ['POST', '/consumers', { custom_id: 'contract-1' }], 409, duplicate, {
    fields: ['custom_id'],
  }),
  exchange('a key', ['PUT', `/consumers/contract-carol/key-auth/${CREDENTIAL}`, { key: 'contract-key' }], 200, {
    id: CREDENTIAL,
    consumer: { id: CONSUMER },
    ttl: null,
  }),
  exchange(
    'a key that is taken',
    ['POST', '/consumers/contract-carol/key-auth', { key: 'contract-key' }],
    409,
    duplicate,
    { fields: ['key'] },
  ),
  exchange('the consumer of a key', ['GET', `/key-auths/${CREDENTIAL}/consumer`], 200, { username: 'contract-carol' }),
  exchange('a made HMAC secret', ['POST', '/consumers/contract-carol/hmac-auth', { username: 'contract-h' }], 201, {
    username: 'contract-h',
  }),
  exchange(
    'RS256 needs a public key',
    ['POST', '/consumers/contract-carol/jwt', { algorithm: 'RS256' }],
    400,
    violation,
    { fields: ['@entity', 'rsa_public_key'] },
  ),
  exchange('a group', ['POST', '/consumers/contract-carol/acls', { group: 'contract-gold' }], 201, {
    group: 'contract-gold',
  }),
  exchange(
    'the same group again',
    ['POST', '/consumers/contract-carol/acls', { group: 'contract-gold' }],
    409,
    duplicate,
    { fields: ['consumer', 'group'] },
  ),
  exchange('a credential of nobody', ['POST', '/consumers/contract-nobody/acls', { group: 'x' }], 404, notFound),
  exchange('there are no consumer groups', ['GET', '/consumer_groups'], 404, notFound),
];

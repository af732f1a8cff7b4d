import { ABSENT, PLUGIN, ROUTE, duplicate, exchange, violation } from '../exchange.ts';
import type { Exchange } from '../exchange.ts';

export const plugins: readonly Exchange[] = [
  exchange(
    'a plugin with the defaults of its configuration',
    ['PUT', `/plugins/${PLUGIN}`, { name: 'rate-limiting', route: { id: ROUTE }, config: { hour: 10 } }],
    200,
    {
      enabled: true,
      protocols: ['grpc', 'grpcs', 'http', 'https'],
      service: null,
      consumer: null,
      instance_name: null,
      config: {
        hour: 10,
        minute: null,
        policy: 'local',
        limit_by: 'consumer',
        redis: { port: 6379 },
        redis_port: 6379,
      },
    },
  ),
  exchange('PATCH merges the configuration', ['PATCH', `/plugins/${PLUGIN}`, { config: { day: 100 } }], 200, {
    config: { hour: 10, day: 100 },
  }),
  exchange(
    'one plugin of a name and scope',
    ['POST', '/plugins', { name: 'rate-limiting', route: { id: ROUTE }, config: { hour: 1 } }],
    409,
    { ...duplicate, fields: { name: 'rate-limiting', route: { id: ROUTE }, service: null, consumer: null } },
  ),
  exchange(
    'an instance name',
    ['POST', `/routes/${ROUTE}/plugins`, { name: 'cors', instance_name: 'contract-cors' }],
    201,
    { route: { id: ROUTE } },
  ),
  exchange(
    'an instance name that is taken',
    ['POST', '/services/contract-a/plugins', { name: 'cors', instance_name: 'contract-cors' }],
    409,
    { ...duplicate, fields: { instance_name: 'contract-cors' } },
  ),
  exchange('an unknown plugin', ['POST', '/plugins', { name: 'no-such-plugin' }], 400, violation, { fields: ['name'] }),
  exchange(
    'a wrong configuration',
    ['POST', '/plugins', { name: 'key-auth', config: { key_names: 'x', more: 1 } }],
    400,
    { ...violation, fields: { config: { key_names: 'expected an array', more: 'unknown field' } } },
  ),
  exchange('a check over the configuration', ['POST', '/plugins', { name: 'acl', config: {} }], 400, violation, {
    fields: ['@entity'],
  }),
  exchange(
    'redis needs a host',
    ['POST', '/plugins', { name: 'rate-limiting', config: { hour: 1, policy: 'redis' } }],
    400,
    violation,
    { fields: ['@entity', 'config'] },
  ),
  exchange(
    'old and new name that differ',
    ['POST', '/plugins', { name: 'rate-limiting', config: { hour: 1, redis_port: 1, redis: { port: 2 } } }],
    400,
    violation,
    { fields: ['config'] },
  ),
  exchange(
    'a message and a body at once',
    ['POST', '/plugins', { name: 'request-termination', config: { message: 'm', body: 'b' } }],
    400,
    violation,
    { fields: ['config'] },
  ),
  exchange(
    'a reference into a vault is taken unread',
    ['POST', '/schemas/plugins/validate', { name: 'http-log', config: { http_endpoint: '{vault://env/url}' } }],
    200,
  ),
  exchange(
    'authentication is not for one consumer',
    ['POST', '/plugins', { name: 'key-auth', consumer: { id: ABSENT } }],
    400,
    violation,
    { fields: ['consumer'] },
  ),
  exchange('validation alone', ['POST', '/schemas/plugins/validate', { name: 'cors', service: { id: ABSENT } }], 200, {
    message: 'schema validation successful',
  }),
  exchange('validation of a wrong route', ['POST', '/schemas/routes/validate', { paths: ['x'] }], 400, violation, {
    fields: ['paths'],
  }),
  exchange('validation of no entity', ['POST', '/schemas/no-such-entity/validate', {}], 404, {
    message: `No entity named 'no-such-entity'`,
  }),
];

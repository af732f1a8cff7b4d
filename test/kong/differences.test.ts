import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { withDefaults } from '../../shared/kong/defaults.ts';
import { differences } from '../../shared/kong/differences.ts';
import type { Body, Entity, EntityType, Json } from '../../shared/kong/entities.ts';
import { parseSchema, pluginSchema } from '../../shared/kong/schema.ts';
import type { Schema } from '../../shared/kong/schema.ts';
import { normalTarget } from '../../shared/kong/target.ts';

/** Every rule of Kong's schemas that matters here, in the form of `GET /schemas/…`. */
const CONFIG = {
  type: 'record',
  required: true,
  fields: [
    { minute: { type: 'number' } },
    { policy: { type: 'string', default: 'local' } },
    { sync: { type: 'boolean', default: true, required: true } },
    { names: { type: 'array', elements: { type: 'string' }, default: ['a', 'b'] } },
    { methods: { type: 'set', elements: { type: 'string' } } },
    {
      rules: {
        type: 'array',
        elements: { type: 'record', fields: [{ n: { type: 'integer', default: 1 } }, { to: { type: 'string' } }] },
      },
    },
    { labels: { type: 'map', keys: { type: 'string' }, values: { type: 'set', elements: { type: 'string' } } } },
    {
      redis: {
        type: 'record',
        required: true,
        fields: [{ host: { type: 'string' } }, { port: { type: 'integer', default: 6379 } }],
      },
    },
    { tls: { type: 'record', fields: [{ verify: { type: 'boolean', default: false } }] } },
    { traces_endpoint: { type: 'string' } },
  ],
  shorthand_fields: [
    { redis_host: { type: 'string', deprecation: { replaced_with: [{ path: ['redis', 'host'] }] } } },
    { redis_port: { type: 'integer', deprecation: { replaced_with: [{ path: ['redis', 'port'] }] } } },
    { endpoint: { type: 'string', deprecation: { message: 'use another one' } } },
  ],
};
const PLUGIN = {
  fields: [
    { id: { type: 'string', auto: true } },
    { created_at: { type: 'integer', auto: true } },
    { name: { type: 'string', required: true } },
    { config: { type: 'record', abstract: true } },
    { protocols: { type: 'set', default: ['grpc', 'http'], required: true, elements: { type: 'string' } } },
    { enabled: { type: 'boolean', default: true, required: true } },
    { route: { type: 'foreign', default: null, reference: 'routes' } },
    { tags: { type: 'set', elements: { type: 'string' } } },
  ],
};
const schema = pluginSchema(
  parseSchema(PLUGIN),
  parseSchema({
    fields: [
      { protocols: { type: 'set', required: true, default: ['http', 'https'], elements: { type: 'string' } } },
      { config: CONFIG },
    ],
  }),
);

const STORED: Body = {
  id: 'x',
  created_at: 1,
  updated_at: 2,
  name: 'p',
  protocols: ['http', 'https'],
  enabled: true,
  route: { id: 'r' },
  tags: ['a', 'b'],
  instance_name: null,
  config: {
    minute: 5,
    policy: 'local',
    sync: true,
    names: ['a', 'b'],
    methods: ['GET', 'PUT'],
    rules: [{ n: 1, to: 'x' }],
    labels: { l: ['1', '2'] },
    redis: { host: 'h', port: 6379 },
    redis_host: 'h',
    redis_port: 6379,
    tls: null,
    endpoint: 'e',
    traces_endpoint: 'e',
  },
};
const ASKED: Body = {
  minute: 5,
  methods: ['GET', 'PUT'],
  rules: [{ to: 'x' }],
  labels: { l: ['1', '2'] },
  redis: { host: 'h' },
  traces_endpoint: 'e',
};

function entity(type: EntityType, body: Body, tags: readonly string[] = []): Entity {
  return { type, id: 'x', body, tags };
}

function plugin(config: Body, more: Body = {}): Entity {
  return entity('plugins', { name: 'p', route: { id: 'r' }, config, ...more }, ['b', 'a']);
}

const cases: readonly (readonly [title: string, wanted: Entity, fields: readonly string[]])[] = [
  ['defaults are filled in at every level', plugin(ASKED), []],
  ['the order of a set does not matter', plugin({ ...ASKED, methods: ['PUT', 'GET', 'GET'] }), []],
  ['the order of an array does', plugin({ ...ASKED, names: ['b', 'a'] }), ['config.names']],
  ['a set inside a map', plugin({ ...ASKED, labels: { l: ['2', '1'] } }), []],
  ['a key more in a map', plugin({ ...ASKED, labels: { l: ['1', '2'], m: [] } }), ['config.labels']],
  ['a default inside a list of records', plugin({ ...ASKED, rules: [{ to: 'x', n: 2 }] }), ['config.rules']],
  ['a deprecated field under its new name', plugin({ ...ASKED, redis: {}, redis_host: 'h' }), []],
  ['a deprecated field with another value', plugin({ ...ASKED, redis: {}, redis_host: 'i' }), ['config.redis.host']],
  ['a deprecated field that Kong computes', plugin({ ...ASKED, traces_endpoint: null, endpoint: 'e' }), []],
  ['null is the same as absent', plugin({ ...ASKED, tls: null }), []],
  ['null of a required field is its default', plugin({ ...ASKED, sync: null }), []],
  ['null of another field is null', plugin({ ...ASKED, policy: null }), ['config.policy']],
  ['a record that is not there in Kong', plugin({ ...ASKED, tls: {} }), ['config.tls']],
  ['a field that Kong does not know', plugin({ ...ASKED, bogus: 1 }), ['config.bogus']],
  ['another reference', plugin(ASKED, { route: { id: 'other' } }), ['route']],
  ['a reference that is gone', entity('plugins', { name: 'p', config: ASKED }, ['a', 'b']), ['route']],
  ['other tags', { ...plugin(ASKED), tags: ['a'] }, ['tags']],
];

for (const [title, wanted, fields] of cases) {
  test(`plugin: ${title}`, () => {
    assert.deepEqual(differences(wanted, STORED, schema), fields);
  });
}

const NONE: Schema = parseSchema({});
const upstreams = parseSchema({
  fields: [
    { name: { type: 'string' } },
    { algorithm: { type: 'string', default: 'round-robin' } },
    { hash_on: { type: 'string', default: 'none' } },
  ],
});
const routes = parseSchema({
  fields: [
    { protocols: { type: 'set', default: ['http', 'https'], elements: { type: 'string' } } },
    { strip_path: { type: 'boolean', default: true, required: true } },
    { paths: { type: 'array', elements: { type: 'string' } } },
    { headers: { type: 'map', keys: { type: 'string' }, values: { type: 'array', elements: { type: 'string' } } } },
  ],
});
const jwt = parseSchema({
  fields: [{ key: { type: 'string', auto: true } }, { secret: { type: 'string', auto: true } }],
});

const CONSUMER = { consumer: { id: '9c5eac83-4167-54ed-b7ee-2a95c8392da2' } };

const special: readonly (readonly [
  title: string,
  type: EntityType,
  wanted: Body,
  stored: Body,
  Schema,
  readonly string[],
])[] = [
  [
    'hashing on something is consistent hashing',
    'upstreams',
    { algorithm: 'round-robin', hash_on: 'ip' },
    { algorithm: 'consistent-hashing', hash_on: 'ip' },
    upstreams,
    [],
  ],
  [
    'least connections with no hash_on in Kong',
    'upstreams',
    { algorithm: 'least-connections' },
    { algorithm: 'least-connections', hash_on: null },
    upstreams,
    [],
  ],
  [
    'another algorithm',
    'upstreams',
    { algorithm: 'latency' },
    { algorithm: 'round-robin', hash_on: 'none' },
    upstreams,
    ['algorithm'],
  ],
  [
    'a gRPC route does not strip its path',
    'routes',
    { protocols: ['grpc'] },
    { protocols: ['grpc'], strip_path: false },
    routes,
    [],
  ],
  ['an HTTP route does', 'routes', {}, { protocols: ['https', 'http'], strip_path: false }, routes, ['strip_path']],
  [
    'an empty list is not null',
    'routes',
    { paths: [] },
    { protocols: ['http', 'https'], strip_path: true, paths: null },
    routes,
    ['paths'],
  ],
  [
    'Lua shows an empty map as a list',
    'routes',
    { headers: {} },
    { protocols: ['http', 'https'], strip_path: true, headers: [] },
    routes,
    [],
  ],
  [
    'a field that somebody added',
    'routes',
    {},
    { protocols: ['http', 'https'], strip_path: true, paths: ['/x'] },
    routes,
    ['paths'],
  ],
  ['a generated secret that nobody asked for', 'jwt_secrets', { key: 'k' }, { key: 'k', secret: 'made-up' }, jwt, []],
  [
    'another secret than asked for',
    'jwt_secrets',
    { key: 'k', secret: 's' },
    { key: 'k', secret: 'made-up' },
    jwt,
    ['secret'],
  ],
  [
    'SNIs belong to another type',
    'certificates',
    { cert: 'c\n', key: 'k' },
    { cert: 'c', key: 'k\n', snis: ['a'] },
    NONE,
    [],
  ],
  ['Kong’s digest of a CA certificate', 'ca_certificates', { cert: 'c' }, { cert: 'c', cert_digest: 'd' }, NONE, []],
  [
    'an IPv6 target as Kong writes it',
    'targets',
    { target: '[fd00::1]:80' },
    { target: '[fd00:0000:0000:0000:0000:0000:0000:0001]:80' },
    NONE,
    [],
  ],
  [
    'the same password, hashed',
    'basicauth_credentials',
    { ...CONSUMER, password: 'pw' },
    { ...CONSUMER, password: '59d3855428cbaf0c3256f23b9ab665e2c2a72775' },
    NONE,
    [],
  ],
  [
    'another password',
    'basicauth_credentials',
    { ...CONSUMER, password: 'pw2' },
    { ...CONSUMER, password: '59d3855428cbaf0c3256f23b9ab665e2c2a72775' },
    NONE,
    ['password'],
  ],
  [
    'a hash that cannot be compared',
    'basicauth_credentials',
    { ...CONSUMER, password: 'pw' },
    { ...CONSUMER, password: '$argon2id$…' },
    NONE,
    [],
  ],
  [
    'a hashed client secret',
    'oauth2_credentials',
    { hash_secret: true, client_secret: 's' },
    { hash_secret: true, client_secret: '$pbkdf2…' },
    NONE,
    [],
  ],
  [
    'a plain client secret',
    'oauth2_credentials',
    { client_secret: 's' },
    { client_secret: 't' },
    NONE,
    ['client_secret'],
  ],
];

for (const [title, type, wanted, stored, of, fields] of special) {
  test(`${type}: ${title}`, () => {
    assert.deepEqual(differences(entity(type, wanted), { ...stored, tags: [] }, of), fields);
  });
}

test('a vault’s configuration counts as far as it is asked for', () => {
  const vaults = parseSchema({
    fields: [{ name: { type: 'string' } }, { config: { type: 'record', abstract: true } }],
  });
  const stored = { name: 'env', config: { prefix: 'K_', base64_decode: null }, tags: [] };
  assert.deepEqual(differences(entity('vaults', { name: 'env', config: { prefix: 'K_' } }), stored, vaults), []);
  assert.deepEqual(differences(entity('vaults', { name: 'env' }), stored, vaults), []);
  assert.deepEqual(differences(entity('vaults', { name: 'env', config: { prefix: 'X_' } }), stored, vaults), [
    'config',
  ]);
});

test('without a schema only what is asked for counts', () => {
  const wanted = entity('plugins', { name: 'p', config: { redis: { host: 'h' } } }, ['a', 'b']);
  assert.deepEqual(differences(wanted, STORED, undefined), []);
  assert.deepEqual(differences(plugin({ redis: { host: 'i' } }), STORED, undefined), ['config', 'tags']);
});

const values: fc.Arbitrary<Json> = fc.oneof(
  fc.string({ maxLength: 3 }),
  fc.integer({ min: 0, max: 9 }),
  fc.boolean(),
  fc.constant(null),
);
const configs = fc
  .record(
    {
      minute: values,
      policy: values,
      names: fc.array(fc.string({ maxLength: 2 })),
      methods: fc.array(fc.string({ maxLength: 2 })),
      redis: fc.record({ host: values }, { requiredKeys: [] }),
      tls: fc.record({}),
      redis_host: values,
    },
    { requiredKeys: [] },
  )
  .map((config): Body => config);

test('filling defaults again changes nothing, and what was filled in is equal to what was asked', () => {
  fc.assert(
    fc.property(configs, (config) => {
      const wanted = plugin(config);
      const stored = withDefaults(schema, { ...wanted.body, tags: wanted.tags });
      assert.deepEqual(withDefaults(schema, stored), stored);
      assert.deepEqual(differences(wanted, stored, schema), []);
    }),
    { numRuns: 500 },
  );
});

const targets = [
  ['10.0.0.1:80', '10.0.0.1:80'],
  ['10.0.0.1', '10.0.0.1:8000'],
  ['echo.default.svc', 'echo.default.svc:8000'],
  ['[::1]:80', '[0000:0000:0000:0000:0000:0000:0000:0001]:80'],
  ['::', '[0000:0000:0000:0000:0000:0000:0000:0000]:8000'],
  ['[FD00:1::A]', '[fd00:0001:0000:0000:0000:0000:0000:000a]:8000'],
  ['[1:2:3:4:5:6:7:8]:1', '[0001:0002:0003:0004:0005:0006:0007:0008]:1'],
  ['[::ffff:10.0.0.1]:80', '[0000:0000:0000:0000:0000:ffff:0a00:0001]:80'],
] as const;

for (const [given, stored] of targets) {
  test(`target ${given} is stored as ${stored}`, () => {
    assert.equal(normalTarget(given), stored);
    assert.equal(normalTarget(stored), stored);
  });
}

const STREAM_ROUTES = parseSchema({
  fields: [
    {
      destinations: {
        type: 'set',
        elements: { type: 'record', fields: [{ ip: { type: 'string' } }, { port: { type: 'integer' } }] },
      },
    },
  ],
});

test('records of a set are equal whether empty fields are shown or not', () => {
  const wanted = { type: 'routes', id: 'r', body: { destinations: [{ port: 1 }, { port: 2 }] }, tags: [] } as const;
  for (const [second, found] of [
    [2, []],
    [3, ['destinations']],
  ] as const) {
    const destinations = [second, 1].map((port) => ({ ip: null, port }));
    assert.deepEqual(differences(wanted, { destinations, tags: [] }, STREAM_ROUTES), found);
  }
});

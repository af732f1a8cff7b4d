import {
  CREATED,
  entityTable,
  NOW_MILLISECONDS,
  PLAIN_TIMES,
  reference,
  scoped,
  table,
  taggedTable,
  TIMES,
} from './table.ts';
import type { Columns, Table } from './table.ts';

/** Kong 3.9's tables of proxy configuration, parents before what refers to them. */

const certificates = entityTable('certificates', {
  ...TIMES,
  cert: 'text',
  key: 'text',
  cert_alt: 'text',
  key_alt: 'text',
});

// No workspace and no index on the tags: CA certificates are shared by all workspaces.
const caCertificates = table(
  'ca_certificates',
  { id: 'uuid', ...TIMES, cert: 'text NOT NULL', tags: 'text[]', cert_digest: 'text NOT NULL' },
  { unique: [['cert_digest']], syncTags: true },
);

const snis = entityTable(
  'snis',
  { ...TIMES, name: 'text NOT NULL', certificate_id: 'uuid' },
  { unique: [['name']], foreignKeys: [scoped('certificate_id', 'certificates')], indexes: ['certificate_id'] },
);

const services = entityTable(
  'services',
  {
    ...PLAIN_TIMES,
    name: 'text',
    retries: 'bigint',
    protocol: 'text',
    host: 'text',
    port: 'bigint',
    path: 'text',
    connect_timeout: 'bigint',
    write_timeout: 'bigint',
    read_timeout: 'bigint',
    client_certificate_id: 'uuid',
    tls_verify: 'boolean',
    tls_verify_depth: 'smallint',
    ca_certificates: 'uuid[]',
    enabled: 'boolean DEFAULT true',
  },
  {
    unique: [['ws_id', 'name']],
    foreignKeys: [scoped('client_certificate_id', 'certificates')],
    indexes: ['client_certificate_id'],
  },
);

const routes = entityTable(
  'routes',
  {
    ...PLAIN_TIMES,
    name: 'text',
    service_id: 'uuid',
    protocols: 'text[]',
    methods: 'text[]',
    hosts: 'text[]',
    paths: 'text[]',
    snis: 'text[]',
    sources: 'jsonb[]',
    destinations: 'jsonb[]',
    regex_priority: 'bigint',
    strip_path: 'boolean',
    preserve_host: 'boolean',
    https_redirect_status_code: 'integer',
    headers: 'jsonb',
    path_handling: `text DEFAULT 'v0'`,
    request_buffering: 'boolean',
    response_buffering: 'boolean',
    expression: 'text',
    priority: 'bigint',
  },
  { unique: [['ws_id', 'name']], foreignKeys: [scoped('service_id', 'services')], indexes: ['service_id'] },
);

const upstreams = entityTable(
  'upstreams',
  {
    ...TIMES,
    created_at: NOW_MILLISECONDS,
    name: 'text',
    algorithm: 'text',
    hash_on: 'text',
    hash_fallback: 'text',
    hash_on_header: 'text',
    hash_fallback_header: 'text',
    hash_on_cookie: 'text',
    hash_on_cookie_path: 'text',
    hash_on_query_arg: 'text',
    hash_fallback_query_arg: 'text',
    hash_on_uri_capture: 'text',
    hash_fallback_uri_capture: 'text',
    slots: 'integer NOT NULL',
    healthchecks: 'jsonb',
    host_header: 'text',
    client_certificate_id: 'uuid',
    use_srv_name: 'boolean DEFAULT false',
  },
  {
    unique: [['ws_id', 'name']],
    foreignKeys: [reference('client_certificate_id', 'certificates')],
    indexes: ['client_certificate_id'],
  },
);

const targets = entityTable(
  'targets',
  {
    created_at: NOW_MILLISECONDS,
    updated_at: NOW_MILLISECONDS,
    upstream_id: 'uuid',
    target: 'text NOT NULL',
    weight: 'integer NOT NULL',
    cache_key: 'text',
  },
  {
    unique: [['cache_key']],
    foreignKeys: [scoped('upstream_id', 'upstreams', 'cascade')],
    indexes: ['target', 'upstream_id'],
  },
);

const consumers = entityTable(
  'consumers',
  { ...TIMES, username: 'text', custom_id: 'text' },
  {
    unique: [
      ['ws_id', 'username'],
      ['ws_id', 'custom_id'],
    ],
    indexes: ['lower(username)'],
  },
);

const plugins = entityTable(
  'plugins',
  {
    ...TIMES,
    name: 'text NOT NULL',
    consumer_id: 'uuid',
    service_id: 'uuid',
    route_id: 'uuid',
    config: 'jsonb NOT NULL',
    enabled: 'boolean NOT NULL',
    cache_key: 'text',
    protocols: 'text[]',
    instance_name: 'text',
  },
  {
    unique: [['cache_key'], ['ws_id', 'instance_name']],
    foreignKeys: [
      scoped('consumer_id', 'consumers', 'cascade'),
      scoped('service_id', 'services', 'cascade'),
      scoped('route_id', 'routes', 'cascade'),
    ],
    indexes: ['name', 'consumer_id', 'service_id', 'route_id'],
  },
);

function credential(name: string, columns: Columns, unique: readonly string[], indexes: readonly string[] = []): Table {
  return entityTable(
    name,
    { ...CREATED, consumer_id: 'uuid', ...columns },
    {
      unique: [unique],
      foreignKeys: [scoped('consumer_id', 'consumers', 'cascade')],
      indexes: ['consumer_id', ...indexes],
      ...(columns['ttl'] === undefined ? {} : { expiry: 'ttl' }),
    },
  );
}

const credentials = [
  credential('acls', { '"group"': 'text', cache_key: 'text' }, ['cache_key'], ['"group"']),
  credential('basicauth_credentials', { username: 'text', password: 'text' }, ['ws_id', 'username']),
  credential('hmacauth_credentials', { username: 'text', secret: 'text' }, ['ws_id', 'username']),
  credential('keyauth_credentials', { key: 'text', ttl: 'timestamptz' }, ['ws_id', 'key'], ['ttl']),
  credential(
    'jwt_secrets',
    { key: 'text', secret: 'text', algorithm: 'text', rsa_public_key: 'text' },
    ['ws_id', 'key'],
    ['secret'],
  ),
  credential(
    'oauth2_credentials',
    {
      name: 'text',
      client_id: 'text',
      client_secret: 'text',
      redirect_uris: 'text[]',
      client_type: 'text',
      hash_secret: 'boolean',
    },
    ['ws_id', 'client_id'],
    ['client_secret'],
  ),
];

const vaults = entityTable(
  'sm_vaults',
  {
    ...CREATED,
    updated_at: 'timestamptz',
    prefix: 'text',
    name: 'text NOT NULL',
    description: 'text',
    config: 'jsonb NOT NULL',
  },
  { unique: [['prefix'], ['prefix', 'ws_id']] },
);

const keySets = taggedTable('key_sets', { ...PLAIN_TIMES, name: 'text' }, { unique: [['name']] });

const keys = taggedTable(
  'keys',
  { ...PLAIN_TIMES, set_id: 'uuid', name: 'text', cache_key: 'text', kid: 'text', jwk: 'text', pem: 'jsonb' },
  {
    unique: [['name'], ['cache_key'], ['kid', 'set_id']],
    foreignKeys: [reference('set_id', 'key_sets', 'cascade')],
    indexes: ['set_id'],
  },
);

const filterChains = taggedTable(
  'filter_chains',
  {
    ...PLAIN_TIMES,
    name: 'text',
    enabled: 'boolean DEFAULT true',
    route_id: 'uuid',
    service_id: 'uuid',
    cache_key: 'text',
    filters: 'jsonb[]',
  },
  {
    unique: [['name'], ['cache_key']],
    foreignKeys: [reference('route_id', 'routes', 'cascade'), reference('service_id', 'services', 'cascade')],
  },
);

export const ENTITY_TABLES: readonly Table[] = [
  certificates,
  caCertificates,
  snis,
  services,
  routes,
  upstreams,
  targets,
  consumers,
  plugins,
  ...credentials,
  vaults,
  keySets,
  keys,
  filterChains,
];

/** Kong's entity types as the Admin API and the declarative format spell them, in one table with what the writer must know. */

export type Json = string | number | boolean | null | readonly Json[] | { readonly [field: string]: Json };

/** An entity's fields as the Admin API takes them, without `id` and `tags`; references are `{ id }`. */
export type Body = { readonly [field: string]: Json };

export type EntityType =
  | 'certificates'
  | 'ca_certificates'
  | 'consumers'
  | 'vaults'
  | 'upstreams'
  | 'services'
  | 'snis'
  | 'targets'
  | 'acls'
  | 'basicauth_credentials'
  | 'hmacauth_credentials'
  | 'jwt_secrets'
  | 'keyauth_credentials'
  | 'oauth2_credentials'
  | 'routes'
  | 'plugins'
  | OptionalEntityType;

/** Types that only some Kongs have: Enterprise's, and those of plugins. */
export type OptionalEntityType =
  | 'consumer_groups'
  | 'consumer_group_consumers'
  | 'mtls_auth_credentials'
  | 'licenses'
  | 'key_sets'
  | 'keys'
  | 'filter_chains'
  | 'degraphql_routes'
  | 'graphql_ratelimiting_advanced_cost_decoration';

/** An entity with every reference resolved to an id, as Kong stores it. `tags` includes the filter tags. */
export interface Entity {
  readonly type: EntityType;
  readonly id: string;
  readonly body: Body;
  readonly tags: readonly string[];
}

export interface EntityInfo {
  /** SQL table (kong-tables: `vaults` is `sm_vaults`). */
  readonly table: string;
  /** Written in ascending level, deleted in descending level (DB §4.2: parents first; the route, which makes a change live, late). */
  readonly level: number;
  /** Body field → the type it refers to. */
  readonly references: Readonly<Record<string, EntityType>>;
  /** Fields that Kong holds unique together, as SQL columns. */
  readonly unique: readonly (readonly string[])[];
  /** The table is not in every Kong's database (Enterprise, or a plugin's own). */
  readonly optional?: true;
}

const credential = (table: string, ...columns: string[]): EntityInfo => ({
  table,
  level: 1,
  references: { consumer: 'consumers' },
  unique: [columns],
});

export const ENTITIES: { readonly [T in EntityType]: EntityInfo } = {
  certificates: { table: 'certificates', level: 0, references: {}, unique: [] },
  ca_certificates: { table: 'ca_certificates', level: 0, references: {}, unique: [['cert_digest']] },
  consumers: { table: 'consumers', level: 0, references: {}, unique: [['username'], ['custom_id']] },
  vaults: { table: 'sm_vaults', level: 0, references: {}, unique: [['prefix']] },
  upstreams: {
    table: 'upstreams',
    level: 0,
    references: { client_certificate: 'certificates' },
    unique: [['name']],
  },
  services: { table: 'services', level: 1, references: { client_certificate: 'certificates' }, unique: [['name']] },
  snis: { table: 'snis', level: 1, references: { certificate: 'certificates' }, unique: [['name']] },
  targets: { table: 'targets', level: 1, references: { upstream: 'upstreams' }, unique: [['upstream_id', 'target']] },
  acls: credential('acls', 'consumer_id', 'group'),
  basicauth_credentials: credential('basicauth_credentials', 'username'),
  hmacauth_credentials: credential('hmacauth_credentials', 'username'),
  jwt_secrets: credential('jwt_secrets', 'key'),
  keyauth_credentials: credential('keyauth_credentials', 'key'),
  oauth2_credentials: credential('oauth2_credentials', 'client_id'),
  routes: { table: 'routes', level: 2, references: { service: 'services' }, unique: [['name']] },
  plugins: {
    table: 'plugins',
    level: 3,
    references: { service: 'services', route: 'routes', consumer: 'consumers' },
    unique: [['name', 'route_id', 'service_id', 'consumer_id'], ['instance_name']],
  },
  consumer_groups: { table: 'consumer_groups', level: 0, references: {}, unique: [['name']], optional: true },
  consumer_group_consumers: {
    table: 'consumer_group_consumers',
    level: 1,
    references: { consumer: 'consumers', consumer_group: 'consumer_groups' },
    unique: [['consumer_id', 'consumer_group_id']],
    optional: true,
  },
  mtls_auth_credentials: { ...credential('mtls_auth_credentials', 'cache_key'), optional: true },
  licenses: { table: 'licenses', level: 0, references: {}, unique: [], optional: true },
  key_sets: { table: 'key_sets', level: 0, references: {}, unique: [['name']], optional: true },
  keys: { table: 'keys', level: 1, references: { set: 'key_sets' }, unique: [['name']], optional: true },
  filter_chains: {
    table: 'filter_chains',
    level: 3,
    references: { service: 'services', route: 'routes' },
    unique: [['name']],
    optional: true,
  },
  degraphql_routes: {
    table: 'degraphql_routes',
    level: 3,
    references: { service: 'services' },
    unique: [],
    optional: true,
  },
  graphql_ratelimiting_advanced_cost_decoration: {
    table: 'graphql_ratelimiting_advanced_cost_decoration',
    level: 3,
    references: { service: 'services' },
    unique: [],
    optional: true,
  },
};

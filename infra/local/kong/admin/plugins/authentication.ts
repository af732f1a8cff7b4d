import { arrayOf, boolean, flag, headerName, number, oneOf, setOf, string, strings } from '../schema/typedefs.ts';
import { anonymous, plugin, understood } from './plugin.ts';
import type { PluginSchema } from './plugin.ts';

const realm = string({ required: false });
const HMAC = ['hmac-sha1', 'hmac-sha256', 'hmac-sha384', 'hmac-sha512'];
const SESSION_HEADERS = [
  'id',
  'audience',
  'subject',
  'timeout',
  'idling-timeout',
  'rolling-timeout',
  'absolute-timeout',
];

const keyAuth = plugin(
  { priority: 1250, noConsumer: true },
  {
    key_names: arrayOf(headerName, { default: ['apikey'], required: true }),
    hide_credentials: flag(false),
    anonymous,
    key_in_header: flag(true),
    key_in_query: flag(true),
    key_in_body: flag(false),
    run_on_preflight: flag(true),
    realm,
  },
);

const basicAuth = plugin(
  { priority: 1100, noConsumer: true },
  { anonymous, hide_credentials: flag(false), realm: string({ default: 'service', required: true }) },
);

const hmacAuth = plugin(
  { priority: 1030, noConsumer: true },
  {
    hide_credentials: flag(false),
    clock_skew: number({ default: 300, gt: 0 }),
    anonymous,
    validate_request_body: flag(false),
    enforce_headers: strings({ default: [] }),
    algorithms: arrayOf(oneOf(HMAC), { default: HMAC }),
    realm,
  },
);

const jwt = plugin(
  {
    priority: 1450,
    noConsumer: true,
    checks: [
      {
        conditional: {
          if_field: 'config.maximum_expiration',
          if_match: { gt: 0 },
          then_field: 'config.claims_to_verify',
          then_match: { contains: 'exp' },
        },
      },
    ],
  },
  {
    uri_param_names: setOf(string(), { default: ['jwt'] }),
    cookie_names: setOf(string(), { default: [] }),
    key_claim_name: string({ default: 'iss' }),
    secret_is_base64: flag(false),
    claims_to_verify: setOf(oneOf(['exp', 'nbf'])),
    anonymous,
    run_on_preflight: flag(true),
    maximum_expiration: number({ default: 0, between: [0, 31536000] }),
    header_names: setOf(string(), { default: ['authorization'] }),
    realm,
  },
);

const acl = plugin(
  {
    priority: 950,
    noConsumer: true,
    checks: [{ only_one_of: ['config.allow', 'config.deny'] }, { at_least_one_of: ['config.allow', 'config.deny'] }],
  },
  { allow: strings(), deny: strings(), hide_groups_header: flag(false), always_use_authenticated_groups: flag(false) },
);

const oauth2 = plugin(
  {
    priority: 1400,
    noConsumer: true,
    configChecks: [
      {
        conditional: {
          if_field: 'mandatory_scope',
          if_match: { eq: true },
          then_field: 'scopes',
          then_match: { required: true },
        },
      },
    ],
  },
  {
    scopes: strings(),
    mandatory_scope: flag(false),
    provision_key: string({ unique: true, auto: true, required: true, encrypted: true }),
    token_expiration: number({ default: 7200, required: true }),
    enable_authorization_code: flag(false),
    enable_implicit_grant: flag(false),
    enable_client_credentials: flag(false),
    enable_password_grant: flag(false),
    hide_credentials: flag(false),
    accept_http_if_already_terminated: flag(false),
    anonymous,
    global_credentials: flag(false),
    auth_header_name: string({ default: 'authorization' }),
    refresh_token_ttl: number({ required: true, default: 1209600, between: [0, 100000000] }),
    reuse_refresh_token: flag(false),
    pkce: oneOf(['none', 'lax', 'strict'], { default: 'lax', required: false }),
    realm,
  },
);

const ldapAuth = plugin(
  {
    priority: 1200,
    noConsumer: true,
    configChecks: [
      {
        conditional: {
          if_field: 'ldaps',
          if_match: { eq: true },
          then_field: 'start_tls',
          then_match: { eq: false },
          then_err: `'ldaps' and 'start_tls' cannot be enabled simultaneously`,
        },
      },
    ],
  },
  {
    ldap_host: string({ required: true }),
    ldap_port: { type: 'integer', required: true, default: 389, between: [0, 65535] },
    ldaps: flag(false),
    start_tls: flag(false),
    verify_ldap_host: flag(false),
    base_dn: string({ required: true }),
    attribute: string({ required: true }),
    cache_ttl: number({ default: 60, required: true }),
    hide_credentials: flag(false),
    timeout: number({ default: 10000 }),
    keepalive: number({ default: 60000 }),
    anonymous,
    header_type: string({ default: 'ldap' }),
    realm,
  },
);

/** Kong makes a new session secret at each start and shows it as the default. */
function session(secret: string): PluginSchema {
  return plugin(
    {
      priority: 1900,
      noConsumer: true,
      protocols: 'any',
      shorthands: {
        cookie_lifetime: understood(number(), 'rolling_timeout'),
        cookie_idletime: understood(number(), 'idling_timeout'),
        cookie_renew: { field: number(), expand: () => ({}) },
        cookie_discard: understood(number(), 'stale_ttl'),
        cookie_samesite: understood(string(), 'cookie_same_site'),
        cookie_httponly: understood(boolean(), 'cookie_http_only'),
        cookie_persistent: understood(boolean(), 'remember'),
      },
    },
    {
      secret: string({ default: secret, required: false, encrypted: true, referenceable: true }),
      storage: oneOf(['cookie', 'kong'], { default: 'cookie' }),
      audience: string({ default: 'default' }),
      idling_timeout: number({ default: 900 }),
      rolling_timeout: number({ default: 3600 }),
      absolute_timeout: number({ default: 86400 }),
      stale_ttl: number({ default: 10 }),
      cookie_name: string({ default: 'session' }),
      cookie_path: string({ default: '/' }),
      cookie_domain: string(),
      cookie_same_site: oneOf(['Strict', 'Lax', 'None', 'Default'], { default: 'Strict' }),
      cookie_http_only: boolean({ default: true }),
      cookie_secure: boolean({ default: true }),
      remember: boolean({ default: false }),
      remember_cookie_name: string({ default: 'remember' }),
      remember_rolling_timeout: number({ default: 604800 }),
      remember_absolute_timeout: number({ default: 2592000 }),
      response_headers: setOf(oneOf(SESSION_HEADERS)),
      request_headers: setOf(oneOf(SESSION_HEADERS)),
      read_body_for_logout: boolean({ default: false }),
      logout_methods: setOf(oneOf(['GET', 'POST', 'DELETE']), { default: ['POST', 'DELETE'] }),
      logout_query_arg: string({ default: 'session_logout' }),
      logout_post_arg: string({ default: 'session_logout' }),
    },
  );
}

export function authenticationPlugins(sessionSecret: string): Readonly<Record<string, PluginSchema>> {
  return {
    jwt,
    acl,
    oauth2,
    'key-auth': keyAuth,
    'hmac-auth': hmacAuth,
    'basic-auth': basicAuth,
    'ldap-auth': ldapAuth,
    session: session(sessionSecret),
  };
}

import { isIP } from 'node:net';
import { at, text } from '../json.ts';
import {
  arrayOf,
  boolean,
  flag,
  headerName,
  integer,
  mapOf,
  number,
  oneOf,
  path,
  port,
  record,
  string,
  strings,
  timeout,
} from '../schema/typedefs.ts';
import type { Field, Fields, Shorthands } from '../schema/types.ts';
import { isRegex } from '../schema/validators.ts';
import { plugin, redisNeeds, renamed } from './plugin.ts';
import type { PluginSchema } from './plugin.ts';

const WINDOWS = ['second', 'minute', 'hour', 'day', 'month', 'year'];
const limit = number({ gt: 0 });
const windows: Fields = Object.fromEntries(WINDOWS.map((window) => [window, limit]));

const redis: Field = record(
  {
    host: string(),
    port: port({ default: 6379 }),
    timeout: timeout({ default: 2000 }),
    username: string({ referenceable: true }),
    password: string({ encrypted: true, len_min: 0, referenceable: true }),
    database: integer({ default: 0 }),
    ssl: boolean({ default: false, required: false }),
    ssl_verify: boolean({ default: false, required: false }),
    server_name: string({ required: false }),
  },
  { required: true },
);

const redisShorthands: Shorthands = {
  redis_host: renamed(string(), 'redis', 'host'),
  redis_port: renamed(integer(), 'redis', 'port'),
  redis_password: renamed(string({ len_min: 0 }), 'redis', 'password'),
  redis_username: renamed(string(), 'redis', 'username'),
  redis_ssl: renamed(boolean(), 'redis', 'ssl'),
  redis_ssl_verify: renamed(boolean(), 'redis', 'ssl_verify'),
  redis_server_name: renamed(string(), 'redis', 'server_name'),
  redis_timeout: renamed(integer(), 'redis', 'timeout'),
  redis_database: renamed(integer(), 'redis', 'database'),
};

const limitNeeds = (by: string, field: string) => ({
  conditional: {
    if_field: 'config.limit_by',
    if_match: { eq: by },
    then_field: field,
    then_match: { required: true },
  },
});

const rateLimiting = plugin(
  {
    priority: 910,
    checks: [
      { at_least_one_of: WINDOWS.map((window) => `config.${window}`) },
      ...redisNeeds,
      limitNeeds('header', 'config.header_name'),
      limitNeeds('path', 'config.path'),
    ],
    shorthands: redisShorthands,
  },
  {
    ...windows,
    limit_by: oneOf(['consumer', 'credential', 'ip', 'service', 'header', 'path'], { default: 'consumer' }),
    header_name: headerName,
    path: path(),
    policy: oneOf(['local', 'cluster', 'redis'], { default: 'local', len_min: 0 }),
    fault_tolerant: flag(true),
    redis,
    hide_client_headers: flag(false),
    error_code: number({ default: 429, gt: 0 }),
    error_message: string({ default: 'API rate limit exceeded' }),
    sync_rate: number({ default: -1, required: true }),
  },
);

const responseRatelimiting = plugin(
  { priority: 900, checks: redisNeeds, shorthands: redisShorthands },
  {
    header_name: string({ default: 'x-kong-limit' }),
    limit_by: oneOf(['consumer', 'credential', 'ip'], { default: 'consumer' }),
    policy: oneOf(['local', 'cluster', 'redis'], { default: 'local' }),
    fault_tolerant: flag(true),
    redis,
    block_on_first_violation: flag(false),
    hide_client_headers: flag(false),
    limits: mapOf(string(), record(windows, { required: true, entity_checks: [{ at_least_one_of: WINDOWS }] }), {
      required: true,
      len_min: 1,
    }),
  },
);

function cidrError(value: string): string | undefined {
  const [address = '', bits] = value.split('/');
  const family = isIP(address);
  const valid =
    family !== 0 && (bits === undefined || (/^\d+$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128)));
  return valid ? undefined : `invalid ip or cidr range: '${value}'`;
}

const ipRestriction = plugin(
  {
    priority: 990,
    protocols: 'any',
    defaultProtocols: ['http', 'https', 'tcp', 'tls', 'grpc', 'grpcs'],
    checks: [{ at_least_one_of: ['config.allow', 'config.deny'] }],
  },
  {
    allow: arrayOf(string({ custom: cidrError })),
    deny: arrayOf(string({ custom: cidrError })),
    status: number({ required: false }),
    message: string({ required: false }),
  },
);

const requestSizeLimiting = plugin(
  { priority: 951 },
  {
    allowed_payload_size: integer({ default: 128 }),
    size_unit: oneOf(['megabytes', 'kilobytes', 'bytes'], { default: 'megabytes', required: true }),
    require_content_length: flag(false),
  },
);

const agents = arrayOf(string({ is_regex: true }), { default: [] });
const botDetection = plugin({ priority: 2500, noConsumer: true }, { allow: agents, deny: agents });

const proxyCache = plugin(
  {
    priority: 100,
    protocols: 'any',
    checks: [{ custom_entity_check: { field_sources: ['config'] }, custom: () => undefined }],
  },
  {
    response_code: arrayOf(integer({ between: [100, 900] }), { default: [200, 301, 404], len_min: 1, required: true }),
    request_method: arrayOf(oneOf(['HEAD', 'GET', 'POST', 'PATCH', 'PUT']), {
      default: ['GET', 'HEAD'],
      required: true,
    }),
    content_type: strings({ default: ['text/plain', 'application/json'], required: true }),
    cache_ttl: integer({ default: 300, gt: 0 }),
    strategy: oneOf(['memory'], { required: true }),
    cache_control: flag(false),
    ignore_uri_case: boolean({ required: false, default: false }),
    storage_ttl: integer(),
    memory: record({ dictionary_name: string({ default: 'kong_db_cache', required: true }) }, { required: true }),
    vary_query_params: strings(),
    vary_headers: strings(),
    response_headers: record(
      {
        age: boolean({ default: true }),
        'X-Cache-Status': boolean({ default: true }),
        'X-Cache-Key': boolean({ default: true }),
      },
      { required: true },
    ),
  },
);

const requestTermination = plugin(
  {
    priority: 2,
    checks: [
      {
        hidden: true,
        custom_entity_check: { field_sources: ['config'] },
        custom: (data) => {
          const filled = (field: string): boolean => text(at(data, ['config', field])) !== '';
          if (filled('message') && (filled('content_type') || filled('body'))) {
            return { config: 'message cannot be used with content_type or body' };
          }
          return filled('content_type') && !filled('body') ? { config: 'content_type requires a body' } : undefined;
        },
      },
    ],
  },
  {
    status_code: integer({ default: 503, between: [100, 599], required: true }),
    message: string(),
    content_type: string(),
    body: string(),
    echo: flag(false),
    trigger: headerName,
  },
);

const redirect = plugin(
  { priority: 779 },
  {
    status_code: integer({ default: 301, between: [100, 599], required: true }),
    location: string({
      required: true,
      custom: (value) => (URL.canParse(value) ? undefined : 'missing host in url'),
    }),
    keep_incoming_path: boolean({ default: false }),
  },
);

const awsLambda = plugin(
  {
    priority: 750,
    checks: [
      { mutually_required: ['config.aws_key', 'config.aws_secret'] },
      { custom_entity_check: { field_sources: ['config.proxy_url'] }, custom: () => undefined },
    ],
  },
  {
    timeout: number({ required: true, default: 60000 }),
    keepalive: number({ required: true, default: 60000 }),
    aws_key: string({ encrypted: true, referenceable: true }),
    aws_secret: string({ encrypted: true, referenceable: true }),
    aws_assume_role_arn: string({ encrypted: true, referenceable: true }),
    aws_role_session_name: string({ default: 'kong' }),
    aws_sts_endpoint_url: string(),
    aws_region: string(),
    function_name: string({ required: false }),
    qualifier: string(),
    invocation_type: oneOf(['RequestResponse', 'Event', 'DryRun'], { default: 'RequestResponse', required: true }),
    log_type: oneOf(['Tail', 'None'], { default: 'Tail', required: true }),
    host: string(),
    port: port({ default: 443 }),
    disable_https: boolean({ default: false }),
    unhandled_status: integer({ between: [100, 999] }),
    forward_request_method: boolean({ default: false }),
    forward_request_uri: boolean({ default: false }),
    forward_request_headers: boolean({ default: false }),
    forward_request_body: boolean({ default: false }),
    is_proxy_integration: boolean({ default: false }),
    awsgateway_compatible: boolean({ default: false }),
    proxy_url: string(),
    skip_large_bodies: boolean({ default: true }),
    base64_encode_body: boolean({ default: true }),
    aws_imds_protocol_version: oneOf(['v1', 'v2'], { default: 'v1', required: true }),
    empty_arrays_mode: oneOf(['legacy', 'correct'], { default: 'legacy', required: true }),
  },
);

const METHODS = ['GET', 'HEAD', 'PUT', 'PATCH', 'POST', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT'];

const cors = plugin(
  { priority: 2000, noConsumer: true },
  {
    origins: arrayOf(
      string({
        custom: (value) => (value === '*' || isRegex(value) ? undefined : `'${value}' is not a valid regex`),
      }),
    ),
    headers: strings(),
    exposed_headers: strings(),
    methods: arrayOf(oneOf(METHODS), { default: METHODS }),
    max_age: number(),
    credentials: flag(false),
    private_network: flag(false),
    preflight_continue: flag(false),
  },
);

export const TRAFFIC_PLUGINS: Readonly<Record<string, PluginSchema>> = {
  cors,
  'ip-restriction': ipRestriction,
  'request-size-limiting': requestSizeLimiting,
  'rate-limiting': rateLimiting,
  'response-ratelimiting': responseRatelimiting,
  'bot-detection': botDetection,
  'aws-lambda': awsLambda,
  'request-termination': requestTermination,
  'proxy-cache': proxyCache,
  redirect,
};

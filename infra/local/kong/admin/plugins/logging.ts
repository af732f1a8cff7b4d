import { boolean, flag, integer, mapOf, number, oneOf, port, record, string } from '../schema/typedefs.ts';
import type { Field } from '../schema/types.ts';
import { plugin } from './plugin.ts';
import type { PluginSchema } from './plugin.ts';

const customFields = mapOf(string({ len_min: 1 }), string({ len_min: 1 }));

/** How log entries are batched and retried. */
const queue: Field = record(
  {
    max_batch_size: integer({ default: 1, between: [1, 1000000] }),
    max_coalescing_delay: number({ default: 1, between: [0, 3600] }),
    max_entries: integer({ default: 10000, between: [1, 1000000] }),
    max_bytes: integer(),
    max_retry_time: number({ default: 60 }),
    initial_retry_delay: number({ default: 0.01, between: [0.001, 1000000] }),
    max_retry_delay: number({ default: 60, between: [0.001, 1000000] }),
    concurrency_limit: oneOf([-1, 1], { default: 1 }),
  },
  { required: true },
);

/** Settings of the time before queues: taken, shown, without effect. */
const outdated = (field: Field, oldDefault: number): Field => ({ ...field, deprecation: { old_default: oldDefault } });

const CONTENT_HEADERS = [
  ['^[Hh][Oo][Ss][Tt]$', 'Host'],
  ['^[Cc][Oo][Nn][Tt][Ee][Nn][Tt]%-[Ll][Ee][nn][Gg][Tt][Hh]$', 'Content-Length'],
  ['^[Cc][Oo][Nn][Tt][Ee][Nn][Tt]%-[Tt][Yy][Pp][Ee]$', 'Content-Type'],
] as const;

const httpLog = plugin(
  { priority: 12, protocols: 'any' },
  {
    http_endpoint: string({
      required: true,
      encrypted: true,
      referenceable: true,
      custom: (value) => (URL.canParse(value) ? undefined : 'missing host in url'),
    }),
    method: oneOf(['POST', 'PUT', 'PATCH'], { default: 'POST' }),
    content_type: oneOf(['application/json', 'application/json; charset=utf-8'], { default: 'application/json' }),
    timeout: number({ default: 10000 }),
    keepalive: number({ default: 60000 }),
    retry_count: outdated(integer(), 10),
    queue_size: outdated(integer(), 1),
    flush_timeout: outdated(number(), 2),
    headers: mapOf(
      string({
        match_none: CONTENT_HEADERS.map(([pattern, header]) => ({ pattern, err: `cannot contain '${header}' header` })),
      }),
      string({ referenceable: true }),
    ),
    queue,
    custom_fields_by_lua: customFields,
  },
);

const fileLog = plugin(
  { priority: 9, protocols: 'any' },
  {
    path: string({ required: true, match: '^[^*&%%\\`]+$', err: 'not a valid filename' }),
    reopen: flag(false),
    custom_fields_by_lua: customFields,
  },
);

const udpLog = plugin(
  { priority: 8, protocols: 'any' },
  {
    host: string({ required: true }),
    port: port({ required: true }),
    timeout: number({ default: 10000 }),
    custom_fields_by_lua: customFields,
  },
);

const tcpLog = plugin(
  { priority: 7, protocols: 'any' },
  {
    host: string({ required: true }),
    port: port({ required: true }),
    timeout: number({ default: 10000 }),
    keepalive: number({ default: 60000 }),
    tls: flag(false),
    tls_sni: string(),
    custom_fields_by_lua: customFields,
  },
);

const SEVERITIES = ['debug', 'info', 'notice', 'warning', 'err', 'crit', 'alert', 'emerg'];
const LOCALS = Array.from({ length: 8 }, (_, i) => `local${i}`);
const FACILITIES = [
  'auth',
  'authpriv',
  'cron',
  'daemon',
  'ftp',
  'kern',
  'lpr',
  'mail',
  'news',
  'syslog',
  'user',
  'uucp',
  ...LOCALS,
];
const severity = oneOf(SEVERITIES, { required: true, default: 'info' });

const syslog = plugin(
  { priority: 4, protocols: 'any' },
  {
    log_level: severity,
    successful_severity: severity,
    client_errors_severity: severity,
    server_errors_severity: severity,
    custom_fields_by_lua: customFields,
    facility: oneOf(FACILITIES, { default: 'user', required: true }),
  },
);

const off = boolean({ default: false });

const prometheus = plugin(
  { priority: 13, protocols: 'any' },
  {
    per_consumer: off,
    status_code_metrics: off,
    ai_metrics: off,
    latency_metrics: off,
    bandwidth_metrics: off,
    upstream_health_metrics: off,
  },
);

export const LOGGING_PLUGINS: Readonly<Record<string, PluginSchema>> = {
  'tcp-log': tcpLog,
  'udp-log': udpLog,
  'file-log': fileLog,
  'http-log': httpLog,
  syslog,
  prometheus,
};

import { boolean, flag, mapOf, number, oneOf, port, string } from '../schema/typedefs.ts';
import { plugin } from './plugin.ts';
import type { PluginSchema } from './plugin.ts';
import { customFields, OUTDATED_QUEUE, queue } from './queue.ts';

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
    ...OUTDATED_QUEUE,
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

import type { Json } from '../json.ts';
import {
  arrayOf,
  boolean,
  flag,
  integer,
  mapOf,
  number,
  oneOf,
  port,
  record,
  string,
  strings,
  timeout,
} from '../schema/typedefs.ts';
import type { EntityCheck, Field } from '../schema/types.ts';
import { plugin, understood } from './plugin.ts';
import type { PluginSchema } from './plugin.ts';
import { OUTDATED_QUEUE, outdated, queue } from './queue.ts';

const CONSUMERS = ['consumer_id', 'custom_id', 'username'];
const SERVICES = ['service_id', 'service_name', 'service_host', 'service_name_or_host'];
const WORKSPACES = ['workspace_id', 'workspace_name'];

const sampled: EntityCheck = {
  conditional: {
    if_field: 'stat_type',
    if_match: { one_of: ['counter', 'gauge'] },
    then_field: 'sample_rate',
    then_match: { required: true },
  },
};

const STATS = ['counter', 'gauge', 'histogram', 'meter', 'set', 'timer'];
const TIMES = ['kong_latency', 'latency', 'request_count', 'request_size', 'response_size', 'upstream_latency'];

const datadogMetric = (name: string, more: { [field: string]: Json }): Json => ({
  name,
  tags: ['app:kong'],
  consumer_identifier: 'custom_id',
  ...more,
});

const datadog = plugin(
  { priority: 10, protocols: 'any' },
  {
    host: string({ referenceable: true, default: 'localhost' }),
    port: port({ default: 8125 }),
    prefix: string({ default: 'kong' }),
    service_name_tag: string({ default: 'name' }),
    status_tag: string({ default: 'status' }),
    consumer_tag: string({ default: 'consumer' }),
    ...OUTDATED_QUEUE,
    queue,
    metrics: arrayOf(
      record(
        {
          name: oneOf(TIMES, { required: true }),
          stat_type: oneOf([...STATS, 'distribution'], { required: true }),
          tags: arrayOf(string({ match: '^.*[^:]$' })),
          sample_rate: number({ between: [0, 1] }),
          consumer_identifier: oneOf(CONSUMERS),
        },
        { entity_checks: [sampled] },
      ),
      {
        required: true,
        default: [
          datadogMetric('request_count', { stat_type: 'counter', sample_rate: 1 }),
          ...['latency', 'request_size', 'response_size', 'upstream_latency', 'kong_latency'].map((name) =>
            datadogMetric(name, { stat_type: 'timer' }),
          ),
        ],
      },
    ),
  },
);

const counter = (name: string): Json => ({ name, stat_type: 'counter', sample_rate: 1 });
const timer = (name: string): Json => ({ name, stat_type: 'timer' });

const statsd = plugin(
  { priority: 11, protocols: 'any' },
  {
    host: string({ default: 'localhost' }),
    port: port({ default: 8125 }),
    prefix: string({ default: 'kong' }),
    metrics: arrayOf(
      record(
        {
          name: oneOf(
            [
              'kong_latency',
              'latency',
              'request_count',
              'request_per_user',
              'request_size',
              'response_size',
              'status_count',
              'status_count_per_user',
              'unique_users',
              'upstream_latency',
              'status_count_per_workspace',
              'status_count_per_user_per_route',
              'shdict_usage',
            ],
            { required: true },
          ),
          stat_type: oneOf(STATS, { required: true }),
          sample_rate: number({ gt: 0 }),
          consumer_identifier: oneOf(CONSUMERS),
          service_identifier: oneOf(SERVICES),
          workspace_identifier: oneOf(WORKSPACES),
        },
        { entity_checks: [sampled] },
      ),
      {
        default: [
          counter('request_count'),
          timer('latency'),
          counter('request_size'),
          counter('status_count'),
          counter('response_size'),
          { name: 'unique_users', stat_type: 'set' },
          counter('request_per_user'),
          timer('upstream_latency'),
          timer('kong_latency'),
          ...['status_count_per_user', 'status_count_per_workspace', 'status_count_per_user_per_route'].map(counter),
          { name: 'shdict_usage', stat_type: 'gauge', sample_rate: 1 },
        ],
      },
    ),
    allow_status_codes: arrayOf(string({ match: '^[0-9]+-[0-9]+$' })),
    udp_packet_size: number({ between: [0, 65507], default: 0 }),
    use_tcp: boolean({ default: false }),
    hostname_in_prefix: boolean({ default: false }),
    consumer_identifier_default: oneOf(CONSUMERS, { required: true, default: 'custom_id' }),
    service_identifier_default: oneOf(SERVICES, { required: true, default: 'service_name_or_host' }),
    workspace_identifier_default: oneOf(WORKSPACES, { required: true, default: 'workspace_id' }),
    ...OUTDATED_QUEUE,
    tag_style: oneOf(['dogstatsd', 'influxdb', 'librato', 'signalfx'], { required: false }),
    queue,
  },
);

const EXTRACT = ['aws', 'gcp', 'jaeger', 'w3c', 'ot', 'b3', 'datadog'];
const FORMATS = ['aws', 'gcp', 'b3-single', 'jaeger', 'w3c', 'ot', 'b3', 'datadog'];
const HEADERS = ['preserve', 'ignore', 'b3', 'b3-single', 'w3c', 'jaeger', 'ot', 'aws', 'datadog', 'gcp'];

/** Which trace headers are read and written. */
const propagation = (format: string): Field =>
  record(
    {
      extract: arrayOf(oneOf(EXTRACT)),
      clear: strings(),
      inject: arrayOf(oneOf(['preserve', ...FORMATS])),
      default_format: oneOf(FORMATS, { required: true }),
    },
    { required: true, default: { default_format: format } },
  );

// Tags that the plugin sets itself.
const OWN_TAGS = [
  'error',
  'http.method',
  'http.path',
  'http.status_code',
  'kong.balancer.state',
  'kong.balancer.try',
  'kong.consumer',
  'kong.credential',
  'kong.node.id',
  'kong.route',
  'kong.service',
  'lc',
  'peer.hostname',
];

const zipkin = plugin(
  { priority: 100000, protocols: 'any' },
  {
    local_service_name: string({ default: 'kong', required: true }),
    http_endpoint: string(),
    sample_ratio: number({ default: 0.001, between: [0, 1] }),
    default_service_name: string(),
    include_credential: flag(true),
    traceid_byte_count: oneOf([8, 16], { default: 16, required: true }),
    header_type: outdated(oneOf(HEADERS, { default: 'preserve', required: true }), 'preserve'),
    default_header_type: outdated(oneOf(HEADERS.slice(2), { default: 'b3', required: true }), 'b3'),
    tags_header: string({ default: 'Zipkin-Tags', required: true }),
    static_tags: arrayOf(
      record({ name: string({ required: true, not_one_of: OWN_TAGS }), value: string({ required: true }) }),
    ),
    http_span_name: oneOf(['method', 'method_path'], { default: 'method', required: true }),
    connect_timeout: timeout({ default: 2000 }),
    send_timeout: timeout({ default: 5000 }),
    read_timeout: timeout({ default: 5000 }),
    http_response_header_for_traceid: string(),
    phase_duration_flavor: oneOf(['annotations', 'tags'], { default: 'annotations', required: true }),
    queue,
    propagation: propagation('b3'),
  },
);

const opentelemetry = plugin(
  {
    priority: 14,
    configChecks: [{ at_least_one_of: ['traces_endpoint', 'logs_endpoint'] }],
    shorthands: { endpoint: understood(string({ referenceable: true }), 'traces_endpoint') },
  },
  {
    traces_endpoint: string({ referenceable: true }),
    logs_endpoint: string({ referenceable: true }),
    headers: mapOf(string(), string({ referenceable: true })),
    resource_attributes: mapOf(string({ required: true }), string({ required: true })),
    queue: { ...queue, default: { max_batch_size: 200 } },
    batch_span_count: outdated(integer(), 200),
    batch_flush_delay: outdated(integer(), 3),
    connect_timeout: timeout({ default: 1000 }),
    send_timeout: timeout({ default: 5000 }),
    read_timeout: timeout({ default: 5000 }),
    http_response_header_for_traceid: string(),
    header_type: outdated(
      oneOf([...HEADERS.slice(0, 8), 'gcp', 'datadog'], { default: 'preserve', required: false }),
      'preserve',
    ),
    sampling_rate: number({ required: false, between: [0, 1] }),
    propagation: propagation('w3c'),
  },
);

export const OBSERVABILITY_PLUGINS: Readonly<Record<string, PluginSchema>> = { datadog, statsd, zipkin, opentelemetry };

import { normalTarget } from '../../../../../shared/kong/target.ts';
import { isIP } from 'node:net';
import type { JsonObject } from '../json.ts';
import {
  arrayOf,
  boolean,
  flag,
  foreign,
  headerName,
  host,
  id,
  integer,
  isHost,
  mapOf,
  MILLISECONDS,
  number,
  oneOf,
  path,
  record,
  string,
  strings,
  tags,
  times,
} from '../schema/typedefs.ts';
import type { EntityCheck, Field, Fields } from '../schema/types.ts';
import { define } from './definition.ts';

const HASHES = ['none', 'consumer', 'ip', 'header', 'cookie', 'path', 'query_arg', 'uri_capture'];
const CHECK_TYPES = ['tcp', 'http', 'https', 'grpc', 'grpcs'];

const count = integer({ between: [0, 255], default: 0 });
const seconds = (value: number): Field => number({ between: [0, 65535], default: value });
const statuses = (values: readonly number[]): Field =>
  arrayOf(integer({ between: [100, 999] }), { default: [...values] });

/** Defaults of a record, as Kong derives them for records that must be there. */
function defaultsOf(fields: Fields): JsonObject {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, field]) => (field.default === undefined ? [] : [[name, field.default]])),
  );
}

function section(fields: Fields): Field {
  return record(fields, { required: true, default: defaultsOf(fields) });
}

const PASSIVE_HEALTHY = [200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302, 303, 304, 305, 306, 307, 308];

const active = section({
  type: oneOf(CHECK_TYPES, { default: 'http' }),
  timeout: seconds(1),
  concurrency: integer({ between: [1, 2147483648], default: 10 }),
  http_path: path({ default: '/' }),
  https_sni: host({ required: false }),
  https_verify_certificate: flag(true),
  headers: mapOf(headerName, strings(), { required: false }),
  healthy: section({ interval: seconds(0), http_statuses: statuses([200, 302]), successes: count }),
  unhealthy: section({
    interval: seconds(0),
    http_statuses: statuses([429, 404, 500, 501, 502, 503, 504, 505]),
    tcp_failures: count,
    timeouts: count,
    http_failures: count,
  }),
});

const passive = section({
  type: oneOf(CHECK_TYPES, { default: 'http' }),
  healthy: section({ http_statuses: statuses(PASSIVE_HEALTHY), successes: count }),
  unhealthy: section({
    http_statuses: statuses([429, 500, 503]),
    tcp_failures: count,
    timeouts: count,
    http_failures: count,
  }),
});

/** Each kind of hash input needs the field that says where to take it from. */
const needs = (hash: string, value: string, field: string): EntityCheck => ({
  conditional: { if_field: hash, if_match: { match: `^${value}$` }, then_field: field, then_match: { required: true } },
});

/** What may follow when the first hash input is missing in a request. */
const fallback = (value: string, allowed: readonly string[]): EntityCheck => ({
  conditional: {
    if_field: 'hash_on',
    if_match: { match: `^${value}$` },
    then_field: 'hash_fallback',
    then_match: { one_of: allowed },
  },
});

export const upstreams = define({
  name: 'upstreams',
  table: 'upstreams',
  path: 'upstreams',
  endpointKey: 'name',
  cacheKey: ['id'],
  fields: {
    ...id,
    ...times,
    name: string({
      required: true,
      unique: true,
      custom: (value) => {
        if (isIP(value) !== 0) return `Invalid name ('${value}'); no ip addresses allowed`;
        return isHost(value) ? undefined : 'Invalid name; must be a valid hostname';
      },
    }),
    algorithm: oneOf(['consistent-hashing', 'least-connections', 'round-robin', 'latency'], { default: 'round-robin' }),
    hash_on: oneOf(HASHES, { default: 'none' }),
    hash_fallback: oneOf(HASHES, { default: 'none' }),
    hash_on_header: headerName,
    hash_fallback_header: headerName,
    hash_on_cookie: string(),
    hash_on_cookie_path: path({ default: '/' }),
    hash_on_query_arg: string({ len_min: 1 }),
    hash_fallback_query_arg: string({ len_min: 1 }),
    hash_on_uri_capture: string({ len_min: 1 }),
    hash_fallback_uri_capture: string({ len_min: 1 }),
    slots: integer({ default: 10000, between: [10, 65536] }),
    healthchecks: record(
      { active, passive, threshold: number({ default: 0, between: [0, 100] }) },
      { required: true, default: { active: active.default ?? {}, passive: passive.default ?? {} } },
    ),
    tags,
    host_header: string(),
    client_certificate: foreign('certificates'),
    use_srv_name: boolean({ default: false }),
  },
  entity_checks: [
    needs('hash_on', 'header', 'hash_on_header'),
    needs('hash_fallback', 'header', 'hash_fallback_header'),
    needs('hash_on', 'cookie', 'hash_on_cookie'),
    needs('hash_fallback', 'cookie', 'hash_on_cookie'),
    fallback('none', ['none']),
    fallback('cookie', ['none']),
    fallback('consumer', ['none', 'ip', 'header', 'cookie', 'path', 'query_arg', 'uri_capture']),
    fallback('ip', ['none', 'consumer', 'header', 'cookie', 'path', 'query_arg', 'uri_capture']),
    fallback('path', ['none', 'consumer', 'header', 'cookie', 'query_arg', 'ip', 'uri_capture']),
    { distinct: ['hash_on_header', 'hash_fallback_header'] },
    needs('hash_on', 'query_arg', 'hash_on_query_arg'),
    needs('hash_fallback', 'query_arg', 'hash_fallback_query_arg'),
    { distinct: ['hash_on_query_arg', 'hash_fallback_query_arg'] },
    needs('hash_on', 'uri_capture', 'hash_on_uri_capture'),
    needs('hash_fallback', 'uri_capture', 'hash_fallback_uri_capture'),
    { distinct: ['hash_on_uri_capture', 'hash_fallback_uri_capture'] },
  ],
  prepare: (data) => ({ data: { ...hashing(data), ...data } }),
});

/** What the algorithm and the hash input say about each other when only one of them is sent. */
function hashing(data: JsonObject): JsonObject {
  const { algorithm, hash_on: hashOn } = data;
  if (hashOn === undefined && (algorithm === 'least-connections' || algorithm === 'latency')) return { hash_on: null };
  if (algorithm !== undefined || hashOn === undefined || hashOn === null) return {};
  return { algorithm: hashOn === 'none' ? 'round-robin' : 'consistent-hashing' };
}

const NO_TARGET = { errors: { target: 'Invalid target; not a valid hostname or ip address' } };

/** `host:port` in Kong's normal form: the port is 8000 when none is given, IPv6 is written out. Undefined when it is no address. */
export function targetAddress(value: string): string | undefined {
  const [, name = '', digits] = /^(\[[^\]]+\]|[^:]*)(?::(\d+))?$/.exec(value) ?? [];
  if (isIP(value) === 6 || isIP(name.slice(1, -1)) === 6) return normalTarget(value);
  if (name === '' || !isHost(name) || Number(digits ?? 0) > 65535) return undefined;
  return `${name}:${digits ?? 8000}`;
}

export const targets = define({
  name: 'targets',
  table: 'targets',
  path: undefined,
  nestedPath: 'targets',
  endpointKey: 'target',
  cacheKey: ['upstream', 'target'],
  cacheKeyColumn: true,
  fields: {
    ...id,
    created_at: MILLISECONDS,
    updated_at: MILLISECONDS,
    upstream: foreign('upstreams', { required: true, on_delete: 'cascade' }),
    target: string({ required: true }),
    weight: integer({ default: 100, between: [0, 65535] }),
    tags,
  },
  prepare: (data) => {
    const { target } = data;
    if (typeof target !== 'string') return { data };
    const address = targetAddress(target);
    return address === undefined ? NO_TARGET : { data: { ...data, target: address } };
  },
});

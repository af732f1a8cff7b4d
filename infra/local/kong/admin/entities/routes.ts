import { isIP } from 'node:net';
import { isList, text } from '../json.ts';
import type { Json, JsonObject } from '../json.ts';
import {
  absent,
  arrayOf,
  flag,
  foreign,
  headerName,
  id,
  integer,
  mapOf,
  name,
  oneOf,
  port,
  PROTOCOLS,
  record,
  setOf,
  string,
  strings,
  tags,
  times,
  wildcardHost,
} from '../schema/typedefs.ts';
import type { EntityCheck, Field, Fields } from '../schema/types.ts';
import { regexError } from '../schema/validators.ts';
import { define } from './definition.ts';
import type { Definition, Resolved, SchemaContext } from './definition.ts';

function pathError(path: string): string | undefined {
  if (!path.startsWith('~')) return undefined;
  const regex = path.slice(1);
  return regexError(regex) === undefined ? undefined : `invalid regex: '${regex}' (not a regular expression)`;
}

function addressError(value: string): string | undefined {
  const [address = '', bits] = value.split('/');
  const family = isIP(address);
  const width = family === 4 ? 32 : 128;
  const valid = family !== 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= width));
  return valid ? undefined : `invalid ip or cidr range: '${value}'`;
}

const endpoints = setOf(
  record(
    { ip: string({ custom: addressError }), port: port() },
    { entity_checks: [{ at_least_one_of: ['ip', 'port'] }] },
  ),
);

const hosts = arrayOf(
  string({
    match_all: [{ pattern: '^[^*]*%*?[^*]*$', err: 'invalid wildcard: must have at most one wildcard' }],
    match_any: {
      patterns: ['^%*%.', '%.%*$', '^[^*]*$'],
      err: 'invalid wildcard: must be placed at leftmost or rightmost label',
    },
    custom: (value) => wildcardHost.custom?.(value.replace(/:\d{1,5}$/, '')),
  }),
);

const paths = arrayOf(
  string({
    required: true,
    match_any: { patterns: ['^/', '^~/'], err: 'should start with: / (fixed path) or ~/ (regex path)' },
    match_none: [{ pattern: '//', err: 'must not have empty segments' }],
    custom: pathError,
  }),
);

const headers = mapOf(
  {
    ...headerName,
    match_none: [
      {
        pattern: '^[Hh][Oo][Ss][Tt]$',
        err: `cannot contain 'host' header, which must be specified in the 'hosts' attribute`,
      },
    ],
  },
  strings(),
);

const snisNeedTls: EntityCheck = {
  conditional: {
    if_field: 'protocols',
    if_match: { elements: { not_one_of: ['grpcs', 'https', 'tls', 'tls_passthrough'] } },
    then_field: 'snis',
    then_match: { len_eq: 0 },
    then_err: `'snis' can only be set when 'protocols' is 'grpcs', 'https', 'tls' or 'tls_passthrough'`,
  },
};

const fields: Fields = {
  ...id,
  ...times,
  name: name(),
  protocols: setOf(oneOf(PROTOCOLS, { required: true }), {
    required: true,
    len_min: 1,
    default: ['http', 'https'],
    mutually_exclusive_subsets: [['http', 'https'], ['tcp', 'tls', 'udp'], ['tls_passthrough'], ['grpc', 'grpcs']],
  }),
  https_redirect_status_code: oneOf([426, 301, 302, 307, 308], { default: 426, required: true }),
  strip_path: flag(true),
  preserve_host: flag(false),
  request_buffering: flag(true),
  response_buffering: flag(true),
  tags,
  service: foreign('services'),
  snis: setOf(wildcardHost),
  sources: endpoints,
  destinations: endpoints,
  methods: setOf(string({ match: '^%u+$' })),
  hosts,
  paths,
  headers,
  regex_priority: integer({ default: 0 }),
  path_handling: oneOf(['v0', 'v1'], { default: 'v0' }),
};

const expressionFields: Fields = {
  expression: string(),
  priority: integer({ default: 0, between: [0, 2 ** 46 - 1] }),
};

/** What a route of a protocol may match on; it must have at least one of them. */
const MATCHES: Readonly<Record<string, readonly string[]>> = {
  http: ['methods', 'hosts', 'headers', 'paths'],
  https: ['methods', 'hosts', 'headers', 'paths', 'snis'],
  grpc: ['hosts', 'headers', 'paths'],
  grpcs: ['hosts', 'headers', 'paths', 'snis'],
  tcp: ['sources', 'destinations'],
  udp: ['sources', 'destinations'],
  tls: ['sources', 'destinations', 'snis'],
  tls_passthrough: ['snis', 'sources', 'destinations'],
};

const STREAM = `'tcp', 'tls', 'tls_passthrough' or 'udp'`;
const FORBIDDEN: readonly {
  readonly of: readonly string[];
  readonly named: string;
  readonly fields: readonly string[];
}[] = [
  { of: ['tcp', 'tls', 'tls_passthrough', 'udp'], named: STREAM, fields: ['methods', 'hosts', 'paths', 'headers'] },
  { of: ['grpc', 'grpcs'], named: `'grpc' or 'grpcs'`, fields: ['methods', 'sources', 'destinations'] },
  { of: ['http', 'https'], named: `'http' or 'https'`, fields: ['sources', 'destinations'] },
];

/** The fields for a protocol: some must be left out, and gRPC never strips the path. */
function fieldsFor(protocol: string, base: Fields): Fields {
  const adapted: Record<string, Field> = { ...base };
  for (const { named, fields: forbidden } of FORBIDDEN.filter((rule) => rule.of.includes(protocol))) {
    for (const field of forbidden) {
      const original = base[field];
      if (original !== undefined)
        adapted[field] = absent(original, `cannot set '${field}' when 'protocols' is ${named}`);
    }
  }
  if (protocol.startsWith('grpc') && base['strip_path'] !== undefined) {
    const err = `cannot set 'strip_path' when 'protocols' is 'grpc' or 'grpcs'`;
    adapted['strip_path'] = { ...base['strip_path'], default: false, eq: false, err };
  }
  return adapted;
}

function mustMatch(protocols: readonly Json[], withExpression: boolean): EntityCheck {
  // The most permissive of the route's protocols decides.
  const names = protocols.map(text);
  const [decisive = ''] = names.toSorted((a, b) => (MATCHES[b]?.length ?? 0) - (MATCHES[a]?.length ?? 0));
  const matches = MATCHES[decisive] ?? [];
  return {
    custom_entity_check: { field_sources: ['protocols', ...matches] },
    custom: (data) => {
      const candidates = withExpression ? [...matches, 'expression'] : matches;
      if (candidates.some((field) => isSet(data[field]))) return undefined;
      return { '@entity': [`must set one of '${matches.join("', '")}' when 'protocols' is '${decisive}'`] };
    },
  };
}

function isSet(value: Json | undefined): boolean {
  if (value === undefined || value === null || value === '') return false;
  return typeof value !== 'object' || Object.keys(value).length > 0;
}

function resolve(data: JsonObject, { routerFlavor }: SchemaContext): Resolved {
  const protocols = data['protocols'] ?? ['http', 'https'];
  const list = isList(protocols) ? protocols : [];
  const unknown = list.find((protocol) => typeof protocol !== 'string' || !(protocol in MATCHES));
  if (unknown !== undefined)
    return { errors: { protocols: `unknown type: ${JSON.stringify(unknown).replaceAll('"', '')}` } };
  const withExpression = routerFlavor === 'expressions';
  const base = withExpression ? { ...fields, ...expressionFields } : fields;
  return {
    schema: {
      fields: fieldsFor(text(list[0]), base),
      entity_checks: list.length === 0 ? [snisNeedTls] : [snisNeedTls, mustMatch(list, withExpression)],
    },
  };
}

const matchFields = ['snis', 'sources', 'destinations', 'methods', 'hosts', 'paths', 'headers'];

const routes = define({
  name: 'routes',
  table: 'routes',
  path: 'routes',
  endpointKey: 'name',
  cacheKey: ['id'],
  fields,
  entity_checks: [
    snisNeedTls,
    { custom_entity_check: { field_sources: ['path_handling'] }, custom: () => undefined },
    {
      custom_entity_check: {
        field_sources: ['id', 'protocols', ...matchFields, 'expression', 'regex_priority', 'priority'],
      },
      custom: () => undefined,
    },
  ],
  resolve,
});

/** The routes of a node with the expressions router have two fields more. */
export function routesFor(routerFlavor: string): Definition {
  return routerFlavor === 'expressions' ? { ...routes, fields: { ...fields, ...expressionFields } } : routes;
}

import { text } from '../json.ts';
import type { JsonObject } from '../json.ts';
import {
  arrayOf,
  flag,
  foreign,
  host,
  id,
  integer,
  boolean,
  name,
  oneOf,
  path,
  port,
  PROTOCOLS,
  string,
  tags,
  times,
} from '../schema/typedefs.ts';
import type { EntityCheck, Shorthands } from '../schema/types.ts';
import { define } from './definition.ts';

const timeout = integer({ default: 60000, between: [1, 2147483646] });

/** What only makes sense towards a TLS upstream. */
const tlsOnly = (field: string): EntityCheck => ({
  conditional: {
    if_field: 'protocol',
    if_match: { not_one_of: ['https', 'tls'] },
    then_field: field,
    then_match: { eq: null },
  },
});

const DEFAULT_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443 };

/** `url` is written only: protocol, host, port and path in one. */
const shorthands: Shorthands = {
  url: {
    field: string({
      custom: (value) => (URL.canParse(value) ? undefined : 'invalid url'),
    }),
    expand: (value) => fromUrl(text(value)),
  },
};

function fromUrl(value: string): JsonObject {
  const url = URL.parse(value);
  if (url === null) return {};
  const protocol = url.protocol.slice(0, -1);
  const explicit = /^[a-z]+:\/\/[^/]*:(\d+)(?:[/?#]|$)/i.exec(value)?.[1];
  const number = explicit === undefined ? DEFAULT_PORTS[protocol] : Number(explicit);
  // The URL class adds the slash of an empty path; Kong leaves the path null.
  const hasPath = /^[a-z]+:\/\/[^/?#]*\//i.test(value);
  return {
    protocol,
    host: url.hostname,
    ...(number === undefined ? {} : { port: number }),
    path: hasPath ? decodeURI(url.pathname) : null,
  };
}

export const services = define({
  name: 'services',
  table: 'services',
  path: 'services',
  endpointKey: 'name',
  cacheKey: ['id'],
  fields: {
    ...id,
    ...times,
    name: name(),
    retries: integer({ default: 5, between: [0, 32767] }),
    protocol: oneOf(PROTOCOLS, { required: true, default: 'http' }),
    host: host({ required: true }),
    port: port({ required: true, default: 80 }),
    path: path(),
    connect_timeout: timeout,
    write_timeout: timeout,
    read_timeout: timeout,
    tags,
    client_certificate: foreign('certificates'),
    tls_verify: boolean(),
    tls_verify_depth: integer({ default: null, between: [0, 64] }),
    ca_certificates: arrayOf(string({ uuid: true })),
    enabled: flag(true),
  },
  entity_checks: [
    {
      conditional: {
        if_field: 'protocol',
        if_match: { one_of: ['tcp', 'tls', 'udp', 'grpc', 'grpcs'] },
        then_field: 'path',
        then_match: { eq: null },
      },
    },
    tlsOnly('client_certificate'),
    tlsOnly('tls_verify'),
    tlsOnly('tls_verify_depth'),
    tlsOnly('ca_certificates'),
  ],
  shorthand_fields: shorthands,
});

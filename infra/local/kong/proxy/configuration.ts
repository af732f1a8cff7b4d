/** What a data plane routes by: Kong's entities, read from the rows of its tables. */

import { flag, number, object, text, texts } from './rows.ts';
import type { Row, Tables } from './rows.ts';

export interface Service {
  readonly id: string;
  readonly name: string | undefined;
  readonly protocol: string;
  readonly host: string;
  readonly port: number;
  readonly path: string | undefined;
  /** Further attempts after a failed connection. */
  readonly retries: number;
  /** Timeouts in ms. */
  readonly connectTimeout: number;
  readonly readTimeout: number;
  readonly writeTimeout: number;
  /** Undefined leaves the upstream's certificate unverified, as Kong does by default. */
  readonly tlsVerify: boolean | undefined;
  readonly caCertificates: readonly string[];
  readonly clientCertificate: string | undefined;
}

export interface Route {
  readonly id: string;
  readonly name: string | undefined;
  readonly service: string | undefined;
  readonly protocols: readonly string[];
  readonly methods: readonly string[];
  readonly hosts: readonly string[];
  readonly paths: readonly string[];
  readonly snis: readonly string[];
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly regexPriority: number;
  readonly stripPath: boolean;
  readonly preserveHost: boolean;
  readonly httpsRedirectStatusCode: number;
}

export interface Plugin {
  readonly id: string;
  readonly name: string;
  readonly config: Row;
  readonly route: string | undefined;
  readonly service: string | undefined;
  readonly consumer: string | undefined;
}

export interface Upstream {
  readonly id: string;
  readonly name: string;
  readonly hostHeader: string | undefined;
  readonly targets: readonly Target[];
}

export interface Target {
  /** `host:port`, an IPv6 address in brackets. */
  readonly target: string;
  readonly weight: number;
}

export interface Consumer {
  readonly id: string;
  readonly username: string | undefined;
  readonly customId: string | undefined;
}

export interface KeyauthCredential {
  readonly id: string;
  readonly consumer: string;
  /** End of validity, ms since 1970; undefined for ever. */
  readonly expiresAt: number | undefined;
}

export interface Certificate {
  readonly cert: string;
  readonly key: string;
  readonly certAlt: string | undefined;
  readonly keyAlt: string | undefined;
}

export interface Configuration {
  readonly services: ReadonlyMap<string, Service>;
  readonly routes: readonly Route[];
  readonly plugins: readonly Plugin[];
  /** By name, which is what a service's host names. */
  readonly upstreams: ReadonlyMap<string, Upstream>;
  readonly consumers: ReadonlyMap<string, Consumer>;
  /** By key. */
  readonly keyauthCredentials: ReadonlyMap<string, KeyauthCredential>;
  readonly certificates: ReadonlyMap<string, Certificate>;
  /** SNI → certificate id. */
  readonly snis: ReadonlyMap<string, string>;
  /** Id → PEM. */
  readonly caCertificates: ReadonlyMap<string, string>;
}

const STREAM_PROTOCOLS = new Set(['tcp', 'udp', 'tls', 'tls_passthrough']);

function serviceOf(row: Row): Service {
  const protocol = text(row, 'protocol') ?? 'http';
  return {
    id: text(row, 'id') ?? '',
    name: text(row, 'name'),
    protocol,
    host: text(row, 'host') ?? '',
    port: number(row, 'port') ?? (protocol === 'https' ? 443 : 80),
    path: text(row, 'path'),
    retries: number(row, 'retries') ?? 5,
    connectTimeout: number(row, 'connect_timeout') ?? 60_000,
    readTimeout: number(row, 'read_timeout') ?? 60_000,
    writeTimeout: number(row, 'write_timeout') ?? 60_000,
    tlsVerify: flag(row, 'tls_verify'),
    caCertificates: texts(row, 'ca_certificates'),
    clientCertificate: text(row, 'client_certificate_id'),
  };
}

function routeOf(row: Row): Route {
  const headers = object(row, 'headers');
  return {
    id: text(row, 'id') ?? '',
    name: text(row, 'name'),
    service: text(row, 'service_id'),
    protocols: texts(row, 'protocols'),
    methods: texts(row, 'methods'),
    hosts: texts(row, 'hosts'),
    paths: texts(row, 'paths'),
    snis: texts(row, 'snis'),
    headers: new Map(Object.keys(headers).map((name) => [name.toLowerCase(), texts(headers, name)])),
    regexPriority: number(row, 'regex_priority') ?? 0,
    stripPath: flag(row, 'strip_path') ?? true,
    preserveHost: flag(row, 'preserve_host') ?? false,
    httpsRedirectStatusCode: number(row, 'https_redirect_status_code') ?? 426,
  };
}

function pluginOf(row: Row): Plugin {
  return {
    id: text(row, 'id') ?? '',
    name: text(row, 'name') ?? '',
    config: object(row, 'config'),
    route: text(row, 'route_id'),
    service: text(row, 'service_id'),
    consumer: text(row, 'consumer_id'),
  };
}

function upstreamsOf(tables: Tables): Map<string, Upstream> {
  const targets = Map.groupBy(tables['targets'] ?? [], (row) => text(row, 'upstream_id') ?? '');
  return new Map(
    (tables['upstreams'] ?? []).map((row) => {
      const id = text(row, 'id') ?? '';
      const name = text(row, 'name') ?? '';
      const own = (targets.get(id) ?? []).map((target) => ({
        target: text(target, 'target') ?? '',
        weight: number(target, 'weight') ?? 100,
      }));
      return [name, { id, name, hostHeader: text(row, 'host_header'), targets: own }];
    }),
  );
}

function credentialOf(row: Row): KeyauthCredential {
  const ttl = text(row, 'ttl');
  return {
    id: text(row, 'id') ?? '',
    consumer: text(row, 'consumer_id') ?? '',
    expiresAt: ttl === undefined ? undefined : Date.parse(ttl),
  };
}

function certificateOf(row: Row): Certificate {
  return {
    cert: text(row, 'cert') ?? '',
    key: text(row, 'key') ?? '',
    certAlt: text(row, 'cert_alt'),
    keyAlt: text(row, 'key_alt'),
  };
}

function byId<T>(rows: readonly Row[] | undefined, read: (row: Row) => T): Map<string, T> {
  return new Map((rows ?? []).map((row) => [text(row, 'id') ?? '', read(row)]));
}

/** Reads a data plane's HTTP configuration from rows of Kong's tables; stream routes are left out. */
export function configurationOf(tables: Tables): Configuration {
  return {
    services: byId(tables['services'], serviceOf),
    routes: (tables['routes'] ?? [])
      .map(routeOf)
      .filter((route) => !route.protocols.some((protocol) => STREAM_PROTOCOLS.has(protocol))),
    plugins: (tables['plugins'] ?? []).map(pluginOf),
    upstreams: upstreamsOf(tables),
    consumers: byId(tables['consumers'], (row) => ({
      id: text(row, 'id') ?? '',
      username: text(row, 'username'),
      customId: text(row, 'custom_id'),
    })),
    keyauthCredentials: new Map(
      (tables['keyauth_credentials'] ?? []).map((row) => [text(row, 'key') ?? '', credentialOf(row)]),
    ),
    certificates: byId(tables['certificates'], certificateOf),
    snis: new Map((tables['snis'] ?? []).map((row) => [text(row, 'name') ?? '', text(row, 'certificate_id') ?? ''])),
    caCertificates: byId(tables['ca_certificates'], (row) => text(row, 'cert') ?? ''),
  };
}

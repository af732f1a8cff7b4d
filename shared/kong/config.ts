import { integer, list, optional, url } from '../environment.ts';
import type { Environment } from '../environment.ts';
import { AppError } from '../errors.ts';

/** A Service of the cluster behind which the Admin API's nodes are (Gateway Discovery, KIC §4.6). */
export interface AdminService {
  readonly namespace: string;
  readonly name: string;
  /** Names of the ports that are the Admin API's. */
  readonly portNames: readonly string[];
}

/** TLS to the Admin API, PEM texts. */
export interface AdminTls {
  /** Who signed the nodes' certificates, or a self-signed one itself; undefined for the well-known authorities. */
  readonly ca?: string;
  /** Ours, with its key, for nodes that ask for one. */
  readonly certificate?: string;
  readonly key?: string;
  /** The name that every node's certificate must have, in place of the address'. */
  readonly serverName?: string;
}

/** How to reach Kong's Admin API. */
export interface AdminConfig {
  /** Addresses in order of preference, without a trailing slash; empty when `adminService` finds them. */
  readonly adminUrls: readonly string[];
  readonly adminService?: AdminService;
  /** Sent as `Kong-Admin-Token` when set. */
  readonly adminToken: string | undefined;
  readonly adminTls?: AdminTls;
  /** Sent with every request. */
  readonly adminHeaders?: Readonly<Record<string, string>>;
  /** Parallel requests inside a level (the knee on a real Kong is about 10). */
  readonly adminConcurrency: number;
  /** One request, ms. */
  readonly adminTimeoutMs: number;
}

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
/** RFC 9110 §5.1 and §5.5, ASCII. */
const HEADER = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x20-\x7e]+)$/;
const PEM = /-----BEGIN [A-Z ]+-----[\s\S]+-----END [A-Z ]+-----/;

function addresses(env: Environment): readonly string[] {
  return list(env, 'KONG_ADMIN_URL', []).map((item) => url('KONG_ADMIN_URL', item, ['http:', 'https:']));
}

function service(env: Environment): AdminService | undefined {
  const value = optional(env, 'KONG_ADMIN_SERVICE');
  if (value === undefined) return undefined;
  const [namespace = '', name = '', ...rest] = value.split('/');
  if (!DNS_LABEL.test(namespace) || !DNS_LABEL.test(name) || rest.length > 0) {
    throw new AppError('CONFIG_INVALID', 'KONG_ADMIN_SERVICE must be like namespace/name');
  }
  const portNames = list(env, 'KONG_ADMIN_SERVICE_PORT_NAMES', ['admin-tls', 'kong-admin-tls']);
  return { namespace, name, portNames };
}

/** Values may be secrets and are never repeated. */
function headers(env: Environment): Readonly<Record<string, string>> {
  return Object.fromEntries(
    list(env, 'KONG_ADMIN_HEADERS', []).map((item): readonly [string, string] => {
      const [, name, value] = HEADER.exec(item) ?? [];
      if (name === undefined || value === undefined) {
        throw new AppError('CONFIG_INVALID', 'KONG_ADMIN_HEADERS must be a list like name:value,name:value');
      }
      return [name, value.trim()];
    }),
  );
}

function pem(env: Environment, name: string): string | undefined {
  const value = optional(env, name);
  if (value !== undefined && !PEM.test(value)) throw new AppError('CONFIG_INVALID', `${name} must be PEM`);
  return value;
}

function tls(env: Environment): AdminTls {
  const ca = pem(env, 'KONG_ADMIN_CA');
  const certificate = pem(env, 'KONG_ADMIN_CLIENT_CERTIFICATE');
  const key = pem(env, 'KONG_ADMIN_CLIENT_KEY');
  const serverName = optional(env, 'KONG_ADMIN_TLS_SERVER_NAME');
  if ((certificate === undefined) !== (key === undefined)) {
    throw new AppError(
      'CONFIG_INVALID',
      'KONG_ADMIN_CLIENT_CERTIFICATE and KONG_ADMIN_CLIENT_KEY must be set together',
    );
  }
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(certificate === undefined || key === undefined ? {} : { certificate, key }),
    ...(serverName === undefined ? {} : { serverName }),
  };
}

/** Reads the KONG_ADMIN_* settings. Throws CONFIG_INVALID, never with a value in it. */
export function adminConfig(env: Environment): AdminConfig {
  const adminUrls = addresses(env);
  const adminService = service(env);
  if (adminUrls.length === 0 && adminService === undefined) {
    throw new AppError('CONFIG_INVALID', 'neither KONG_ADMIN_URL nor KONG_ADMIN_SERVICE is set');
  }
  if (adminUrls.length > 0 && adminService !== undefined) {
    throw new AppError('CONFIG_INVALID', 'KONG_ADMIN_URL and KONG_ADMIN_SERVICE exclude each other');
  }
  return {
    adminUrls,
    ...(adminService === undefined ? {} : { adminService }),
    adminToken: optional(env, 'KONG_ADMIN_TOKEN'),
    adminTls: tls(env),
    adminHeaders: headers(env),
    adminConcurrency: integer(env, 'KONG_ADMIN_CONCURRENCY', 10, 1),
    adminTimeoutMs: integer(env, 'KONG_ADMIN_TIMEOUT_MS', 10_000, 1),
  };
}

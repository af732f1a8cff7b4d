import { AppError } from '../errors.ts';
import { isRecord } from '../json.ts';
import type { JsonRecord } from '../json.ts';
import { number, text } from './json.ts';

/** What a Kong node says about itself (`GET /`), times in seconds. */
export interface KongRoot {
  readonly nodeId: string;
  readonly version: string;
  readonly edition: 'community' | 'enterprise';
  readonly role: 'traditional' | 'control_plane' | 'data_plane';
  readonly database: string;
  /** Its PostgreSQL as `host:port/database`, with `?schema` unless that is `public`; undefined when it does not show it. */
  readonly databaseAddress: string | undefined;
  readonly routerFlavor: 'traditional' | 'traditional_compatible' | 'expressions';
  /** s: how often nodes poll, and how long a control plane pauses after a push (DB §2.2, §3.1). */
  readonly dbUpdateFrequency: number;
  /** s: how far back a poll looks. */
  readonly dbUpdatePropagation: number;
  /** s: each worker's timer for router and plugins. */
  readonly workerStateUpdateFrequency: number;
  readonly workerConsistency: string;
  /** Set when Kong reads from a replica, which makes proofs weaker (DB §2.2). */
  readonly readOnlyHost: string | undefined;
  /** Bytes, compressed. */
  readonly clusterMaxPayload: number | undefined;
  readonly plugins: readonly string[];
  /** Name → version of the plugins of `plugins`; those without a version have an empty one. */
  readonly pluginVersions: ReadonlyMap<string, string>;
}

function known<T extends string>(value: unknown, allowed: readonly T[], fallback: T): T {
  return allowed.find((item) => item === value) ?? fallback;
}

/** `host:port/database`, with `?schema` unless that is PostgreSQL's own. */
export function databaseAddress(host: string, port: number, database: string, schema: string | undefined): string {
  const suffix = schema === undefined || schema === '' || schema === 'public' ? '' : `?${schema}`;
  return `${host.toLowerCase()}:${port}/${database}${suffix}`;
}

function addressOf(settings: JsonRecord): string | undefined {
  const [host, port, database] = [text(settings.pg_host), number(settings.pg_port), text(settings.pg_database)];
  if (host === undefined || port === undefined || database === undefined) return undefined;
  return databaseAddress(host, port, database, text(settings.pg_schema));
}

/** Parses `GET /`. Throws KONG_ANSWER_INVALID when it is not Kong's. */
export function kongRoot(data: unknown): KongRoot {
  const body = isRecord(data) ? data : {};
  const settings = isRecord(body.configuration) ? body.configuration : undefined;
  const version = text(body.version);
  if (settings === undefined || version === undefined) {
    throw new AppError('KONG_ANSWER_INVALID', 'GET / of the Admin API does not look like Kong');
  }
  const plugins =
    isRecord(body.plugins) && isRecord(body.plugins.available_on_server) ? body.plugins.available_on_server : {};
  return {
    nodeId: text(body.node_id) ?? '',
    version,
    // Enterprise before 3.4 shows it in the version alone (`3.3.1.0-enterprise-edition`).
    edition: body.edition === 'enterprise' || version.includes('enterprise') ? 'enterprise' : 'community',
    role: known(settings.role, ['traditional', 'control_plane', 'data_plane'], 'traditional'),
    database: text(settings.database) ?? '',
    databaseAddress: addressOf(settings),
    routerFlavor: known(
      settings.router_flavor,
      ['traditional', 'traditional_compatible', 'expressions'],
      'traditional_compatible',
    ),
    dbUpdateFrequency: number(settings.db_update_frequency) ?? 5,
    dbUpdatePropagation: number(settings.db_update_propagation) ?? 0,
    workerStateUpdateFrequency: number(settings.worker_state_update_frequency) ?? 5,
    workerConsistency: text(settings.worker_consistency) ?? 'eventual',
    readOnlyHost: text(settings.pg_ro_host),
    clusterMaxPayload: number(settings.cluster_max_payload),
    plugins: Object.keys(plugins).toSorted(),
    pluginVersions: new Map(
      Object.entries(plugins).map(([name, of]) => [name, isRecord(of) ? (text(of.version) ?? '') : '']),
    ),
  };
}

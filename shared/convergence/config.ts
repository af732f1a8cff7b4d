import { integer } from '../config.ts';
import { boolean, choice, list, optional, required, url } from '../environment.ts';
import type { Environment } from '../config.ts';
import type { LiveSet } from './hybrid-verdict.ts';
import type { StatusConfig } from './status-api.ts';
import type { DataPlaneService } from './live.ts';
import { AppError } from '../errors.ts';
import type { ClusterConfig } from './shadow.ts';

/** What convergence cannot learn from Kong. */
export interface ConvergenceConfig {
  /** Control plane nodes that share the database: more than one makes every proof take longer (DB §2.7). */
  readonly controlPlanes: number;
  /** Which hybrid data planes count. */
  readonly live: LiveSet;
  /** From then on a silent hybrid data plane counts as cut off, ms; 45,000 unless given, as Kong's pings come every 30 s. */
  readonly silentAfterMs?: number;
  /**
   * What a data plane that Kong refuses to configure does to `Programmed`: it blocks it, as it never serves the change,
   * or it is left out, because it is to be replaced anyway.
   */
  readonly incompatible: 'block' | 'ignore';
  /** How to join the control planes as a silent data plane; left out: verdicts rest on the database alone. */
  readonly cluster?: ClusterConfig;
  /** Traditional: whether the nodes that did not write are told through their caches what is out of date. */
  readonly pushInvalidate: boolean;
  /** Name, id or address of a node → its proxy, for the canary. */
  readonly probeUrls?: ReadonlyMap<string, string>;
  /** Which data planes are asked for what they hold. */
  readonly status: StatusConfig;
  /** The Service whose ready pods are the data planes that count. */
  readonly service?: DataPlaneService;
}

/** `name=url` pairs. Throws CONFIG_INVALID. */
function nodeUrls(env: Environment, name: string, port: number): ReadonlyMap<string, string> {
  return new Map(
    list(env, name, []).map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new AppError('CONFIG_INVALID', `${name} must be a list like dp-1=http://10.0.0.1:${port}`);
      return [pair.slice(0, at), url(name, pair.slice(at + 1), ['http:', 'https:'])];
    }),
  );
}

function dataPlaneService(env: Environment): DataPlaneService | undefined {
  const value = optional(env, 'KONG_DATA_PLANE_SERVICE');
  if (value === undefined) return undefined;
  const [namespace, name, ...more] = value.split('/');
  if (!namespace || !name || more.length > 0) {
    throw new AppError('CONFIG_INVALID', 'KONG_DATA_PLANE_SERVICE must be namespace/name');
  }
  return { namespace, name };
}

/** Kong's own limit is 16 MiB (`cluster_max_payload`). */
const MAX_FRAME_BYTES = 16 * 1024 * 1024;

/** Reads how to join the control planes; undefined without KONG_CLUSTER_URL. Throws CONFIG_INVALID. */
function clusterConfig(env: Environment): ClusterConfig | undefined {
  const urls = list(env, 'KONG_CLUSTER_URL', []).map((item) => url('KONG_CLUSTER_URL', item, ['wss:']));
  if (urls.length === 0) return undefined;
  const certificate = required(env, 'KONG_CLUSTER_CERTIFICATE');
  return {
    urls,
    certificate,
    key: required(env, 'KONG_CLUSTER_KEY'),
    ca: optional(env, 'KONG_CLUSTER_CA') ?? certificate,
    serverName: optional(env, 'KONG_CLUSTER_SERVER_NAME') ?? 'kong_clustering',
    maxFrameBytes: integer(env, 'KONG_CLUSTER_MAX_FRAME_BYTES', MAX_FRAME_BYTES, 1024),
  };
}

/**
 * Reads KONG_CONTROL_PLANES (2 unless set: a Service may hide several), KONG_DATA_PLANES (names, ids or addresses),
 * KONG_DATA_PLANE_FORGET_SECONDS (300), KONG_DATA_PLANE_SILENT_SECONDS (45), KONG_INCOMPATIBLE_DATA_PLANES (block),
 * KONG_DATA_PLANE_SERVICE, KONG_DATA_PLANE_STATUS_PORT, KONG_STATUS_URLS, KONG_PROBE_URLS, KONG_PUSH_INVALIDATE and KONG_CLUSTER_*. Throws CONFIG_INVALID.
 */
export function convergenceConfig(env: Environment): ConvergenceConfig {
  const nodes = (env.KONG_DATA_PLANES ?? '')
    .split(',')
    .map((node) => node.trim())
    .filter((node) => node !== '');
  const cluster = clusterConfig(env);
  const service = dataPlaneService(env);
  const podPort = integer(env, 'KONG_DATA_PLANE_STATUS_PORT', 0);
  const forgetAfterMs = integer(env, 'KONG_DATA_PLANE_FORGET_SECONDS', 300, 45) * 1000;
  return {
    controlPlanes: integer(env, 'KONG_CONTROL_PLANES', 2, 1),
    live: nodes.length > 0 ? { kind: 'list', nodes } : { kind: 'seen', forgetAfterMs },
    silentAfterMs: integer(env, 'KONG_DATA_PLANE_SILENT_SECONDS', 45, 1) * 1000,
    ...(cluster === undefined ? {} : { cluster }),
    ...(service === undefined ? {} : { service }),
    probeUrls: nodeUrls(env, 'KONG_PROBE_URLS', 8000),
    pushInvalidate: boolean(env, 'KONG_PUSH_INVALIDATE', false),
    status: { urls: nodeUrls(env, 'KONG_STATUS_URLS', 8100), podPort: podPort === 0 ? undefined : podPort },
    incompatible: choice(env, 'KONG_INCOMPATIBLE_DATA_PLANES', ['block', 'ignore'], 'block'),
  };
}

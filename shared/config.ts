import type { Credentials, CredentialSource } from './access/credentials.ts';
import { boolean, integer, list, optional, required, url, type Environment } from './environment.ts';
import { AppError } from './errors.ts';
import { indexSchema } from './index/schema.ts';
import { adminConfig } from './kong/config.ts';
import type { AdminConfig } from './kong/config.ts';
import type { TranslateOptions } from './translate/types.ts';

export { kubernetesConfig } from './access/config.ts';
export { integer } from './environment.ts';
export type { Environment } from './environment.ts';

/** How to reach Kong's control plane and its database. */
export interface KongConfig extends AdminConfig {
  /** Enterprise workspace, `''` for none: path prefix and part of the id keys. */
  readonly workspace: string;
  /** Tags that mark what is ours (KIC `--kong-admin-filter-tag`). */
  readonly filterTags: readonly string[];
  /** Kong's own PostgreSQL. */
  readonly databaseUrl: string;
  /** PostgreSQL of the dependency index; Kong's unless set. */
  readonly stateDatabaseUrl: string;
  /** Whether each revision ends with a route that data planes can be probed for; not unless set. */
  readonly canary?: boolean;
}

/** How to reach a cluster's API server. The credentials are those that are known beforehand. */
export interface KubernetesConfig extends Credentials {
  /** The cluster's name in events, refs and the index. */
  readonly cluster: string;
  /** `https://…` without a trailing slash. */
  readonly url: string;
  /** One request, ms. */
  readonly timeoutMs: number;
  /** Gives credentials that change while the function lives; it decides where it is there. */
  readonly source?: CredentialSource;
}

/** How slices run. */
export interface SliceConfig {
  /** How long to wait for another writer, ms. */
  readonly lockWaitMs: number;
  /** Roots that one slice starts with; the others wait for the next one, so that slices in between get through. */
  readonly maxRoots: number;
  /** Pauses before looking again at an object that was not stored yet when its event came, ms. */
  readonly earlyDelaysMs: readonly number[];
}

/** Kong Ingress Controller's own name, so that its GatewayClasses and what it wrote into statuses are taken over. */
export const GATEWAY_CONTROLLER = 'konghq.com/kic-gateway-controller';

const POSTGRES = ['postgres:', 'postgresql:'];

/** Reads KONG_* settings. Throws CONFIG_INVALID. */
export function kongConfig(env: Environment): KongConfig {
  const stateUrl = optional(env, 'KONG_STATE_DATABASE_URL');
  const databaseUrl = url('KONG_DATABASE_URL', required(env, 'KONG_DATABASE_URL'), POSTGRES);
  const filterTags = list(env, 'KONG_FILTER_TAGS', ['managed-by-ingress-controller']);
  if (filterTags.length === 0) throw new AppError('CONFIG_INVALID', 'KONG_FILTER_TAGS must name at least one tag');
  return {
    ...adminConfig(env),
    workspace: optional(env, 'KONG_WORKSPACE') ?? '',
    filterTags,
    databaseUrl,
    stateDatabaseUrl: stateUrl === undefined ? databaseUrl : url('KONG_STATE_DATABASE_URL', stateUrl, POSTGRES),
    canary: boolean(env, 'KONG_CANARY', false),
  };
}

/** The schema of the index: each cluster and each workspace has its own. */
export function stateSchema(env: Environment): string {
  return indexSchema(optional(env, 'CLUSTER_NAME') ?? 'default', optional(env, 'KONG_WORKSPACE') ?? '');
}

/** Whether objects get Events. Throws CONFIG_INVALID. */
export function eventsEnabled(env: Environment): boolean {
  return boolean(env, 'KUBERNETES_EVENTS', true);
}

/** Reads how slices run. Throws CONFIG_INVALID. */
export function sliceConfig(env: Environment): SliceConfig {
  const delays = list(env, 'EARLY_DELAYS_MS', ['100', '300', '600']).map(Number);
  if (!delays.every((delay) => Number.isInteger(delay) && delay >= 0)) {
    throw new AppError('CONFIG_INVALID', 'EARLY_DELAYS_MS must be a list of whole numbers like 100,300,600');
  }
  return {
    lockWaitMs: integer(env, 'LOCK_WAIT_MS', 15_000, 1),
    maxRoots: integer(env, 'SLICE_MAX_ROOTS', 200, 1),
    earlyDelaysMs: delays,
  };
}

/** Reads what translation depends on. Router flavour, version and edition are Kong's (`GET /`) unless set here. Throws CONFIG_INVALID. */
export function translateOptions(
  env: Environment,
  kong: Pick<TranslateOptions, 'routerFlavor' | 'kongVersion' | 'kongEdition'>,
): TranslateOptions {
  const flavor = optional(env, 'KONG_ROUTER_FLAVOR');
  if (
    flavor !== undefined &&
    flavor !== 'traditional' &&
    flavor !== 'traditional_compatible' &&
    flavor !== 'expressions'
  ) {
    throw new AppError(
      'CONFIG_INVALID',
      'KONG_ROUTER_FLAVOR must be traditional, traditional_compatible or expressions',
    );
  }
  const featureGates: Record<string, boolean> = {};
  for (const gate of list(env, 'FEATURE_GATES', [])) {
    const [name, value] = gate.split('=');
    if (name === undefined || (value !== 'true' && value !== 'false')) {
      throw new AppError('CONFIG_INVALID', 'FEATURE_GATES must be a list like RewriteURIs=true,GatewayAlpha=false');
    }
    featureGates[name] = value === 'true';
  }
  return {
    cluster: optional(env, 'CLUSTER_NAME') ?? 'default',
    ingressClass: optional(env, 'INGRESS_CLASS') ?? 'kong',
    gatewayController: optional(env, 'GATEWAY_API_CONTROLLER_NAME') ?? GATEWAY_CONTROLLER,
    routerFlavor: flavor === undefined ? kong.routerFlavor : flavor === 'expressions' ? 'expressions' : 'traditional',
    workspace: optional(env, 'KONG_WORKSPACE') ?? '',
    clusterDomain: optional(env, 'CLUSTER_DOMAIN') ?? '',
    drainSupport: boolean(env, 'DRAIN_SUPPORT', false),
    featureGates,
    kongVersion: kong.kongVersion,
    kongEdition: kong.kongEdition,
    raw: false,
  };
}

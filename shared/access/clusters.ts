import { list, optional, type Environment } from '../environment.ts';
import { AppError } from '../errors.ts';
import { isRecord, parseJson } from '../json.ts';

/** One cluster that a deployment serves, with its settings. */
export interface ClusterSettings {
  readonly name: string;
  /** The deployment's settings, the cluster's own in their place; CLUSTER_NAME is the name. */
  readonly env: Environment;
}

/** What a cluster may have of its own; anything else is the deployment's. */
const OWN = /^(?:KONG|KUBERNETES)_[A-Z0-9_]+$/;
const OWN_NAMES: ReadonlySet<string> = new Set([
  'AUDIT_LOG_GROUP',
  'CLUSTER_DOMAIN',
  'DRAIN_SUPPORT',
  'FEATURE_GATES',
  'INGRESS_CLASS',
  'OWN_USERS',
  'WEBHOOK_KINDS',
]);
/** In events, in the index and before a token's colon. */
const NAME = /^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$/;

function invalid(problem: string): AppError {
  return new AppError('CONFIG_INVALID', `CLUSTERS ${problem}`);
}

function ownSettings(name: string, settings: unknown): Record<string, string> {
  if (!NAME.test(name)) throw invalid(`has a cluster whose name is not made of a-z, 0-9, "-" and "."`);
  if (!isRecord(settings)) throw invalid(`must hold an object for ${name}`);
  return Object.fromEntries(
    Object.entries(settings).map(([setting, value]): readonly [string, string] => {
      if (!OWN.test(setting) && !OWN_NAMES.has(setting)) throw invalid(`has ${setting} for ${name}, which all share`);
      // The value is not repeated: it may be a secret.
      if (typeof value !== 'string') throw invalid(`has for ${name} a ${setting} that is no text`);
      return [setting, value];
    }),
  );
}

/**
 * The clusters of CLUSTERS, a JSON object `{ "<name>": { "<setting>": "<value>", … }, … }`; without it the one of
 * CLUSTER_NAME. The document itself must be resolved, values in it may still be references. Throws CONFIG_INVALID.
 */
export function clusterSettings(env: Environment): readonly [ClusterSettings, ...ClusterSettings[]] {
  const text = optional(env, 'CLUSTERS');
  if (text === undefined) return [{ name: optional(env, 'CLUSTER_NAME') ?? 'default', env }];
  const document = parseJson(text);
  if (!isRecord(document)) throw invalid('is not a JSON object');
  const [first, ...others] = Object.entries(document).map(([name, settings]) => ({
    name,
    env: { ...env, ...ownSettings(name, settings), CLUSTERS: undefined, CLUSTER_NAME: name },
  }));
  if (first === undefined) throw invalid('names no cluster');
  return [first, ...others];
}

/** Where a cluster's entities are, and what tells them from others. */
interface Place {
  readonly name: string;
  /** Ways to one Kong: its database, the addresses of its Admin API, its Service. */
  readonly kong: ReadonlySet<string>;
  readonly tags: ReadonlySet<string>;
}

function databaseOf(env: Environment): string | undefined {
  const url = URL.parse(optional(env, 'KONG_DATABASE_URL') ?? '');
  return url === null ? undefined : `database ${url.hostname}:${url.port || '5432'}${url.pathname}`;
}

function placeOf({ name, env }: ClusterSettings): Place {
  const service = optional(env, 'KONG_ADMIN_SERVICE');
  const ways = [
    databaseOf(env),
    ...list(env, 'KONG_ADMIN_URL', []).map((url) => url.replace(/\/+$/, '').toLowerCase()),
    service === undefined ? undefined : `service ${optional(env, 'KUBERNETES_URL') ?? ''} ${service}`,
  ];
  return {
    name,
    kong: new Set(ways.filter((way) => way !== undefined)),
    tags: new Set(list(env, 'KONG_FILTER_TAGS', ['managed-by-ingress-controller'])),
  };
}

function holds(all: ReadonlySet<string>, some: ReadonlySet<string>): boolean {
  return [...some].every((item) => all.has(item));
}

/**
 * Makes sure that no cluster takes another's entities for its own, and so for nobody's: whoever shares a Kong needs filter
 * tags of which neither set holds the other. A workspace is not enough, as CA certificates are in none. Settings must be
 * resolved. Throws CONFIG_INVALID.
 */
export function assertApart(clusters: readonly ClusterSettings[]): void {
  const places = clusters.map(placeOf);
  for (const [index, one] of places.entries()) {
    for (const other of places.slice(index + 1)) {
      const nested = holds(one.tags, other.tags) || holds(other.tags, one.tags);
      if (!nested || ![...one.kong].some((way) => other.kong.has(way))) continue;
      throw invalid(
        `lets ${one.name} and ${other.name} share a Kong with the same KONG_FILTER_TAGS, or with some that hold the other's: each would delete what the other made`,
      );
    }
  }
}

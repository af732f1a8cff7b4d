import { clusterSettings, type ClusterSettings } from '../access/clusters.ts';
import { integer, list, optional, required, type Environment } from '../environment.ts';
import { AppError } from '../errors.ts';
import { isKind } from '../kubernetes/kinds.ts';
import type { Kind } from '../kubernetes/resources.ts';
import type { TokenOf } from './authenticate.ts';

/** What the receiver knows of a cluster that calls. */
export interface WebhookCluster {
  readonly name: string;
  /** User names whose writes are our own (status) and not changes. */
  readonly ownUsers: readonly string[];
  /** The kinds whose changes are taken; undefined for all that are known. */
  readonly kinds: ReadonlySet<Kind> | undefined;
  /** Where its audit log is, when CloudWatch has it. */
  readonly logGroup: string | undefined;
}

export interface WebhookConfig {
  readonly eventBusName: string;
  readonly clusters: readonly [WebhookCluster, ...WebhookCluster[]];
  /** Any of them is accepted, so that tokens can be rotated; each belongs to one cluster. */
  readonly tokens: readonly TokenOf<WebhookCluster>[];
  /** SHA-256 fingerprints of client certificates, of which one is needed beside the token; empty when none is. */
  readonly certificates: readonly string[];
  /** Largest body accepted, bytes (Lambda itself takes at most 6 MB). */
  readonly maxBodyBytes: number;
  /** Most audit events or CloudEvents in one request. */
  readonly maxItems: number;
  /** How long ago what a request tells of may have been seen, ms: what is older, a reconcile has seen since. */
  readonly maxAgeMs: number;
  /** Whether admission reviews are judged, and what holds for those that cannot be: allowed (`open`) or refused. */
  readonly admission: 'off' | 'open' | 'closed';
}

function kindsOf(env: Environment): ReadonlySet<Kind> | undefined {
  const names = list(env, 'WEBHOOK_KINDS', []);
  const unknown = names.find((name) => !isKind(name));
  if (unknown !== undefined) throw new AppError('CONFIG_INVALID', `WEBHOOK_KINDS has ${unknown}, which is no kind`);
  return names.length === 0 ? undefined : new Set(names.filter(isKind));
}

function clusterOf({ name, env }: ClusterSettings): WebhookCluster {
  return {
    name,
    ownUsers: list(env, 'OWN_USERS', ['system:serviceaccount:kong:kong-ingress-functions']),
    kinds: kindsOf(env),
    logGroup: optional(env, 'AUDIT_LOG_GROUP'),
  };
}

/**
 * The clusters of WEBHOOK_TOKENS: `<cluster>:<token>`, where there is one cluster also without its name. Whoever has a token
 * speaks for its cluster, so none may be in two.
 */
function tokensOf(env: Environment, clusters: WebhookConfig['clusters']): WebhookConfig['tokens'] {
  const tokens = list(env, 'WEBHOOK_TOKENS', []).map((item): TokenOf<WebhookCluster> => {
    const named = clusters.find(({ name }) => item.startsWith(`${name}:`));
    if (named !== undefined) return { token: item.slice(named.name.length + 1), of: named };
    if (clusters.length === 1) return { token: item, of: clusters[0] };
    throw new AppError('CONFIG_INVALID', 'with several clusters each of WEBHOOK_TOKENS must be <cluster>:<token>');
  });
  if (tokens.length === 0) throw new AppError('CONFIG_INVALID', 'WEBHOOK_TOKENS must hold at least one token');
  if (tokens.some(({ token }) => token === ''))
    throw new AppError('CONFIG_INVALID', 'WEBHOOK_TOKENS has an empty token');
  for (const { token, of } of tokens) {
    if (!tokens.some((other) => other.token === token && other.of !== of)) continue;
    throw new AppError('CONFIG_INVALID', `WEBHOOK_TOKENS has one token for ${of.name} and for another cluster`);
  }
  return tokens;
}

const FINGERPRINT = /^[0-9A-F]{64}$/;

/** With or without colons, in either case. */
function certificates(env: Environment): readonly string[] {
  return list(env, 'WEBHOOK_CLIENT_CERTIFICATES', []).map((item) => {
    const fingerprint = item.replaceAll(':', '').toUpperCase();
    if (FINGERPRINT.test(fingerprint)) return fingerprint;
    throw new AppError('CONFIG_INVALID', 'WEBHOOK_CLIENT_CERTIFICATES must hold SHA-256 fingerprints');
  });
}

function admission(env: Environment): WebhookConfig['admission'] {
  const mode = optional(env, 'ADMISSION') ?? 'off';
  if (mode === 'off' || mode === 'open' || mode === 'closed') return mode;
  throw new AppError('CONFIG_INVALID', 'ADMISSION must be off, open or closed');
}

/** Reads the webhook's settings, CLUSTERS among them. Throws CONFIG_INVALID. */
export function webhookConfig(env: Environment): WebhookConfig {
  const [first, ...others] = clusterSettings(env);
  const clusters: WebhookConfig['clusters'] = [clusterOf(first), ...others.map(clusterOf)];
  return {
    eventBusName: required(env, 'EVENT_BUS_NAME'),
    clusters,
    tokens: tokensOf(env, clusters),
    certificates: certificates(env),
    maxBodyBytes: integer(env, 'WEBHOOK_MAX_BODY_BYTES', 5_000_000, 1),
    maxItems: integer(env, 'WEBHOOK_MAX_ITEMS', 1_000, 1),
    maxAgeMs: integer(env, 'WEBHOOK_MAX_AGE_SECONDS', 3_600, 60) * 1_000,
    admission: admission(env),
  };
}

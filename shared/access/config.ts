import type { KubernetesConfig } from '../config.ts';
import { integer, optional, required, url, type Environment } from '../environment.ts';
import type { CredentialSource } from './credentials.ts';
import { eksTokens } from './eks.ts';
import { parseReference } from './reference.ts';
import { regionOf } from './region.ts';
import type { SecretReader } from './secrets.ts';
import { serviceAccount } from './service-account.ts';
import { awsSecretReader } from './settings.ts';

/** Gives one field of the credentials; another one than `refused` if there is any. */
type Field = (refused?: string) => Promise<string | undefined>;

function constant(value: string | undefined): Field {
  return async () => value;
}

/** `https://…` of the API server as its pods know it; an IPv6 address goes in brackets. */
function ownCluster(env: Environment): string | undefined {
  const host = optional(env, 'KUBERNETES_SERVICE_HOST');
  if (host === undefined) return undefined;
  return `https://${host.includes(':') ? `[${host}]` : host}:${optional(env, 'KUBERNETES_SERVICE_PORT') ?? '443'}`;
}

function eksField(env: Environment): Field | undefined {
  const name = optional(env, 'KUBERNETES_EKS_CLUSTER');
  if (name === undefined) return undefined;
  return eksTokens({ name, region: optional(env, 'KUBERNETES_EKS_REGION') ?? regionOf(env) });
}

/** Where credentials come from that are no plain settings; undefined when all of them are. */
function sourceOf(
  settings: Settings,
  token: Field | undefined,
  secrets: () => SecretReader,
): CredentialSource | undefined {
  const references = Object.values(settings).some(
    (value) => value !== undefined && parseReference(value) !== undefined,
  );
  if (!references && token === undefined) return undefined;
  const reader = references ? secrets() : undefined;
  const field = (value: string | undefined): Field => {
    const reference = value === undefined ? undefined : parseReference(value);
    if (reference === undefined || reader === undefined) return constant(value);
    return (refused) => reader.read(reference, refused);
  };
  const fields = {
    ca: field(settings.ca),
    token: token ?? field(settings.token),
    clientCertificate: field(settings.clientCertificate),
    clientKey: field(settings.clientKey),
  };
  return {
    async current(refused) {
      const [ca, bearer, clientCertificate, clientKey] = await Promise.all([
        fields.ca(refused?.ca),
        fields.token(refused?.token),
        fields.clientCertificate(refused?.clientCertificate),
        fields.clientKey(refused?.clientKey),
      ]);
      return { ca, token: bearer, clientCertificate, clientKey };
    },
  };
}

interface Settings {
  readonly ca: string | undefined;
  readonly token: string | undefined;
  readonly clientCertificate: string | undefined;
  readonly clientKey: string | undefined;
}

/** References are nothing to send. */
function plain(value: string | undefined): string | undefined {
  return value === undefined || parseReference(value) !== undefined ? undefined : value;
}

/**
 * Reads KUBERNETES_* settings. Each of the credentials is a value or a reference (`secretsmanager:…#…`, `ssm:…`), which
 * is read when it is needed, and again when it is old or refused. KUBERNETES_EKS_CLUSTER signs tokens with the
 * function's own role. Without KUBERNETES_URL a pod uses its ServiceAccount. Throws CONFIG_INVALID.
 */
export function kubernetesConfig(
  env: Environment,
  secrets: () => SecretReader = () => awsSecretReader(env),
): KubernetesConfig {
  const own = optional(env, 'KUBERNETES_URL') === undefined ? ownCluster(env) : undefined;
  const settings: Settings = {
    ca: optional(env, 'KUBERNETES_CA'),
    token: optional(env, 'KUBERNETES_TOKEN'),
    clientCertificate: optional(env, 'KUBERNETES_CLIENT_CERTIFICATE'),
    clientKey: optional(env, 'KUBERNETES_CLIENT_KEY'),
  };
  const source = own === undefined ? sourceOf(settings, eksField(env), secrets) : serviceAccount();
  return {
    cluster: optional(env, 'CLUSTER_NAME') ?? 'default',
    url: own ?? url('KUBERNETES_URL', required(env, 'KUBERNETES_URL'), ['http:', 'https:']),
    ca: plain(settings.ca),
    token: plain(settings.token),
    clientCertificate: plain(settings.clientCertificate),
    clientKey: plain(settings.clientKey),
    timeoutMs: integer(env, 'KUBERNETES_TIMEOUT_MS', 10_000, 1),
    ...(source === undefined ? {} : { source }),
  };
}

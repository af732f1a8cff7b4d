import type { RequestOptions } from 'node:https';
import { type Cluster, KubeConfig } from '@kubernetes/client-node';
import { type CredentialSource, isRefused } from '../access/credentials.ts';
import { renewed } from '../access/renewed.ts';
import type { KubernetesConfig } from '../config.ts';
import { AppError } from '../errors.ts';

/** One request, ms, as `kubernetesConfig` has it. */
const TIMEOUT_MS = 10_000;

function read(path: string): KubeConfig {
  const kubeConfig = new KubeConfig();
  try {
    kubeConfig.loadFromFile(path);
  } catch {
    // The parser's message quotes the file, which holds credentials.
    throw new AppError('KUBECONFIG_INVALID', `${path} cannot be read as a kubeconfig`);
  }
  return kubeConfig;
}

/** What these functions' own client cannot do must not be dropped silently. */
function unsupported(cluster: Cluster): string | undefined {
  if (cluster.proxyUrl !== undefined) return 'proxy-url';
  if (cluster.tlsServerName !== undefined && cluster.tlsServerName !== '') return 'tls-server-name';
  if (cluster.skipTLSVerify && cluster.server.startsWith('https:')) return 'insecure-skip-tls-verify';
  return undefined;
}

function currentCluster(path: string, kubeConfig: KubeConfig): Cluster {
  const cluster = kubeConfig.getCurrentCluster();
  if (cluster === null || !/^https?:\/\//.test(cluster.server ?? '')) {
    throw new AppError('KUBECONFIG_INVALID', `${path}: the current context names no cluster with a server`);
  }
  const setting = unsupported(cluster);
  if (setting !== undefined) {
    throw new AppError('KUBECONFIG_INVALID', `${path}: ${setting} of cluster ${cluster.name} is not supported`);
  }
  return cluster;
}

/** TLS files and headers of the user, also those that a credential plugin (`exec`) makes. */
async function credentials(path: string, kubeConfig: KubeConfig, cluster: Cluster): Promise<RequestOptions> {
  const options: RequestOptions = {};
  const user = kubeConfig.getCurrentUser();
  if (user === null) return options;
  const plain = new KubeConfig();
  // The library refuses plain http, where there is no TLS to verify, unless told so.
  plain.loadFromClusterAndUser({ ...cluster, skipTLSVerify: cluster.server.startsWith('http:') }, user);
  try {
    await plain.applyToHTTPSOptions(options);
  } catch {
    throw new AppError('KUBECONFIG_INVALID', `${path}: the credentials of user ${user.name} cannot be had`);
  }
  return options;
}

function pem(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return Buffer.isBuffer(value) ? value.toString('utf8') : undefined;
}

function bearer(options: RequestOptions): string | undefined {
  const { headers } = options;
  const value: unknown =
    headers === undefined || Array.isArray(headers) ? undefined : Reflect.get(headers, 'Authorization');
  return typeof value === 'string' ? /^Bearer (.+)$/.exec(value)?.[1] : undefined;
}

/**
 * The settings of a kubeconfig's current context: inline data, files, tokens and credential plugins. `clusterName` is
 * the name that events, refs and the index use. Throws KUBECONFIG_INVALID, whose message never holds credentials.
 */
export async function loadKubeconfig(path: string, clusterName = 'default'): Promise<KubernetesConfig> {
  const kubeConfig = read(path);
  const cluster = currentCluster(path, kubeConfig);
  const options = await credentials(path, kubeConfig, cluster);
  return {
    cluster: clusterName,
    url: cluster.server.replace(/\/+$/, ''),
    ca: pem(options.ca),
    token: bearer(options),
    clientCertificate: pem(options.cert),
    clientKey: pem(options.key),
    timeoutMs: TIMEOUT_MS,
  };
}

/** The credentials of a kubeconfig's current context, got anew when they are refused: a plugin's tokens end. */
export function kubeconfigSource(path: string): CredentialSource {
  const load = renewed(async () => ({ value: await loadKubeconfig(path), until: Number.POSITIVE_INFINITY }));
  return {
    async current(refused) {
      const last = await load();
      return refused !== undefined && isRefused(last, refused) ? load(last) : last;
    },
  };
}

import {
  type Cluster,
  HttpMethod,
  KubeConfig,
  ServerConfiguration,
  type User,
  createConfiguration,
} from '@kubernetes/client-node';
import { type Credentials, sameCredentials } from '../access/credentials.ts';
import type { KubernetesConfig } from '../config.ts';
import { parseJson } from '../json.ts';
import { inParallel } from '../parallel.ts';
import { discoveredVersions } from './discovery.ts';
import { KINDS, isKind } from './kinds.ts';
import { listAll } from './list.ts';
import { renewing, sourceOf } from './renewal.ts';
import type { Kind, KubernetesObject } from './resources.ts';
import { ConnectionFailed, DEFAULT_RETRY, type RetryPolicy, type Transport, retrying } from './transport.ts';

/** Everything of the known kinds that a cluster holds. Objects being deleted and malformed ones are in it. */
export interface ClusterSnapshot {
  readonly objects: readonly KubernetesObject[];
  /** Of each kind's list; kinds differ, as no read spans them. Absent kinds have none. */
  readonly resourceVersions: Readonly<Record<string, string>>;
  /** Kinds whose CRD is not installed, by discovery. */
  readonly absent: readonly Kind[];
  /** HTTP requests sent, repeated ones included. */
  readonly requests: number;
}

/** Kinds listed at a time: more hides no more latency, but holds more pages in memory. */
const KINDS_AT_ONCE = 4;

function base64(pem: string): string {
  return Buffer.from(pem).toString('base64');
}

/** The library's form of the settings. */
export function kubeConfigOf(config: KubernetesConfig): KubeConfig {
  const cluster: Cluster = {
    name: config.cluster,
    server: config.url,
    ...(config.ca === undefined ? {} : { caData: base64(config.ca) }),
    // The library refuses plain http, where there is no TLS to verify, unless told so.
    skipTLSVerify: config.url.startsWith('http:'),
  };
  const user: User = {
    name: 'functions',
    ...(config.token === undefined ? {} : { token: config.token }),
    ...(config.clientCertificate === undefined ? {} : { certData: base64(config.clientCertificate) }),
    ...(config.clientKey === undefined ? {} : { keyData: base64(config.clientKey) }),
  };
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromClusterAndUser(cluster, user);
  return kubeConfig;
}

/** Why a request got no answer, without the library's error, whose causes may hold the request. */
function reasonOf(error: unknown): string {
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code;
  return error instanceof Error ? error.name : 'no answer';
}

/** Reads over the library's own request layer: its typed clients turn timestamps into Dates and drop unknown fields. */
function libraryTransport(config: KubernetesConfig): Transport {
  const server = new ServerConfiguration(config.url, {});
  const { httpApi } = createConfiguration({ baseServer: server });
  const connect = (credentials: Credentials): Transport => {
    const kubeConfig = kubeConfigOf({ ...config, ...credentials });
    return async ({ path, query = {} }) => {
      const context = server.makeRequestContext(path, HttpMethod.GET);
      for (const [name, value] of Object.entries(query)) context.setQueryParam(name, value);
      context.setSignal(AbortSignal.timeout(config.timeoutMs));
      try {
        await kubeConfig.applySecurityAuthentication(context);
        const response = await httpApi.send(context).toPromise();
        const body = await response.body.text();
        return {
          status: response.httpStatusCode,
          retryAfter: response.headers['retry-after'],
          body: parseJson(body) ?? body,
        };
      } catch (error) {
        throw new ConnectionFailed(reasonOf(error));
      }
    };
  };
  return renewing(sourceOf(config), forEach(connect));
}

/** Connects anew only when the credentials are others than before. */
function forEach(connect: (credentials: Credentials) => Transport): (credentials: Credentials) => Transport {
  let last: { readonly credentials: Credentials; readonly transport: Transport } | undefined;
  return (credentials) => {
    if (last === undefined || !sameCredentials(last.credentials, credentials)) {
      last = { credentials, transport: connect(credentials) };
    }
    return last.transport;
  };
}

/**
 * Lists every known kind of the cluster in pages. Any page that cannot be read fails the whole (`listAll` says with
 * what): an incomplete list would look as if objects had been deleted.
 */
export async function listCluster(
  config: KubernetesConfig,
  retry: RetryPolicy = DEFAULT_RETRY,
): Promise<ClusterSnapshot> {
  const transport = libraryTransport(config);
  let requests = 0;
  const send = retrying((request) => {
    requests += 1;
    return transport(request);
  }, retry);
  const source = { send, versions: discoveredVersions(send) };
  const kinds = Object.keys(KINDS).filter(isKind);
  const lists = await inParallel(KINDS_AT_ONCE, kinds, async (kind) => ({
    kind,
    ...(await listAll(source, kind, { namespace: '' })),
  }));
  const present = lists.filter((list) => !list.absent);
  return {
    objects: present.flatMap((list) => list.objects),
    resourceVersions: Object.fromEntries(present.map((list) => [list.kind, list.resourceVersion])),
    absent: lists.filter((list) => list.absent).map((list) => list.kind),
    requests,
  };
}

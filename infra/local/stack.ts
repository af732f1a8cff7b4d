import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import type { KubernetesConfig } from '../../shared/config.ts';
import { AppError } from '../../shared/errors.ts';
import { loadKubeconfig } from '../../shared/kubernetes/kubeconfig.ts';
import { startCloud, type Cloud, type Killer } from './aws/index.ts';
import { startKong, type KongOptions, type KongStandIn } from './kong/index.ts';
import { startKubernetes, type KubernetesOptions } from './kubernetes/index.ts';
import { startPostgres } from './postgres.ts';

export type Topology = 'hybrid' | 'traditional';

export interface StackOptions {
  readonly topology: Topology;
  /** Where PostgreSQL and the stand-in API server keep their data, absolute. */
  readonly directory: string;
  /** Ports to use; a free one for each that is not given. */
  readonly ports?: { readonly http?: number; readonly admin?: number; readonly kubernetes?: number };
  /**
   * Settings of the functions, and addresses of real systems that replace a stand-in: KUBECONFIG; KONG_ADMIN_URL with
   * KONG_DATABASE_URL, KONG_PROXY_URL and KONG_PROXY_TLS_URL.
   */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Runs the functions on their schedules; without, `cloud.tick` runs them. */
  readonly schedules: boolean;
  /** Ends functions while they run. */
  readonly killer?: Killer;
  /** Gets the functions' log lines. */
  readonly log: (line: string) => void;
  /** How the stand-ins differ from their defaults, for tests: what goes wrong in them, and how they are set. */
  readonly standIns?: {
    readonly kong?: Pick<KongOptions, 'faults' | 'log' | 'settings'>;
    readonly kubernetes?: Pick<KubernetesOptions, 'faults' | 'pageLimit'>;
  };
}

/** Ends PostgreSQL and starts it again, data and address kept. */
interface PostgresControl {
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** Where Kong is, stand-in or real. */
interface KongAddress {
  readonly adminUrls: readonly string[];
  readonly databaseUrl: string;
  /** The data planes' proxies. */
  readonly proxies: readonly { readonly name: string; readonly http: string; readonly tls: string }[];
  /** Undefined for a real Kong, as `postgres`. */
  readonly standIn: KongStandIn | undefined;
  readonly postgres: PostgresControl | undefined;
}

/** A running local stack. */
export interface Stack {
  readonly topology: Topology;
  readonly cloud: Cloud;
  readonly kong: KongAddress;
  /** Path of a kubeconfig file. */
  readonly kubeconfig: string;
  readonly kubernetes: KubernetesConfig;
  readonly webhook: { readonly url: string; readonly token: string };
  /** The status page's address, with its token; JSON and metrics take the token as a bearer. */
  readonly status: { readonly url: string; readonly token: string };
  /** The functions' settings, for the command line. */
  readonly environment: Readonly<Record<string, string>>;
  /** True when the API server is the stand-in, which calls the webhook by itself. */
  readonly ownKubernetes: boolean;
  /** Stops everything, last started first. */
  stop(): Promise<void>;
}

/**
 * The waits of the stand-in Kong, s: short, so that a change is proven, and a data plane that is cut off noticed, in
 * seconds. Kong's defaults are 5, 5, 30 and 5.
 */
export const FREQUENCIES = {
  dbUpdateFrequencySeconds: 0.5,
  workerStateUpdateFrequencySeconds: 0.5,
  pingSeconds: 1,
  reconnectSeconds: 1,
} as const;
/** A stand-in's data plane that did not ping for so long counts as cut off, s; 45 for a real one. */
const SILENT_SECONDS = '4';

const CLUSTER = 'local';
/** Batches of the audit webhook: what `kubectl apply` changes arrives together, and a single change soon. */
const AUDIT = { maxBatchSize: 400, maxDelayMs: 100 } as const;

type Stop = () => Promise<void>;

async function createDatabase(url: string, name: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}`);
  } finally {
    await client.end();
  }
  const database = new URL(url);
  database.pathname = `/${name}`;
  return database.href;
}

function realKong(environment: StackOptions['environment']): KongAddress | undefined {
  const { KONG_ADMIN_URL, KONG_DATABASE_URL, KONG_PROXY_URL, KONG_PROXY_TLS_URL } = environment;
  if (KONG_ADMIN_URL === undefined && KONG_DATABASE_URL === undefined) return undefined;
  if (
    KONG_ADMIN_URL === undefined ||
    KONG_DATABASE_URL === undefined ||
    KONG_PROXY_URL === undefined ||
    KONG_PROXY_TLS_URL === undefined
  ) {
    const names = 'KONG_ADMIN_URL, KONG_DATABASE_URL, KONG_PROXY_URL and KONG_PROXY_TLS_URL';
    throw new AppError('CONFIG_INVALID', `a real Kong needs ${names} together`);
  }
  return {
    adminUrls: KONG_ADMIN_URL.split(','),
    databaseUrl: KONG_DATABASE_URL,
    proxies: [{ name: 'proxy', http: KONG_PROXY_URL, tls: KONG_PROXY_TLS_URL }],
    standIn: undefined,
    postgres: undefined,
  };
}

async function restartablePostgres(directory: string): Promise<PostgresControl & { readonly url: string }> {
  let running = await startPostgres({ directory });
  const { port, url } = running;
  return {
    url,
    stop: () => running.stop(),
    start: async () => {
      running = await startPostgres({ directory, port });
    },
  };
}

async function kongOf(options: StackOptions, started: Stop[]): Promise<KongAddress> {
  const real = realKong(options.environment);
  if (real !== undefined) return real;
  const postgres = await restartablePostgres(path.join(options.directory, 'postgres'));
  started.push(() => postgres.stop());
  const databaseUrl = await createDatabase(postgres.url, `kong_${options.topology}`);
  const standIn = await startKong({
    databaseUrl,
    topology: options.topology,
    adminPort: options.ports?.admin ?? 0,
    settings: FREQUENCIES,
    ...options.standIns?.kong,
  });
  started.push(() => standIn.stop());
  const proxies = standIn.nodes.map((node) => ({ name: node.name, http: node.proxyUrl, tls: node.proxyTlsUrl }));
  return { adminUrls: standIn.adminUrls, databaseUrl, proxies, standIn, postgres };
}

function randomToken(): string {
  return randomBytes(24).toString('base64url');
}

/** How `converge` joins the stand-in's control plane as a silent data plane; nothing in traditional mode. */
function clusterOf({ cluster, nodes }: KongStandIn): Record<string, string> {
  if (cluster === undefined) return {};
  return {
    KONG_CLUSTER_URL: cluster.url,
    KONG_CLUSTER_CERTIFICATE: cluster.pair.certificate,
    KONG_CLUSTER_KEY: cluster.pair.key,
    KONG_STATUS_URLS: nodes.map(({ name, statusUrl }) => `${name}=${statusUrl}`).join(','),
  };
}

/** The settings that lead to Kong and to the cluster. */
export function addresses({ kong, kubernetes }: Pick<Stack, 'kong' | 'kubernetes'>): Record<string, string> {
  return {
    CLUSTER_NAME: kubernetes.cluster,
    KONG_ADMIN_URL: kong.adminUrls.join(','),
    KONG_DATABASE_URL: kong.databaseUrl,
    KUBERNETES_URL: kubernetes.url,
    KUBERNETES_CA: kubernetes.ca ?? '',
    KUBERNETES_TOKEN: kubernetes.token ?? '',
    KUBERNETES_CLIENT_CERTIFICATE: kubernetes.clientCertificate ?? '',
    KUBERNETES_CLIENT_KEY: kubernetes.clientKey ?? '',
  };
}

function environmentFor(
  options: StackOptions,
  kong: KongAddress,
  kubernetes: KubernetesConfig,
  tokens: { readonly webhook: string; readonly status: string },
): Record<string, string> {
  const given = Object.entries(options.environment).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return {
    ...Object.fromEntries(given),
    ...(kong.standIn === undefined ? {} : clusterOf(kong.standIn)),
    ...(kong.standIn === undefined ? {} : { KONG_CONTROL_PLANES: '1', KONG_DATA_PLANE_SILENT_SECONDS: SILENT_SECONDS }),
    ...addresses({ kong, kubernetes }),
    WEBHOOK_TOKENS: tokens.webhook,
    STATUS_TOKENS: tokens.status,
  };
}

async function start(options: StackOptions, started: Stop[]): Promise<Omit<Stack, 'stop'>> {
  await mkdir(options.directory, { recursive: true });
  const kong = await kongOf(options, started);
  const own = options.environment['KUBECONFIG'];
  const standIn =
    own === undefined
      ? await startKubernetes({
          directory: path.join(options.directory, 'kubernetes'),
          port: options.ports?.kubernetes ?? 0,
          ...options.standIns?.kubernetes,
        })
      : undefined;
  if (standIn !== undefined) started.push(() => standIn.stop());
  const kubeconfig = standIn?.kubeconfig ?? own ?? '';
  const kubernetes = await loadKubeconfig(kubeconfig, CLUSTER);
  const [token, statusToken] = [randomToken(), randomToken()] as const;
  const environment = environmentFor(options, kong, kubernetes, { webhook: token, status: statusToken });
  const cloud = await startCloud({
    serverlessFile: path.join(import.meta.dirname, '../../serverless.yml'),
    environment,
    ...(options.ports?.http === undefined ? {} : { httpPort: options.ports.http }),
    schedules: options.schedules,
    ...(options.killer === undefined ? {} : { killer: options.killer }),
    log: options.log,
  });
  started.push(() => cloud.stop());
  const webhook = { url: `${cloud.httpUrl}/webhook`, token };
  standIn?.setAuditWebhook({ ...webhook, ...AUDIT });
  return {
    topology: options.topology,
    cloud,
    kong,
    kubeconfig,
    kubernetes,
    webhook,
    status: { url: `${cloud.httpUrl}/status/${statusToken}`, token: statusToken },
    environment,
    ownKubernetes: standIn !== undefined,
  };
}

/** Starts the local stack: the functions behind local AWS services, PostgreSQL, and stand-ins where no real system is given. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const started: Stop[] = [];
  const stop: Stop = async () => {
    for (let next = started.pop(); next !== undefined; next = started.pop()) await next();
  };
  try {
    return { ...(await start(options, started)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

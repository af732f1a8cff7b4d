import http from 'node:http';
import https from 'node:https';
import { selfSigned, type KeyPair } from '../certificate.ts';
import { close, listen } from '../listen.ts';
import { Admission, webhookObject, type AdmissionWebhook } from './admission.ts';
import { AuditSender, type AuditStatistics, type AuditWebhook } from './audit.ts';
import { BUILT_IN } from './builtin.ts';
import type { Cluster, User } from './call.ts';
import { CUSTOM } from './custom.ts';
import { withDefaults } from './defaults.ts';
import { resumePurges } from './deletes.ts';
import { claim } from './claim.ts';
import { Journal } from './journal.ts';
import { isObject, listAt, objectAt } from './json.ts';
import { adminToken, writeKubeconfig } from './kubeconfig.ts';
import { Registry } from './registry.ts';
import { requestListener, type Faults, type ReceivedRequest } from './server.ts';
import { Store } from './store.ts';

export type { AdmissionWebhook } from './admission.ts';
export type { AuditStatistics, AuditWebhook } from './audit.ts';
export type { Faults, ReceivedRequest } from './server.ts';

export interface KubernetesOptions {
  /** 0, the default, takes a free port of 127.0.0.1. */
  readonly port?: number;
  /** Where objects, the token and the kubeconfig are kept, absolute. */
  readonly directory: string;
  readonly auditWebhook?: AuditWebhook;
  /** Called beside the ValidatingWebhookConfigurations that are stored. */
  readonly admissionWebhooks?: readonly AdmissionWebhook[];
  /** Further bearer tokens and the users they stand for; the administrator's is always there. */
  readonly tokens?: Readonly<Record<string, string>>;
  readonly faults?: Faults;
  /** Most items in a page of a list with `limit`. */
  readonly pageLimit?: number;
  /** Serves Kong's and the Gateway API's kinds without their CRDs; true unless said. */
  readonly customResources?: boolean;
  /** https with an own certificate, true unless said: kubectl sends no token over http. */
  readonly tls?: boolean;
}

/** A running stand-in API server. */
export interface KubernetesStandIn {
  readonly url: string;
  /** The administrator's bearer token. */
  readonly token: string;
  /** PEM of the certificate to trust; undefined for plain http. */
  readonly ca: string | undefined;
  /** Path of a kubeconfig file for the administrator. */
  readonly kubeconfig: string;
  /** The last 100,000 requests, oldest first. */
  requests(): readonly ReceivedRequest[];
  /** Forgets the requests so far. */
  clearRequests(): void;
  setAuditWebhook(webhook: AuditWebhook | undefined): void;
  auditStatistics(): AuditStatistics;
  /** Ends watches and connections, sends waiting audit events once more, closes the files. */
  stop(): Promise<void>;
}

const NAMESPACES = '/namespaces';
const DEFINITIONS = 'apiextensions.k8s.io/customresourcedefinitions';
const WEBHOOKS = 'admissionregistration.k8s.io/validatingwebhookconfigurations';
const MAX_REQUESTS = 100_000;
/** How long a controller takes to notice a deleted namespace, ms. */
const CONTROLLER_DELAY_MS = 500;

/** What `kubeadm` would have made. */
function prepare(store: Store): void {
  for (const name of ['default', 'kube-node-lease', 'kube-public', 'kube-system']) {
    if (store.get(NAMESPACES, '', name) !== undefined) continue;
    const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
    const metadata = { name, uid: crypto.randomUUID(), creationTimestamp: now };
    const object = { apiVersion: 'v1', kind: 'Namespace', metadata };
    store.put(NAMESPACES, withDefaults('Namespace', object, undefined, store.resourceVersion + 1, now));
  }
}

/** Serves the kinds of the stored definitions, now and as they come and go. */
function followDefinitions(store: Store, registry: Registry): void {
  for (const stored of store.list(DEFINITIONS)) registry.define(stored.object);
  store.subscribe((change) => {
    if (change.storage !== DEFINITIONS) return;
    if (change.type === 'DELETED') registry.undefine(change.current.name);
    else registry.define(change.current.object);
  });
}

function admissionOf(store: Store, fixed: readonly AdmissionWebhook[]): Admission {
  const own = fixed.map(webhookObject);
  return new Admission(
    () => [...own, ...store.list(WEBHOOKS).flatMap((stored) => listAt(stored.object, 'webhooks').filter(isObject))],
    (namespace) => objectAt(store.get(NAMESPACES, '', namespace)?.object, 'metadata', 'labels'),
  );
}

function userOf(username: string, ...groups: string[]): User {
  return { username, groups: [...groups, 'system:authenticated'] };
}

function usersOf(token: string, tokens: Readonly<Record<string, string>>): ReadonlyMap<string, User> {
  const others = Object.entries(tokens).map(([key, name]): [string, User] => [
    key,
    name.startsWith('system:serviceaccount:') ? userOf(name, 'system:serviceaccounts') : userOf(name),
  ]);
  return new Map([...others, [token, userOf('kubernetes-admin', 'system:masters')]]);
}

/** The requests received, bounded. */
class RequestLog {
  #requests: ReceivedRequest[] = [];

  readonly add = (request: ReceivedRequest): void => {
    this.#requests.push(request);
    if (this.#requests.length > 1.5 * MAX_REQUESTS) this.#requests = this.all().slice();
  };

  all(): readonly ReceivedRequest[] {
    return this.#requests.slice(-MAX_REQUESTS);
  }

  clear(): void {
    this.#requests = [];
  }
}

/**
 * Starts a stand-in for the Kubernetes API server on 127.0.0.1. It serves kubectl and client libraries, keeps its
 * objects in `directory` and says that it is a stand-in (`/version`, header `X-Stand-In`). Rejects when the port is
 * taken, and with LOCAL_DIRECTORY_IN_USE and LOCAL_DATA_DAMAGED.
 */
export async function startKubernetes(options: KubernetesOptions): Promise<KubernetesStandIn> {
  const release = claim(options.directory);
  try {
    return await run(options, release);
  } catch (error) {
    release();
    throw error;
  }
}

function clusterOf(options: KubernetesOptions, stopped: AbortSignal): Cluster {
  const store = new Store(new Journal(options.directory));
  const registry = new Registry(options.customResources === false ? BUILT_IN : [...BUILT_IN, ...CUSTOM]);
  prepare(store);
  followDefinitions(store, registry);
  const admission = admissionOf(store, options.admissionWebhooks ?? []);
  const { pageLimit } = options;
  const cluster = { store, registry, admission, pageLimit, now: () => new Date(), defer: deferrer(stopped) };
  resumePurges(cluster);
  return cluster;
}

function deferrer(stopped: AbortSignal): (work: () => void) => void {
  return (work) => {
    const timer = setTimeout(work, CONTROLLER_DELAY_MS);
    stopped.addEventListener('abort', () => clearTimeout(timer));
  };
}

async function run(options: KubernetesOptions, release: () => void): Promise<KubernetesStandIn> {
  const stopping = new AbortController();
  const cluster = clusterOf(options, stopping.signal);
  const token = adminToken(options.directory);
  const audit = new AuditSender(options.auditWebhook);
  const log = new RequestLog();
  const users = usersOf(token, options.tokens ?? {});
  const faults = options.faults ?? ((): undefined => undefined);
  const pair = options.tls === false ? undefined : await selfSigned(['127.0.0.1', 'localhost']);
  const listener = requestListener({ cluster, audit, users, faults, stopped: stopping.signal, record: log.add });
  const server = serverOf(pair, listener);
  const url = `${pair === undefined ? 'http' : 'https'}://127.0.0.1:${await listenOrClose(server, options.port, cluster, stopping)}`;
  return {
    url,
    token,
    ca: pair?.certificate,
    kubeconfig: writeKubeconfig(options.directory, url, pair?.certificate, token),
    requests: () => log.all(),
    clearRequests: () => log.clear(),
    setAuditWebhook: (webhook) => audit.configure(webhook),
    auditStatistics: () => audit.statistics(),
    async stop() {
      stopping.abort();
      await close(server);
      await audit.stop();
      cluster.store.close();
      release();
    },
  };
}

function listenOrClose(
  server: http.Server,
  port: number | undefined,
  cluster: Cluster,
  stopping: AbortController,
): Promise<number> {
  return listen(server, port).catch((error: unknown) => {
    stopping.abort();
    cluster.store.close();
    throw error;
  });
}

function serverOf(pair: KeyPair | undefined, listener: http.RequestListener): http.Server {
  const server =
    pair === undefined
      ? http.createServer(listener)
      : https.createServer({ cert: pair.certificate, key: pair.key }, listener);
  // Clients keep connections; one that is closed while they send looks like a failure to them.
  server.keepAliveTimeout = 120_000;
  return server;
}

import type { ProxyState } from '../proxy/exchange.ts';
import type { CertificateStore } from '../proxy/certificates.ts';
import { startProxy } from '../proxy/server.ts';
import type { Proxy } from '../proxy/server.ts';
import { KONG_VERSION } from '../admin/settings.ts';
import { startStatusServer } from './status-server.ts';
import type { StatusFacts, StatusServer } from './status-server.ts';

/** What proxies: a data plane or a traditional node. */
export interface ProxyingNode {
  readonly id: string;
  state(worker: number): ProxyState;
  certificates(): CertificateStore;
  facts(): Promise<StatusFacts>;
  unready(): string | undefined;
}

export interface ListenerPorts {
  readonly proxy?: number;
  readonly proxyTls?: number;
  readonly status?: number;
}

/** A node's proxy and Status API. */
export interface Listeners {
  readonly proxyUrl: string;
  readonly proxyTlsUrl: string;
  readonly statusUrl: string;
  close(): Promise<void>;
  /** Listens again, on the same ports. */
  open(): Promise<void>;
}

/** Starts a node's listeners on 127.0.0.1; ports 0 or left out are free ones. */
export async function startListeners(
  node: ProxyingNode,
  workers: number,
  ports: ListenerPorts = {},
): Promise<Listeners> {
  const proxy: Proxy = await startProxy({
    node: { id: node.id, version: KONG_VERSION },
    workers,
    state: (worker) => node.state(worker),
    certificates: () => node.certificates(),
    ...(ports.proxy === undefined ? {} : { port: ports.proxy }),
    ...(ports.proxyTls === undefined ? {} : { tlsPort: ports.proxyTls }),
  });
  const startStatus = (port?: number): Promise<StatusServer> =>
    startStatusServer(
      () => node.facts(),
      () => node.unready(),
      port,
    );
  let status: StatusServer | undefined = await startStatus(ports.status);
  const statusUrl = status.url;
  return {
    proxyUrl: proxy.url,
    proxyTlsUrl: proxy.tlsUrl,
    statusUrl,
    async close() {
      await Promise.all([proxy.close(), status?.stop()]);
      status = undefined;
    },
    async open() {
      await proxy.open();
      status ??= await startStatus(Number(new URL(statusUrl).port));
    },
  };
}

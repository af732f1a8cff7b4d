import type { Faults } from '../admin/faults.ts';
import type { ClusterListener } from './cluster-listener.ts';
import type { DataPlane } from './data-plane.ts';
import type { ListenerPorts } from './node.ts';
import type { NodeSettings } from './settings.ts';

export interface KongOptions {
  /** DSN of a database for Kong; its tables are made when they are missing, data stays. */
  readonly databaseUrl: string;
  readonly topology: 'hybrid' | 'traditional';
  /** Of the first (hybrid: only) Admin API; a free one unless given. */
  readonly adminPort?: number;
  /** Of the first node's listeners; free ones unless given. */
  readonly ports?: ListenerPorts;
  readonly settings?: Partial<NodeSettings>;
  /** What goes wrong with requests to the Admin API. */
  readonly faults?: Faults;
  /** Where the nodes' log lines go; stderr unless given. */
  readonly log?: (line: string) => void;
}

/** A node that proxies: a data plane, or a traditional node with an Admin API of its own. */
export interface KongNode {
  readonly name: string;
  /** Kong's node id; another one after `start({ fresh: true })`. */
  readonly id: string;
  readonly proxyUrl: string;
  readonly proxyTlsUrl: string;
  readonly statusUrl: string;
  /** Undefined for a data plane. */
  readonly adminUrl: string | undefined;
  /** The data plane's further controls: `refusing`, `applyDelayMs`, `version`; undefined for a traditional node. */
  readonly dataPlane: DataPlane | undefined;
  /** Cuts it off: it serves on, but hears of no change (and a data plane does not ping). */
  pause(): Promise<void>;
  resume(): void;
  /** Ends it as if its process had ended; its addresses stay reserved for `start`. May be called twice. */
  stop(): Promise<void>;
  /** Starts it again. `fresh`, for a data plane: without what it had stored and under a new id, as a new pod. */
  start(options?: { readonly fresh?: boolean }): Promise<void>;
}

export interface KongStandIn {
  readonly topology: 'hybrid' | 'traditional';
  /** All Admin APIs; they write to the same database. */
  readonly adminUrls: readonly string[];
  readonly adminUrl: string;
  readonly nodes: readonly KongNode[];
  /** The control plane's cluster port, with the certificate and key of its data planes; undefined in traditional mode. */
  readonly cluster: Pick<ClusterListener, 'url' | 'pair'> | undefined;
  /** Ends everything; the database keeps its data. */
  stop(): Promise<void>;
}

/** A stand-in for Kong Gateway on a real PostgreSQL, for the local stack and the tests. It is not Kong and says so. */

import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { AppError } from '../../../shared/errors.ts';
import type { Faults } from './admin/faults.ts';
import { startAdmin } from './admin/server.ts';
import type { RunningAdmin } from './admin/server.ts';
import { migrate } from './database/migrate.ts';
import { ControlPlane } from './nodes/control-plane.ts';
import { DataPlane } from './nodes/data-plane.ts';
import { startListeners } from './nodes/node.ts';
import type { ListenerPorts } from './nodes/node.ts';
import { adminSettings, DEFAULT_SETTINGS } from './nodes/settings.ts';
import type { NodeSettings } from './nodes/settings.ts';
import { TraditionalNode } from './nodes/traditional-node.ts';

export type { NodeSettings } from './nodes/settings.ts';
export type { Faults } from './admin/faults.ts';

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
  /** Ends everything; the database keeps its data. */
  stop(): Promise<void>;
}

interface Context {
  readonly options: KongOptions;
  readonly settings: NodeSettings;
  readonly log: (line: string) => void;
  /** Makes a pool of its own for a node. */
  pool(): pg.Pool;
  /** What has to be undone, in reverse order. */
  readonly undo: (() => Promise<void>)[];
}

function createContext(options: KongOptions): Context {
  const log = options.log ?? ((line: string) => void process.stderr.write(`${line}\n`));
  const undo: (() => Promise<void>)[] = [];
  return {
    options,
    settings: { ...DEFAULT_SETTINGS, ...options.settings },
    log,
    undo,
    pool() {
      // Kong's sessions are in UTC and call themselves kong.
      const made = new pg.Pool({
        connectionString: options.databaseUrl,
        application_name: 'kong',
        options: '-c TimeZone=UTC',
      });
      made.on('error', (error) => log(`stand-in Kong: database connection lost: ${error.message}`));
      undo.push(() => made.end());
      return made;
    },
  };
}

async function undoAll(context: Context): Promise<void> {
  for (const step of context.undo.splice(0).toReversed()) await step();
}

async function startDataPlane(
  context: Context,
  name: string,
  controlPlane: ControlPlane,
  first: boolean,
): Promise<KongNode> {
  const { settings, log } = context;
  const dataPlane = new DataPlane({ name, controlPlane, settings, log });
  dataPlane.start();
  context.undo.push(() => dataPlane.stop());
  const listeners = await startListeners(dataPlane, settings.workers, first ? context.options.ports : {});
  context.undo.push(() => listeners.close());
  return {
    name,
    get id() {
      return dataPlane.id;
    },
    proxyUrl: listeners.proxyUrl,
    proxyTlsUrl: listeners.proxyTlsUrl,
    statusUrl: listeners.statusUrl,
    adminUrl: undefined,
    dataPlane,
    pause: () => dataPlane.pause(),
    resume: () => dataPlane.resume(),
    async stop() {
      await listeners.close();
      await dataPlane.stop();
    },
    async start({ fresh = false } = {}) {
      dataPlane.start(fresh);
      await listeners.open();
    },
  };
}

async function startHybrid(context: Context): Promise<KongStandIn> {
  const { options, settings, log } = context;
  const pool = context.pool();
  await migrate(pool);
  const nodeId = randomUUID();
  const controlPlane = new ControlPlane({ pool, nodeId, settings, log });
  await controlPlane.start();
  context.undo.push(() => controlPlane.stop());
  const admin = await startAdmin({
    pool: context.pool(),
    role: 'control_plane',
    nodeId,
    settings: adminSettings(settings),
    onWrite: () => controlPlane.written(),
    ...(options.faults === undefined ? {} : { faults: options.faults }),
    ...(options.adminPort === undefined ? {} : { port: options.adminPort }),
  });
  context.undo.push(() => admin.stop());
  const nodes = [
    await startDataPlane(context, 'dp1', controlPlane, true),
    await startDataPlane(context, 'dp2', controlPlane, false),
  ];
  return standIn(context, [admin.url], nodes);
}

async function startTraditionalNode(
  context: Context,
  name: string,
  first: boolean,
): Promise<KongNode & { adminUrl: string }> {
  const { options, settings, log } = context;
  const pool = context.pool();
  const id = randomUUID();
  const node = new TraditionalNode({ name, id, pool, settings, log });
  await node.start();
  context.undo.push(() => node.stop());
  const listen = (port: number): Promise<RunningAdmin> =>
    startAdmin({
      pool,
      role: 'traditional',
      nodeId: id,
      settings: adminSettings(settings),
      cache: node,
      onWrite: (write) => node.written(write),
      port,
      ...(options.faults === undefined ? {} : { faults: options.faults }),
    });
  let admin: RunningAdmin | undefined = await listen(first ? (options.adminPort ?? 0) : 0);
  const { url: adminUrl, port } = admin;
  const stopAdmin = async (): Promise<void> => {
    await admin?.stop();
    admin = undefined;
  };
  context.undo.push(stopAdmin);
  const listeners = await startListeners(node, settings.workers, first ? options.ports : {});
  context.undo.push(() => listeners.close());
  return {
    name,
    id,
    proxyUrl: listeners.proxyUrl,
    proxyTlsUrl: listeners.proxyTlsUrl,
    statusUrl: listeners.statusUrl,
    adminUrl,
    dataPlane: undefined,
    pause: () => node.pause(),
    resume: () => node.resume(),
    async stop() {
      await listeners.close();
      await stopAdmin();
      await node.stop();
    },
    async start() {
      await node.start();
      admin ??= await listen(port);
      await listeners.open();
    },
  };
}

async function startTraditional(context: Context): Promise<KongStandIn> {
  await migrate(context.pool());
  const nodes = [
    await startTraditionalNode(context, 'node1', true),
    await startTraditionalNode(context, 'node2', false),
  ];
  return standIn(
    context,
    nodes.map((node) => node.adminUrl),
    nodes,
  );
}

function standIn(context: Context, adminUrls: readonly string[], nodes: readonly KongNode[]): KongStandIn {
  const { topology } = context.options;
  const [adminUrl = ''] = adminUrls;
  context.log(`stand-in Kong (not Kong Gateway), ${topology}, Admin API on ${adminUrls.join(', ')}`);
  return { topology, adminUrls, adminUrl, nodes, stop: () => undoAll(context) };
}

/**
 * Starts the stand-in on 127.0.0.1. Hybrid: one control plane with the Admin API and two data planes. Traditional: two
 * nodes, each with an Admin API. Throws KONG_STAND_IN_FAILED, and then nothing is left running.
 */
export async function startKong(options: KongOptions): Promise<KongStandIn> {
  const context = createContext(options);
  try {
    return await (options.topology === 'hybrid' ? startHybrid(context) : startTraditional(context));
  } catch (error) {
    await undoAll(context);
    const reason = error instanceof Error ? error.message : String(error);
    throw new AppError('KONG_STAND_IN_FAILED', `the stand-in Kong did not start: ${reason}`, { cause: error });
  }
}

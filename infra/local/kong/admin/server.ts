import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Pool } from 'pg';
import { AppError } from '../../../../shared/errors.ts';
import { close, listen } from '../../listen.ts';
import { EMPTY_CACHE } from './cache.ts';
import type { NodeCache } from './cache.ts';
import { createDao } from './dao/dao.ts';
import type { Operation, Write } from './dao/dao.ts';
import { createStore } from './dao/store.ts';
import { createRegistry } from './entities/index.ts';
import { controlPlaneEvents, createEventWriter, traditionalEvents } from './events.ts';
import type { Faults } from './faults.ts';
import { createDispatcher } from './http/dispatch.ts';
import { createHandler } from './http/handler.ts';
import { text } from './json.ts';
import { allEndpoints } from './routes/index.ts';
import { DEFAULT_SETTINGS } from './settings.ts';
import type { NodeSettings, Role } from './settings.ts';

export interface AdminWrite {
  /** Kong's schema name: `routes`, `keyauth_credentials` … */
  readonly entity: string;
  readonly operation: Operation;
  readonly id: string;
}

export interface AdminOptions {
  /** On a database that `migrate` has prepared. The caller ends it. */
  readonly pool: Pool;
  readonly role: Role;
  readonly nodeId: string;
  readonly settings?: Partial<NodeSettings>;
  /** Called after the commit of each write of this node, before its answer: Kong's worker event. */
  readonly onWrite?: (write: AdminWrite) => void;
  readonly cache?: NodeCache;
  readonly faults?: Faults;
  /** Told what is behind an answer with status 500, as Kong's error log is. */
  readonly onError?: (error: unknown) => void;
}

export interface Admin {
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** When the rows of `cluster_events` of all answered requests are written. */
  settled(): Promise<void>;
}

/** The Admin API of one node. Throws KONG_STAND_IN_FAILED on a database that `migrate` has not prepared. */
export async function createAdmin(options: AdminOptions): Promise<Admin> {
  const { pool, role, nodeId, cache = EMPTY_CACHE } = options;
  const settings = { ...DEFAULT_SETTINGS, ...options.settings };
  // The pool replaces an idle connection that PostgreSQL ended; unheard, that error would end the process.
  pool.on('error', ignore);
  const workspace = await defaultWorkspace(pool);
  const store = createStore(pool, workspace);
  const registry = createRegistry({ routerFlavor: settings.router_flavor });
  const events = createEventWriter(pool, nodeId);
  const written = (write: Write): void => {
    const rows = role === 'traditional' ? traditionalEvents(write, workspace) : controlPlaneEvents(write);
    // A node drops its own outdated keys at once; the others learn of them from the table.
    if (role === 'traditional') for (const { data } of rows) cache.delete(data);
    options.onWrite?.({ entity: write.definition.name, operation: write.operation, id: text(write.entity['id']) });
    events.add(rows);
  };
  const dao = createDao({ registry, store }, written);
  const dispatch = createDispatcher(allEndpoints(dao, { pool, role, nodeId, settings, cache }));
  return { handle: createHandler(dispatch, options), settled: () => events.settled() };
}

function ignore(): void {}

async function defaultWorkspace(pool: Pool): Promise<string> {
  const { rows } = await pool.query<{ id: string }>(`SELECT id FROM workspaces WHERE name = 'default'`);
  const [row] = rows;
  if (row === undefined) throw new AppError('KONG_STAND_IN_FAILED', 'the database has no default workspace');
  return row.id;
}

export interface RunningAdmin extends Admin {
  /** `http://127.0.0.1:<port>`. */
  readonly url: string;
  readonly port: number;
  /** Ends the server and waits for its events; the pool stays. */
  stop(): Promise<void>;
}

/** The Admin API of one node on 127.0.0.1, on a free port unless one is given. */
export async function startAdmin(options: AdminOptions & { readonly port?: number }): Promise<RunningAdmin> {
  const admin = await createAdmin(options);
  const server = createServer({ keepAliveTimeout: 75_000 }, (request, response) => admin.handle(request, response));
  const port = await listen(server, options.port);
  return {
    ...admin,
    url: `http://127.0.0.1:${port}`,
    port,
    async stop() {
      await close(server);
      await admin.settled();
    },
  };
}

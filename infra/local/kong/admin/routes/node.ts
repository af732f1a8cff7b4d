import { hostname } from 'node:os';
import type { Pool } from 'pg';
import type { NodeCache } from '../cache.ts';
import { notFound, plainError } from '../dao/kong-error.ts';
import { NO_CONTENT, ok } from '../http/types.ts';
import type { Endpoint } from '../http/types.ts';
import type { Json, JsonObject } from '../json.ts';
import { PLUGINS } from '../plugins/index.ts';
import { KONG_VERSION } from '../settings.ts';
import type { NodeSettings, Role } from '../settings.ts';

export interface NodeFacts {
  readonly pool: Pool;
  readonly role: Role;
  readonly nodeId: string;
  readonly settings: NodeSettings;
  readonly cache: NodeCache;
}

/** What a node says of itself, and its caches. */
export function nodeEndpoints(node: NodeFacts): Endpoint[] {
  return [
    { path: '/', methods: { GET: async () => ok(await root(node)) } },
    { path: '/status', methods: { GET: async () => ok(await status(node.pool)) } },
    { path: '/timers', methods: { GET: () => ok(TIMERS) } },
    { path: '/plugins/enabled', methods: { GET: () => ok({ enabled_plugins: Object.keys(PLUGINS) }) } },
    { path: '/config', methods: { GET: withoutDatabaseOnly, POST: withoutDatabaseOnly } },
    { path: '/debug/node/log-level', methods: { GET: () => ok({ message: 'log level: notice' }) } },
    ...cacheEndpoints(node.cache),
  ];
}

function withoutDatabaseOnly(): never {
  throw plainError(400, 'this endpoint is only available when Kong is configured to not use a database');
}

function cacheEndpoints(cache: NodeCache): Endpoint[] {
  return [
    {
      path: '/cache/{key}',
      methods: {
        GET: (_request, key = '') => {
          const value = cache.peek(key);
          if (value === undefined) throw notFound();
          // Kong answers with the value's members, and puts anything that has none into `message`.
          return ok(typeof value === 'object' && value !== null ? asJson(value) : { message: asJson(value) });
        },
        DELETE: (_request, key = '') => {
          cache.delete(key);
          return NO_CONTENT;
        },
      },
    },
  ];
}

function asJson(value: unknown): Json {
  const json: Json = JSON.parse(JSON.stringify(value));
  return json;
}

const TIMERS: Json = {
  worker: { id: 0, count: 1 },
  stats: { sys: { pending: 0, waiting: 0, total: 0, runs: 0, running: 0 }, timers: {} },
};

async function root({ pool, role, nodeId, settings }: NodeFacts): Promise<JsonObject> {
  const { rows } = await pool.query<{ name: string }>('SELECT DISTINCT name FROM plugins ORDER BY name');
  const available = Object.entries(PLUGINS).map(([name, { priority }]) => [name, { version: KONG_VERSION, priority }]);
  return {
    tagline: 'A stand-in for Kong Gateway, for local use and tests only',
    version: KONG_VERSION,
    edition: 'community',
    hostname: hostname(),
    node_id: nodeId,
    pids: { master: process.pid, workers: [process.pid] },
    timers: { running: 0, pending: 0 },
    plugins: { available_on_server: Object.fromEntries(available), enabled_in_cluster: rows.map(({ name }) => name) },
    configuration: { ...CONFIGURATION, ...databaseSettings(pool), ...settings, role, loaded_plugins: loadedPlugins() },
  };
}

/** Where its PostgreSQL is, under the names of kong.conf. */
function databaseSettings({ options }: Pool): JsonObject {
  const dsn = URL.parse(options.connectionString ?? '');
  if (dsn === null) return {};
  return {
    pg_host: dsn.hostname,
    pg_port: Number(dsn.port || 5432),
    pg_database: decodeURIComponent(dsn.pathname.slice(1)),
    pg_user: decodeURIComponent(dsn.username),
    pg_password: '******',
  };
}

function loadedPlugins(): JsonObject {
  return Object.fromEntries(Object.keys(PLUGINS).map((name) => [name, true]));
}

/** What clients look for beside the settings that matter here. */
const CONFIGURATION: JsonObject = {
  database: 'postgres',
  plugins: ['bundled'],
  loaded_vaults: { env: true },
  log_level: 'notice',
  stream_listeners: {},
  cluster_rpc: false,
  cluster_incremental_sync: false,
  pg_timeout: 5000,
  anonymous_reports: false,
};

async function status(pool: Pool): Promise<JsonObject> {
  const reachable = await pool.query('SELECT 1').then(
    () => true,
    () => false,
  );
  return {
    database: { reachable },
    memory: { lua_shared_dicts: {}, workers_lua_vms: [] },
    server: {
      connections_accepted: 0,
      connections_active: 0,
      connections_handled: 0,
      connections_reading: 0,
      connections_waiting: 0,
      connections_writing: 0,
      total_requests: 0,
    },
  };
}

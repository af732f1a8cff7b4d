import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { Faults } from '../../infra/local/kong/admin/faults.ts';
import { startAdmin } from '../../infra/local/kong/admin/server.ts';
import type { NodeSettings } from '../../infra/local/kong/admin/settings.ts';
import { migrate } from '../../infra/local/kong/database/migrate.ts';
import type { KongConfig } from '../../shared/config.ts';
import { adminClient, type AdminClient } from '../../shared/kong/admin.ts';
import { ENTITIES } from '../../shared/kong/entities.ts';
import type { SliceDependencies } from '../../shared/slice.ts';
import type { TranslateOptions } from '../../shared/translate/types.ts';
import { memoryCluster, type MemoryCluster } from './cluster.ts';
import type { TemporaryPostgres } from './postgres.ts';

export const OPTIONS: TranslateOptions = {
  cluster: 'default',
  ingressClass: 'kong',
  gatewayController: 'konghq.com/kic-gateway-controller',
  routerFlavor: 'traditional',
  workspace: '',
  clusterDomain: '',
  drainSupport: false,
  featureGates: {},
  kongVersion: '3.9.3',
  kongEdition: 'community',
  raw: false,
};

/** An empty cluster and an empty control plane, with what a slice needs to connect them. */
export interface ControlPlane {
  readonly cluster: MemoryCluster;
  readonly pool: pg.Pool;
  readonly admin: AdminClient;
  readonly dependencies: SliceDependencies;
  readonly config: KongConfig;
  /** Makes the Admin API fail; called for every request. */
  faults: Faults;
  /** Admin API requests other than GET since the start, as `METHOD path`. */
  readonly writes: string[];
  /** Rows of Kong's tables, `type/id` → xmin. */
  rows(): Promise<ReadonlyMap<string, string>>;
  stop(): Promise<void>;
}

/** Starts one on a database of its own. */
export async function controlPlane(
  server: TemporaryPostgres,
  name: string,
  settings: Partial<NodeSettings> = {},
): Promise<ControlPlane> {
  const databaseUrl = await server.createDatabase(name);
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 8 });
  pool.on('error', () => undefined);
  await migrate(pool);
  const writes: string[] = [];
  const running = await startAdmin({
    pool,
    role: 'control_plane',
    settings,
    nodeId: randomUUID(),
    faults: (method, path) => {
      if (method !== 'GET') writes.push(`${method} ${path}`);
      return plane.faults(method, path);
    },
  });
  const config: KongConfig = {
    adminUrls: [running.url],
    adminToken: undefined,
    workspace: '',
    filterTags: ['managed-by-ingress-controller'],
    databaseUrl,
    stateDatabaseUrl: databaseUrl,
    adminConcurrency: 10,
    adminTimeoutMs: 5_000,
  };
  const cluster = memoryCluster();
  const admin = adminClient(config);
  const plane: ControlPlane = {
    cluster,
    pool,
    admin,
    config,
    faults: () => undefined,
    writes,
    dependencies: {
      statePool: pool,
      kongPool: pool,
      kong: config,
      admin,
      kubernetes: cluster.client,
      options: OPTIONS,
      settings: { lockWaitMs: 10_000, maxRoots: 200 },
    },
    rows: async () => {
      const found = new Map<string, string>();
      const tables = await pool.query<{ name: string }>(
        "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'",
      );
      const present = new Set(tables.rows.map((row) => row.name));
      for (const [type, { table }] of Object.entries(ENTITIES).filter(([, info]) => present.has(info.table))) {
        const { rows } = await pool.query<{ id: string; xmin: string }>(
          `SELECT id::text AS id, xmin::text AS xmin FROM ${table} ORDER BY id`,
        );
        for (const row of rows) found.set(`${type}/${row.id}`, row.xmin);
      }
      return found;
    },
    stop: async () => {
      admin.close();
      await running.stop();
      await pool.end();
    },
  };
  return plane;
}

/** How many rows of each type Kong has, without those that it has none of. */
export async function counts(plane: ControlPlane): Promise<Readonly<Record<string, number>>> {
  const types = [...(await plane.rows()).keys()].map((key) => key.slice(0, key.indexOf('/')));
  const groups = Map.groupBy(types, (type) => type);
  return Object.fromEntries([...groups].map(([type, all]) => [type, all.length]));
}

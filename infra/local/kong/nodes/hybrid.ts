import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { startAdmin } from '../admin/server.ts';
import { migrate } from '../database/migrate.ts';
import { standIn } from './context.ts';
import type { Context } from './context.ts';
import { startClusterListener } from './cluster-listener.ts';
import { ControlPlane } from './control-plane.ts';
import { DataPlane } from './data-plane.ts';
import { startListeners } from './node.ts';
import { adminSettings } from './settings.ts';
import type { KongNode, KongStandIn } from './types.ts';

/** A data plane keeps its node id in a file; the stand-in finds it in the row that it wrote last time. */
async function earlierId(pool: pg.Pool, hostname: string): Promise<string | undefined> {
  const { rows } = await pool.query<{ id: string }>(
    'SELECT id FROM clustering_data_planes WHERE hostname = $1 ORDER BY last_seen DESC LIMIT 1',
    [hostname],
  );
  return rows[0]?.id;
}

async function startDataPlane(
  context: Context,
  pool: pg.Pool,
  name: string,
  controlPlane: ControlPlane,
  first: boolean,
): Promise<KongNode> {
  const { settings, log } = context;
  const id = await earlierId(pool, name);
  const dataPlane = new DataPlane({ name, controlPlane, settings, log, ...(id === undefined ? {} : { id }) });
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

/** A control plane with the Admin API and two data planes. */
export async function startHybrid(context: Context): Promise<KongStandIn> {
  const { options, settings, log } = context;
  const pool = context.pool();
  await migrate(pool);
  const nodeId = randomUUID();
  const controlPlane = new ControlPlane({ pool, nodeId, settings, log });
  await controlPlane.start();
  context.undo.push(() => controlPlane.stop());
  const cluster = await startClusterListener(controlPlane);
  context.undo.push(() => cluster.stop());
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
    await startDataPlane(context, pool, 'dp1', controlPlane, true),
    await startDataPlane(context, pool, 'dp2', controlPlane, false),
  ];
  return standIn(context, [admin.url], nodes, cluster);
}

import { randomUUID } from 'node:crypto';
import { startAdmin } from '../admin/server.ts';
import type { RunningAdmin } from '../admin/server.ts';
import { migrate } from '../database/migrate.ts';
import { standIn } from './context.ts';
import type { Context } from './context.ts';
import { startListeners } from './node.ts';
import { adminSettings } from './settings.ts';
import { TraditionalNode } from './traditional-node.ts';
import type { KongNode, KongStandIn } from './types.ts';

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

/** Two nodes on one database, each with an Admin API. */
export async function startTraditional(context: Context): Promise<KongStandIn> {
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

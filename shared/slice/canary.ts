import type { Queryable } from '../index/database.ts';
import type { AdminClient } from '../kong/admin.ts';
import { canaryBodies, canaryIds } from '../kong/canary.ts';
import type { SliceDependencies } from './types.ts';

/** Epochs whose paths the route has, so that revisions before the newest one can be proven too. */
export const CANARY_EPOCHS = 10;

async function nextEpoch(state: Queryable): Promise<{ readonly epoch: number; readonly earlier: readonly number[] }> {
  const { rows } = await state.query<{ epoch: number; earlier: number[] }>(
    `SELECT nextval('kong_ingress.canary_epochs')::float8 AS epoch,
       ARRAY(SELECT canary_epoch::float8 FROM kong_ingress.revisions WHERE canary_epoch IS NOT NULL
         ORDER BY id DESC LIMIT $1) AS earlier`,
    [CANARY_EPOCHS - 1],
  );
  const [row] = rows;
  if (row === undefined) throw new Error('a SELECT without FROM gives a row');
  return row;
}

/**
 * Gives the canary a new epoch, after everything else that a revision writes: the route first, as the plugin refers to
 * it. Undefined when Kong refuses: the revision then has no canary. Rejects with INDEX_* and KONG_* errors, like any
 * write that is cut short.
 */
export async function writeCanary(
  state: Queryable,
  admin: AdminClient,
  { kong, options }: Pick<SliceDependencies, 'kong' | 'options'>,
): Promise<number | undefined> {
  const { epoch, earlier } = await nextEpoch(state);
  const ids = canaryIds(kong);
  const bodies = canaryBodies(kong, options.routerFlavor, epoch, earlier);
  const route = await admin.put('routes', ids.route, bodies.route);
  const plugin = route.ok ? await admin.put('plugins', ids.plugin, bodies.plugin) : route;
  return plugin.ok ? epoch : undefined;
}

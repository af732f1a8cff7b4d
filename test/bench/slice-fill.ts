import pg from 'pg';
import { admitNew, type Admission } from '../../infra/local/kong/admin/dao/admit.ts';
import { rowOf, writtenColumns } from '../../infra/local/kong/admin/dao/rows.ts';
import { createStore } from '../../infra/local/kong/admin/dao/store.ts';
import type { Definition } from '../../infra/local/kong/admin/entities/definition.ts';
import { createRegistry } from '../../infra/local/kong/admin/entities/index.ts';
import type { JsonObject } from '../../infra/local/kong/admin/json.ts';
import type { AdminClient, Written } from '../../shared/kong/admin.ts';
import type { Body, EntityType } from '../../shared/kong/entities.ts';
import { reconcile } from '../../shared/reconcile.ts';
import type { ControlPlane } from '../support/control-plane.ts';
import { member } from './slice-crowd.ts';

/** Roots of one slice while filling: the fewer slices, the fewer statements. */
const ROOTS_AT_ONCE = 1_000;

interface Batch {
  readonly rows: JsonObject[];
  readonly done: Promise<void>;
}

/** Inserts the rows of a table that come in one turn of the event loop with one statement, and what its trigger would. */
function batches(pool: pg.Pool): (definition: Definition, row: JsonObject) => Promise<void> {
  const open = new Map<Definition, Batch>();
  const flush = async (definition: Definition, rows: readonly JsonObject[]): Promise<void> => {
    await new Promise((resolve) => setImmediate(resolve));
    open.delete(definition);
    const columns = writtenColumns(definition).join(', ');
    await pool.query(
      `WITH written AS (
         INSERT INTO ${definition.table} (${columns})
         SELECT ${columns} FROM jsonb_populate_recordset(NULL::${definition.table}, $1::jsonb) RETURNING id, tags
       )
       INSERT INTO tags (entity_id, entity_name, tags) SELECT id, '${definition.table}', tags FROM written`,
      [JSON.stringify(rows)],
    );
  };
  return async (definition, row) => {
    const batch = open.get(definition) ?? { rows: [], done: Promise.resolve() };
    batch.rows.push(row);
    if (batch.rows.length > 1) return batch.done;
    const done = flush(definition, batch.rows);
    open.set(definition, { ...batch, done });
    return done;
  };
}

/**
 * The stand-in's Admin API without HTTP, for creating alone: the same defaults, checks and columns, but hundreds of rows a
 * statement, and no cluster events.
 */
async function bulkAdmin(plane: ControlPlane, pool: pg.Pool): Promise<AdminClient> {
  const { rows } = await pool.query<{ id: string }>("SELECT id FROM workspaces WHERE name = 'default'");
  const workspace = rows[0]?.id ?? '';
  const registry = createRegistry({ routerFlavor: 'traditional' });
  const admission: Admission = { registry, store: createStore(pool, workspace) };
  const insert = batches(pool);
  const create = async (type: EntityType, body: Body): Promise<Written> => {
    const definition = registry.get(type);
    if (definition === undefined) throw new Error(`the stand-in has no ${type}`);
    const { snis: _names, ...sent } = body;
    const entity = await admitNew(admission, definition, sent);
    await insert(definition, rowOf(definition, entity, workspace, Date.now()));
    return { ok: true, body };
  };
  return {
    ...plane.admin,
    put: (type, id, body) => create(type, { ...body, id }),
    createTarget: (upstreamId, body) => create('targets', { ...body, upstream: { id: upstreamId } }),
  };
}

/**
 * Puts as many Ingresses into the cluster, the index and Kong's tables. They get there as they always do, through a
 * reconcile and its slices, so that the index holds what it would hold; only Kong's rows are written in bulk.
 */
export async function fill(plane: ControlPlane, size: number): Promise<void> {
  // Foreign keys hold by the order of the writes; checking them row by row would take longer than everything else.
  const options = '-c session_replication_role=replica';
  const pool = new pg.Pool({ connectionString: plane.config.databaseUrl, max: 2, options });
  pool.on('error', () => undefined);
  try {
    await fillThrough(plane, await bulkAdmin(plane, pool), size);
    // As autovacuum does some minutes later.
    await pool.query('VACUUM ANALYZE');
  } finally {
    await pool.end();
  }
}

async function fillThrough(plane: ControlPlane, admin: AdminClient, size: number): Promise<void> {
  for (let number = 1; number <= size; number += 1) {
    for (const object of await member(number)) plane.cluster.put(object);
  }
  const { dependencies } = plane;
  const report = await reconcile({
    dependencies: {
      ...dependencies,
      admin,
      kong: { ...dependencies.kong, adminConcurrency: Number.MAX_SAFE_INTEGER },
      settings: { ...dependencies.settings, maxRoots: ROOTS_AT_ONCE },
    },
    list: async () => ({ objects: plane.cluster.objects(), requests: 0 }),
    remainingMs: () => Number.POSITIVE_INFINITY,
    force: true,
  });
  const finding = report.slices.flatMap((slice) => slice.findings)[0];
  if (finding !== undefined) throw new Error(finding.message);
  if (!report.complete) throw new Error('filling was not completed');
}

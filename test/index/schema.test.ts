import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { indexPool, indexSchema } from '../../shared/index/index.ts';
import { runSlice, type SliceDependencies, type SliceResult } from '../../shared/slice.ts';
import type { ChangeEvent } from '../../shared/events.ts';
import { memoryCluster, type MemoryCluster } from '../support/cluster.ts';
import { counts, type ControlPlane } from '../support/control-plane.ts';
import { endpoints, ingress, INGRESS_CLASS, service } from '../support/manifests.ts';
import { usePlanes } from '../support/planes.ts';

test('the schema of an index says whose it is, in a name that PostgreSQL takes as it stands', () => {
  assert.equal(indexSchema('default', ''), 'kong_ingress');
  assert.match(indexSchema('prod-eu', ''), /^kong_ingress_prod_eu_[0-9a-f]{8}$/);
  assert.match(indexSchema('default', 'team.a'), /^kong_ingress_default_team_a_[0-9a-f]{8}$/);
  assert.notEqual(indexSchema('a-b', ''), indexSchema('a_b', ''));
  assert.notEqual(indexSchema('a', 'b'), indexSchema('a_b', ''));
  fc.assert(
    fc.property(
      fc.string({ minLength: 1, unit: 'grapheme' }),
      fc.string({ unit: 'grapheme' }),
      (cluster, workspace) => {
        const name = indexSchema(cluster, workspace);
        assert.match(name, /^kong_ingress[a-z0-9_]*$/);
        assert.ok(name.length <= 63);
      },
    ),
    { numRuns: 500 },
  );
});

const withPlanes = usePlanes();

interface Tenant {
  readonly cluster: MemoryCluster;
  readonly dependencies: SliceDependencies;
}

/** Another cluster that writes to the same Kong, with tags of its own and its index in the same database. */
function tenant(plane: ControlPlane, name: string, tags: readonly string[]): Tenant {
  const cluster = memoryCluster(name);
  cluster.put(INGRESS_CLASS);
  cluster.put(service(name));
  cluster.put(endpoints(name, ['10.0.0.1']));
  const { dependencies } = plane;
  return {
    cluster,
    dependencies: {
      ...dependencies,
      statePool: indexPool(plane.pool, indexSchema(name, '')),
      kong: { ...dependencies.kong, filterTags: tags },
      kubernetes: cluster.client,
      options: { ...dependencies.options, cluster: name },
    },
  };
}

function run({ dependencies }: Tenant, ...changes: readonly ChangeEvent[]): Promise<SliceResult> {
  return runSlice({ changes }, dependencies);
}

test('two clusters share a Kong and a database, each with an index of its own', () =>
  withPlanes(0, async (plane) => {
    const [east, west] = [tenant(plane, 'east', ['east']), tenant(plane, 'west', ['west'])];
    for (const [name, one] of Object.entries({ east, west })) {
      const created = await run(one, one.cluster.put(ingress(name, [`${name}.test / ${name} 80`])));
      assert.deepEqual([created.findings, created.applied.length, created.revision], [[], 4, '1']);
    }
    assert.deepEqual(await counts(plane), { upstreams: 2, services: 2, targets: 2, routes: 2 });
    const gone = await run(west, west.cluster.remove('Ingress', 'default', 'west'));
    assert.equal(gone.applied.length, 4);
    // A name with the schema's in it is a value, which no statement may change.
    const odd = ingress('east', ['east.test / kong_ingress.x 80'], {
      annotations: { 'konghq.com/tags': 'kong_ingress.x' },
    });
    await run(east, east.cluster.put(odd));
    const { rows } = await plane.pool.query<{ tags: readonly string[] }>('SELECT tags FROM routes');
    assert.ok(rows[0]?.tags.includes('kong_ingress.x'));
    const sources = await plane.pool.query(
      `SELECT FROM ${indexSchema('east', '')}.sources WHERE key = 'Service/default/kong_ingress.x'`,
    );
    assert.equal(sources.rows.length, 1);
    const schemas = await plane.pool.query("SELECT FROM pg_namespace WHERE nspname = 'kong_ingress'");
    assert.equal(schemas.rows.length, 0);
  }));

test('an index for entities that another one has is refused, before anything is written', () =>
  withPlanes(0, async (plane) => {
    const [east, west] = [tenant(plane, 'east', ['same']), tenant(plane, 'west', ['same'])];
    await run(east, east.cluster.put(ingress('east', ['east.test / east 80'])));
    const rows = await plane.rows();
    const change = west.cluster.put(ingress('west', ['west.test / west 80']));
    await assert.rejects(run(west, change), { code: 'INDEX_OTHER_CLUSTER' });
    assert.deepEqual(await plane.rows(), rows);
    await plane.pool.query(`DROP SCHEMA ${indexSchema('east', '')} CASCADE`);
    assert.equal((await run(west, change)).applied.length, 4);
  }));

import assert from 'node:assert/strict';
import test from 'node:test';
import pg from 'pg';
import { AppError } from '../../shared/errors.ts';
import { migrate } from '../../shared/index/index.ts';
import { runSlice } from '../../shared/slice.ts';
import { counts, type ControlPlane } from '../support/control-plane.ts';
import { endpoints, ingress } from '../support/manifests.ts';
import { usePlanes } from '../support/planes.ts';
import { assertConverged } from '../support/oracle.ts';
import { tlsSecret } from '../support/tls.ts';

const withIngresses = usePlanes();

/** A control plane and a cluster with the class kong and one Service of two endpoints. */
function withPlane(work: (plane: ControlPlane) => Promise<void>): Promise<void> {
  return withIngresses(0, work);
}

test('500, 429 and cut connections in between are ridden out', () =>
  withPlane(async (plane) => {
    const answers = [{ status: 500 }, { status: 429 }, 'cut' as const, { status: 503 }];
    let request = 0;
    plane.faults = (method) => {
      if (method === 'GET') return undefined;
      request += 1;
      return request % 2 === 1 ? answers[(request >> 1) % answers.length] : undefined;
    };
    await runSlice({ changes: [plane.cluster.put(ingress('web', ['a.test / echo 80']))] }, plane.dependencies);
    plane.faults = () => undefined;
    await assertConverged(plane);
    assert.ok(request >= 8, `${request} requests`);
  }));

test('with the index in another database, what was written is read back from Kong’s', () =>
  withPlane(async (plane) => {
    const statePool = new pg.Pool({ connectionString: plane.config.databaseUrl, max: 4 });
    const dependencies = { ...plane.dependencies, statePool };
    const { cluster } = plane;
    try {
      for (const path of ['/', '/other']) {
        const change = cluster.put(ingress('web', [`a.test ${path} echo 80`]));
        assert.ok((await runSlice({ changes: [change] }, dependencies)).applied.length > 0);
        const rows = await plane.rows();
        const again = await runSlice({ changes: [change] }, dependencies);
        // Nothing is read from the Admin API: every xmin is known.
        assert.deepEqual([again.applied, again.cost.kongRequests], [[], 0]);
        assert.deepEqual(await plane.rows(), rows);
      }
    } finally {
      await statePool.end();
    }
  }));

test('a Kong that stays away fails the slice for now, and the next one ends it', () =>
  withPlane(async (plane) => {
    const change = plane.cluster.put(ingress('web', ['a.test / echo 80']));
    let away = false;
    plane.faults = (method, path) => {
      away ||= method === 'PUT' && path.startsWith('/routes/');
      return away ? { status: 503 } : undefined;
    };
    await assert.rejects(runSlice({ changes: [change] }, plane.dependencies), (error) => {
      assert.ok(error instanceof AppError);
      return error.info.retryable;
    });
    assert.equal((await counts(plane)).services, 1);
    plane.faults = () => undefined;
    const sent = plane.writes.length;
    const next = await runSlice({ changes: [change] }, plane.dependencies);
    assert.deepEqual(
      plane.writes.slice(sent).map((write) => write.split('/')[1]),
      ['routes'],
    );
    assert.equal(next.revision, '1');
    await assertConverged(plane);
  }));

test('a cluster that cannot be read fails the slice before anything is written', () =>
  withPlane(async (plane) => {
    const { cluster, dependencies } = plane;
    await runSlice({ changes: [cluster.put(ingress('web', ['a.test / echo 80']))] }, dependencies);
    const rows = await plane.rows();
    for (const part of ['Ingress/', 'Service/', 'EndpointSlice?', 'IngressClass/']) {
      cluster.onRequest = (key) => {
        if (key.startsWith(part)) throw new AppError('KUBERNETES_UNAVAILABLE', key);
      };
      const change = cluster.put(ingress('web', ['a.test /other echo 80']));
      await assert.rejects(runSlice({ changes: [change] }, dependencies), { code: 'KUBERNETES_UNAVAILABLE' }, part);
      assert.deepEqual(await plane.rows(), rows, part);
    }
  }));

test('PostgreSQL gone and back: the slice fails for now, the next one succeeds', () =>
  withPlane(async (plane) => {
    const { cluster, dependencies, pool } = plane;
    await runSlice({ changes: [cluster.put(ingress('web', ['a.test / echo 80']))] }, dependencies);
    let cut = false;
    cluster.onRequest = async (key) => {
      if (cut || !key.startsWith('Service/')) return;
      cut = true;
      await pool.query(
        'SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()',
      );
    };
    const change = cluster.put(ingress('web', ['a.test /other echo 80']));
    await assert.rejects(runSlice({ changes: [change] }, dependencies), (error) => {
      assert.ok(error instanceof AppError);
      return error.info.retryable;
    });
    await runSlice({ changes: [change] }, dependencies);
    await assertConverged(plane);
  }));

test('entities that are there under other ids are adopted, without a write', () =>
  withPlane(async (plane) => {
    const { cluster, dependencies, pool } = plane;
    const change = cluster.put(ingress('web', ['a.test / echo 80']));
    await runSlice({ changes: [change] }, dependencies);
    // As Kong Ingress Controller leaves them: upstreams and targets have random ids.
    await pool.query(`
      BEGIN;
      SET LOCAL session_replication_role = replica;
      WITH u AS (UPDATE upstreams SET id = gen_random_uuid() RETURNING id)
        UPDATE targets SET id = gen_random_uuid(), upstream_id = u.id FROM u;
      UPDATE targets SET cache_key = concat('targets:', upstream_id, ':', target, '::::', ws_id);
      COMMIT`);
    await pool.query('DROP SCHEMA kong_ingress CASCADE');
    const rows = await plane.rows();
    const sent = plane.writes.length;
    await migrate(pool);
    const adopted = await runSlice({ changes: [change] }, dependencies);
    assert.deepEqual([adopted.applied, adopted.findings, plane.writes.length], [[], [], sent]);
    assert.deepEqual(await plane.rows(), rows);
    // From then on they are ours under those ids.
    await runSlice({ changes: [cluster.put(endpoints('echo', ['10.0.0.2']))] }, dependencies);
    assert.equal((await counts(plane)).targets, 1);
    await runSlice({ changes: [cluster.remove('Ingress', 'default', 'web')] }, dependencies);
    assert.deepEqual(await counts(plane), {});
  }));

test('an Ingress with TLS stays within the requests and statements of one change', () =>
  withPlane(async (plane) => {
    const { cluster, dependencies } = plane;
    cluster.put(await tlsSecret('tls', 'a.test'));
    const costs = [];
    for (const path of ['/', '/other']) {
      const change = cluster.put(ingress('web', [`a.test ${path} echo 80`], { tlsSecret: 'tls' }));
      costs.push((await runSlice({ changes: [change] }, dependencies)).cost);
    }
    costs.push((await runSlice({ changes: [cluster.put(await tlsSecret('tls', 'a.test'))] }, dependencies)).cost);
    costs.push((await runSlice({ changes: [cluster.remove('Ingress', 'default', 'web')] }, dependencies)).cost);
    assert.equal(costs.length, 4);
    for (const cost of costs) {
      assert.ok(cost.kubernetesRequests + cost.kongRequests <= 12, JSON.stringify(cost));
      assert.ok(cost.sqlStatements <= 8, JSON.stringify(cost));
    }
    assert.deepEqual(await counts(plane), {});
  }));

test('no Secret content reaches the index', () =>
  withPlane(async (plane) => {
    const { cluster, dependencies, pool } = plane;
    const secret = await tlsSecret('tls', 'a.test');
    cluster.put(secret);
    await runSlice(
      { changes: [cluster.put(ingress('web', ['a.test / echo 80'], { tlsSecret: 'tls' }))] },
      dependencies,
    );
    const tables = await pool.query<{ name: string }>(
      "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'kong_ingress'",
    );
    assert.ok(tables.rows.length > 8);
    const key =
      Buffer.from(secret.data?.['tls.key'] ?? '', 'base64')
        .toString()
        .split('\n')[1] ?? '';
    assert.ok(key.length > 30);
    for (const { name } of tables.rows) {
      const { rows } = await pool.query<{ text: string }>(
        `SELECT row_to_json(t)::text AS text FROM kong_ingress.${name} t`,
      );
      for (const row of rows) {
        assert.ok(!row.text.includes(key.slice(0, 30)), name);
        assert.ok(!row.text.includes('PRIVATE KEY'), name);
      }
    }
  }));

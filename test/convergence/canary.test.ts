import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { listen } from '../../infra/local/listen.ts';
import { startKong, type KongStandIn } from '../../infra/local/kong/index.ts';
import type { KongConfig } from '../../shared/config.ts';
import type { ConvergenceConfig } from '../../shared/convergence/config.ts';
import { converge, type Converged, type Convergence } from '../../shared/convergence/converge.ts';
import type { Verdict } from '../../shared/convergence/types.ts';
import { canaries } from '../../shared/convergence/canary.ts';
import { CANARY_HEADER, CANARY_HOST, canaryIds, canaryPath } from '../../shared/kong/canary.ts';
import { adminClient } from '../../shared/kong/admin.ts';
import { runSlice, type SliceDependencies } from '../../shared/slice.ts';
import { memoryCluster, type MemoryCluster } from '../support/cluster.ts';
import { controlPlane, OPTIONS } from '../support/control-plane.ts';
import { convergenceSettings } from '../support/convergence.ts';
import { endpoints, ingress, INGRESS_CLASS, service } from '../support/manifests.ts';
import { temporaryPostgres, type TemporaryPostgres } from '../support/postgres.ts';

let server: TemporaryPostgres;
const stop: (() => Promise<void>)[] = [];

before(async () => {
  server = await temporaryPostgres();
});

after(async () => {
  for (const step of stop.toReversed()) await step();
  await server.stop();
});

const FAST = {
  dbUpdateFrequencySeconds: 0.3,
  workerStateUpdateFrequencySeconds: 0.3,
  pingSeconds: 1,
  reconnectSeconds: 1,
};

interface Bed {
  readonly kong: KongStandIn;
  readonly run: Convergence;
  readonly cluster: MemoryCluster;
  /** Writes an Ingress with the path by a slice; gives the revision. */
  readonly write: (path: string) => Promise<string>;
}

async function bed(topology: KongStandIn['topology']): Promise<Bed> {
  const databaseUrl = await server.createDatabase(`kong_${randomUUID().slice(0, 8)}`);
  const kong = await startKong({ databaseUrl, topology, settings: FAST, log: () => undefined });
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 6 });
  pool.on('error', () => undefined);
  const probeUrls = new Map(
    kong.nodes.map(({ name, adminUrl, proxyUrl }) => [
      adminUrl === undefined ? name : new URL(adminUrl).host,
      proxyUrl,
    ]),
  );
  const config: KongConfig & ConvergenceConfig = {
    ...convergenceSettings(kong.adminUrls, databaseUrl),
    canary: true,
    probeUrls,
  };
  const admin = adminClient(config);
  stop.push(async () => {
    admin.close();
    await kong.stop();
    await pool.end();
  });
  const cluster = memoryCluster();
  for (const object of [INGRESS_CLASS, service('echo'), endpoints('echo', ['127.0.0.1'])]) cluster.put(object);
  const dependencies: SliceDependencies = {
    statePool: pool,
    kongPool: pool,
    kong: config,
    admin,
    kubernetes: cluster.client,
    options: OPTIONS,
    settings: { lockWaitMs: 10_000, maxRoots: 200 },
  };
  const write = async (path: string): Promise<string> => {
    // A route of a user that takes every path of every host.
    const changes = [ingress('web', [`a.test ${path} echo 80`]), ingress('all', ['* / echo 80'])].map((object) =>
      cluster.put(object),
    );
    return (await runSlice({ changes }, dependencies)).revision ?? assert.fail('nothing was written');
  };
  return { kong, cluster, run: { kong: pool, index: pool, config }, write };
}

const DEADLINE_MS = 40_000;

async function until(run: Convergence, done: (found: Converged) => boolean): Promise<Converged> {
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    const found = await converge(run);
    if (done(found)) return found;
    assert.ok(Date.now() < deadline, `still ${JSON.stringify(found.verdicts)}`);
    await delay(50);
  }
}

const has = ({ verdicts }: Converged, count: number): boolean =>
  verdicts.filter(({ state }) => state === 'converged').length === count;
const proofs = (verdicts: readonly Verdict[]): unknown => verdicts.map(({ evidence, proof }) => [evidence, proof]);

for (const topology of ['hybrid', 'traditional'] as const) {
  test(`${topology}: the canary proves serving; a node that is cut off is applying until it serves`, async () => {
    const { kong, run, write } = await bed(topology);
    await until(run, ({ verdicts }) => verdicts.length === 2);
    const first = await write('/first');
    const found = await until(run, (item) => has(item, 2));
    assert.deepEqual(proofs(found.verdicts), [
      ['canary', 'serving'],
      ['canary', 'serving'],
    ]);
    assert.deepEqual(found.converged, [first]);

    const cut = kong.nodes[1] ?? assert.fail();
    await cut.pause();
    // The revision before is open, too: nobody has seen it everywhere.
    await run.index.query('UPDATE kong_ingress.revisions SET converged_at = NULL');
    const second = await write('/second');
    // Traditional: until the time is over that weaker evidence would wait for.
    const waitMs = topology === 'hybrid' ? 0 : 3_000;
    const late = await until(run, (item) => has(item, 1) && (item.verdicts[0]?.sinceWriteMs ?? 0) > waitMs);
    assert.equal(late.proven, first);
    const [behind, ...others] = late.verdicts.filter(({ state }) => state !== 'converged');
    assert.deepEqual([behind?.state, behind?.evidence, others], ['applying', 'canary', []]);
    cut.resume();
    assert.deepEqual((await until(run, (item) => has(item, 2))).converged, [second]);

    // What cannot be probed has no such proof, and says why.
    const [name = ''] = run.config.probeUrls?.keys() ?? [];
    const probeUrls = new Map([[name, 'http://127.0.0.1:1']]);
    const blind = await converge({ ...run, config: { ...run.config, probeUrls } });
    assert.ok(blind.verdicts.every(({ evidence, proof }) => evidence !== 'canary' && proof !== 'serving'));
    assert.deepEqual(
      blind.verdicts.map(({ reason }) => /by canary: (?<why>.*?)(?:;|$)/.exec(reason)?.groups?.why),
      blind.verdicts.map(({ node, name: called }) =>
        [node, called].includes(name) ? 'its proxy does not answer' : 'KONG_PROBE_URLS has no address of it',
      ),
    );
  });
}

test('the expressions router gets the canary too, before everything else', async () => {
  const plane = await controlPlane(server, 'expressions', { router_flavor: 'expressions' });
  stop.push(() => plane.stop());
  const { cluster, dependencies, pool, config } = plane;
  for (const object of [INGRESS_CLASS, service('echo'), endpoints('echo', ['127.0.0.1'])]) cluster.put(object);
  await runSlice(
    { changes: [cluster.put(ingress('web', ['a.test / echo 80']))] },
    {
      ...dependencies,
      kong: { ...config, canary: true },
      options: { ...OPTIONS, routerFlavor: 'expressions' },
    },
  );
  const { rows } = await pool.query<{ id: string; expression: string; body: string }>(
    `SELECT r.id, r.expression, p.config->>'body' AS body FROM routes r LEFT JOIN plugins p ON p.route_id = r.id
     ORDER BY r.priority DESC`,
  );
  assert.equal(rows.length, 2);
  const { route } = canaryIds(config);
  assert.equal(rows[0]?.id, route);
  assert.equal(
    rows[0]?.expression,
    `(http.host == "${CANARY_HOST}") && (http.method == "GET") && (http.headers.kong_ingress_functions_canary == "${route}") && ((http.path == "${canaryPath(Number(rows[0]?.body))}"))`,
  );
});

const OWNER = { workspace: '', filterTags: ['ours'], canary: true };

/** What the canary says of a proxy that answers so. `connection` counts from 0. */
async function judged(
  answer: (path: string, connection: number) => readonly [status: number, body: string],
): Promise<unknown> {
  const sockets: unknown[] = [];
  const proxy = http.createServer((request, response) => {
    if (!sockets.includes(request.socket)) sockets.push(request.socket);
    const { host, [CANARY_HEADER]: id } = request.headers;
    const isCanary = host === CANARY_HOST && id === canaryIds(OWNER).route;
    const [status, body] = isCanary ? answer(request.url ?? '', sockets.indexOf(request.socket)) : [500, ''];
    response.writeHead(status).end(body);
  });
  const port = await listen(proxy);
  const revision = { changes: 1, startedAt: 0, writtenAt: 1, snapshotXmax: '1', convergedAt: undefined };
  const revisions = [
    { ...revision, id: '2', epoch: 20 },
    { ...revision, id: '1', epoch: 10 },
  ];
  const config = { ...OWNER, probeUrls: new Map([['dp', `http://127.0.0.1:${port}`]]) };
  const said = (await canaries({ config }, revisions, [{ id: 'a', names: ['x', 'dp'] }])).get('a');
  proxy.close();
  return said === undefined || 'unavailable' in said ? said?.unavailable : [said.state, said.revision];
}

/** A proxy whose router has the paths of some epochs, and whose plugin says one. */
function proxying(paths: readonly number[], body: number): (path: string) => readonly [number, string] {
  return (path) =>
    paths.some((epoch) => path === canaryPath(epoch)) ? [200, String(body)] : [404, '{"message":"no Route matched"}'];
}

test('router and plugins of every connection must have the epoch, or a later one', async () => {
  assert.deepEqual(await judged(proxying([20, 10], 20)), ['converged', '2']);
  assert.deepEqual(await judged(proxying([30, 20, 10], 30)), ['converged', '2'], 'a later one');
  assert.deepEqual(await judged(proxying([10], 10)), ['applying', '1'], 'an older one');
  assert.deepEqual(await judged(proxying([20, 10], 10)), ['applying', '1'], 'the router alone');
  assert.deepEqual(await judged(proxying([10], 20)), ['applying', '1'], 'plugins alone');
  const mixed = await judged((path, connection) => proxying(connection === 24 ? [10] : [20, 10], 20)(path));
  assert.deepEqual(mixed, ['applying', '1'], 'the last connection');
  assert.deepEqual(await judged(() => [200, 'x'.repeat(10_000)]), ['applying', undefined], 'another route');
  assert.equal(await judged(() => [401, '{}']), 'its proxy refuses the canary with 401');
});

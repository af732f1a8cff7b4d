import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import type { KubernetesObject } from '@kubernetes/client-node';
import { indexSchema } from '../../shared/index/schema.ts';
import { isRecord, parseJson } from '../../shared/json.ts';
import { endpoints, ingress, INGRESS_CLASS, service } from '../support/manifests.ts';
import { fingerprint, kongIngress, startCliLab, type CliLab } from './support.ts';

const KEY = 'a-key-that-nobody-may-see';
let lab: CliLab;

before(async () => {
  lab = await startCliLab('hybrid');
  await lab.cluster.apply(
    ...manifests(
      INGRESS_CLASS,
      service('echo'),
      endpoints('echo', ['10.0.0.1']),
      ingress('web', ['web.test / echo 80']),
      ...consumer(KEY),
    ),
  );
});

after(() => lab.stop());

/** Objects of the project's own types as the cluster's client takes them. */
function manifests(...objects: readonly object[]): readonly KubernetesObject[] {
  const copies: readonly KubernetesObject[] = JSON.parse(JSON.stringify(objects));
  return copies;
}

function consumer(key: string): readonly object[] {
  const metadata = { name: 'alice', namespace: 'default', annotations: { 'kubernetes.io/ingress.class': 'kong' } };
  const labels = { 'konghq.com/credential': 'key-auth' };
  return [
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'key', namespace: 'default', labels }, stringData: { key } },
    {
      apiVersion: 'configuration.konghq.com/v1',
      kind: 'KongConsumer',
      metadata,
      username: 'alice',
      credentials: ['key'],
    },
  ];
}

async function admin(method: string, path: string, body?: object): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const url = `${lab.stack.kong.adminUrls[0]}${path}`;
  const answer = await fetch(url, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${await answer.text()}`);
}

/** Runs `diff` and makes sure that it has changed nothing. */
async function diff(): Promise<{ readonly code: number; readonly stdout: string }> {
  const earlier = await fingerprint(lab.pool);
  const { code, stdout, stderr } = await lab.run('diff');
  assert.equal(stderr, '');
  assert.equal(await fingerprint(lab.pool), earlier);
  assert.doesNotMatch(stdout, new RegExp(KEY));
  return { code, stdout };
}

test('diff shows a first run, with exit code 2, and creates nothing, not even the index', async () => {
  const { code, stdout } = await diff();
  assert.equal(code, 2, stdout);
  assert.match(stdout, /^create routes\/default\.web\.echo\.web\.test\.80 \(Ingress default\/web\)$/m);
  assert.match(stdout, /^create keyauth_credentials\/[0-9a-f-]{36} \(KongConsumer default\/alice\)$/m);
  assert.match(stdout, /^6 to create, 0 to update, 0 to delete, 0 to adopt without a write, 0 withheld$/m);
  const { rows } = await lab.pool.query("SELECT FROM pg_namespace WHERE nspname LIKE 'kong\\_ingress%'");
  assert.equal(rows.length, 0);
});

test('status without an index knows no revision, and wait says that nothing is known', async () => {
  const earlier = await fingerprint(lab.pool);
  const { code, value } = await lab.json('status');
  assert.deepEqual([code, value['revisions'], value['topology']], [0, [], 'hybrid']);
  assert.equal(await fingerprint(lab.pool), earlier);
  const waited = await lab.json('wait', '--for', 'converged', '--timeout', '0s');
  assert.deepEqual([waited.code, waited.value['waited']], [3, 'unknown']);
});

test('reconcile writes what diff showed; then diff has nothing and ends with 0', async () => {
  const first = await lab.run('reconcile');
  assert.equal(first.code, 0, first.stdout + first.stderr);
  assert.match(first.stdout, /^6 written, 0 rejected, 0 repaired, revision 1; 1 slices, /m);
  assert.match(first.stdout, /^\d+ objects in \d+ requests, 0 entities of ours in Kong; 2 objects differ, 0 are gone/m);
  assert.doesNotMatch(first.stdout, new RegExp(KEY));
  const second = await diff();
  assert.deepEqual([second.code, second.stdout.split('\n').length], [0, 2], second.stdout);
  const { value } = await lab.json('reconcile');
  assert.deepEqual([value['changes'], value['complete'], value['orphans']], [[], true, 0]);
});

test('wait ends with 0 when the data planes have it, and status shows the proof without leaving a trace', async () => {
  const { code, stdout } = await lab.run('wait', '--for', 'converged', '--timeout', '60s');
  assert.equal(code, 0, stdout);
  assert.match(stdout, /^converged, revision 1$/m);
  assert.match(stdout, /converged +1 +agreement +stored \+ [\d.]+ s/);
  const earlier = await fingerprint(lab.pool);
  const status = await lab.run('status');
  assert.equal(await fingerprint(lab.pool), earlier);
  assert.match(status.stdout, /^hybrid; newest revision 1$/m);
  assert.match(status.stdout, /^1 +6 +\d{4}-\S+Z +[\d.]+ s$/m);
  assert.equal(status.code, 0);
});

test('sync works off what is named and nothing else; diff names the fields that differ', async () => {
  await lab.cluster.apply(
    ...manifests(ingress('web', ['web.test /new echo 80']), ingress('other', ['other.test / echo 80'])),
  );
  const pending = await diff();
  assert.equal(pending.code, 2);
  assert.match(pending.stdout, /^update routes\/default\.web\S+: paths \(Ingress default\/web\)$/m);
  assert.match(pending.stdout, /^1 to create, 1 to update, 0 to delete/m);
  const synced = await lab.json('sync', 'ingress/default/web');
  assert.equal(synced.code, 0);
  const { changes, cost } = synced.value;
  assert.ok(Array.isArray(changes) && isRecord(changes[0]) && isRecord(cost));
  assert.deepEqual([changes.length, changes[0]['action'], changes[0]['type']], [1, 'update', 'routes']);
  assert.ok(Number(cost['kongRequests']) > 0 && Number(cost['sqlStatements']) > 0);
  assert.match((await diff()).stdout, /^1 to create, 0 to update, 0 to delete/m);
  assert.equal((await lab.run('sync', 'ingress/default/other')).code, 0);
});

test('a changed secret shows the name of its field and no value', async () => {
  await lab.cluster.apply(...manifests(...consumer(`${KEY}-new`)));
  const { code, stdout } = await diff();
  assert.equal(code, 2);
  assert.match(stdout, /keyauth_credentials/);
  const synced = await lab.run('sync', 'secret/default/key');
  assert.equal(synced.code, 0);
  assert.match(synced.stdout, /^(create|update) keyauth_credentials\//m);
  assert.doesNotMatch(synced.stdout, new RegExp(KEY));
});

test('wait ends with 2 while a data plane is cut off, and converge says which', async () => {
  const [node] = lab.stack.kong.standIn?.nodes ?? [];
  assert.ok(node !== undefined);
  assert.equal((await lab.run('wait', '--for', 'converged')).code, 0);
  await node.pause();
  try {
    await lab.cluster.apply(...manifests(ingress('web', ['web.test /newer echo 80'])));
    assert.equal((await lab.run('sync', 'ingress/default/web')).code, 0);
    const { code, stdout } = await lab.run('wait', '--for', 'converged', '--timeout', '1s');
    assert.equal(code, 2, stdout);
    assert.match(stdout, /^not converged, revision \d+$/m);
    const own = await lab.json('wait', '--for', 'converged', '--timeout', '0s', 'ingress/default/web');
    assert.deepEqual([own.code, own.value['waited']], [2, 'not converged']);
    const other = await lab.json('wait', '--for', 'converged', '--timeout', '0s', 'kongconsumer/default/alice');
    assert.deepEqual([other.code, other.value['waited']], [0, 'converged']);
    const converged = await lab.json('converge');
    assert.deepEqual([converged.code, converged.value['converged']], [0, []]);
  } finally {
    node.resume();
  }
  assert.equal((await lab.run('wait', '--for', 'converged')).code, 0);
});

test('wait for an object: what reads it decides; what the index does not know ends with 3', async () => {
  const read = await lab.run('wait', '--for', 'converged', 'service/default/echo');
  assert.equal(read.code, 0, read.stdout);
  const args = ['wait', '--for', 'converged', '--timeout', '0s', 'ingress/default/nobody', 'ingress/default/web'];
  const { code, stdout } = await lab.run(...args);
  assert.equal(code, 3, stdout);
  assert.match(stdout, /^unknown, revision \d+, the index does not know Ingress default\/nobody$/m);
  const wrong = await lab.run('wait', '--for', 'converged', 'nothing/default/web');
  assert.deepEqual([wrong.code, /ARGUMENTS_INVALID/.test(wrong.stderr)], [1, true]);
});

test('wait knows nothing when Kong does not answer', async () => {
  const args = ['wait', '--for', 'converged', '--timeout', '0s', '--json'];
  const silent = await kongIngress(args, { ...lab.env, KONG_ADMIN_URL: 'http://127.0.0.1:1' });
  assert.equal(silent.code, 3, silent.stdout + silent.stderr);
  const gone = { KONG_DATABASE_URL: 'postgres://kong:top-secret@127.0.0.1:1/kong' };
  const lost = await kongIngress(args, { ...lab.env, ...gone });
  assert.equal(lost.code, 3);
  const value = parseJson(lost.stdout);
  assert.ok(isRecord(value));
  assert.deepEqual([value['waited'], value['error']], ['unknown', 'INDEX_UNAVAILABLE']);
  assert.doesNotMatch(lost.stdout + lost.stderr, /top-secret/);
});

test('status --watch goes on until it is interrupted', async () => {
  const running = lab.start('status', '--watch', '--json');
  let printed = '';
  running.stdout?.on('data', (chunk: Buffer) => {
    printed += chunk.toString('utf8');
    if (printed.trim().split('\n').length >= 2) running.kill('SIGINT');
  });
  const [code] = await once(running, 'exit');
  assert.equal(code, 0);
  for (const line of printed.trim().split('\n')) assert.ok(isRecord(parseJson(line)), line);
});

test('what is not ours is never changed: diff withholds it, sync says so with 2', async () => {
  await admin('POST', '/services', { name: 'theirs', host: 'theirs.test' });
  await admin('PUT', '/services/theirs/routes/default.taken.echo.taken.test.80', { paths: ['/theirs'] });
  const { rows } = await lab.pool.query("SELECT xmin::text FROM routes WHERE name LIKE 'default.taken.%'");
  await lab.cluster.apply(...manifests(ingress('taken', ['taken.test / echo 80'])));
  const shown = await diff();
  assert.equal(shown.code, 2);
  assert.match(
    shown.stdout,
    /^withheld create routes\/default\.taken\S+ \(Ingress default\/taken\): KongEntityNotOurs$/m,
  );
  assert.match(shown.stdout, /^error KongEntityNotOurs Ingress default\/taken/m);
  const synced = await lab.run('sync', 'ingress/default/taken');
  assert.equal(synced.code, 2, synced.stdout);
  const afterwards = await lab.pool.query("SELECT xmin::text FROM routes WHERE name LIKE 'default.taken.%'");
  assert.deepEqual(afterwards.rows, rows);
  await lab.cluster.remove(...manifests(ingress('taken', ['taken.test / echo 80'])));
  assert.equal((await lab.run('reconcile')).code, 0);
});

test('without its index diff shows adoptions, which cost no write, and reconcile makes them', async () => {
  await lab.pool.query(`DROP SCHEMA ${indexSchema('local', '')} CASCADE`);
  const { code, stdout } = await diff();
  assert.equal(code, 0, stdout);
  assert.match(stdout, /^adopt services\/default\.echo\.80 \(Ingress default\/\w+\)$/m);
  assert.match(stdout, /^0 to create, 0 to update, 0 to delete, 7 to adopt without a write, 0 withheld$/m);
  const { value } = await lab.json('reconcile');
  assert.deepEqual(value['changes'], []);
});

test('many deletes are shown, held back, and done by --force', async () => {
  const many = manifests(...Array.from({ length: 12 }, (_, n) => ingress(`many-${n}`, [`m${n}.test / echo 80`])));
  await lab.cluster.apply(...many);
  assert.equal((await lab.run('reconcile')).code, 0);
  await lab.cluster.remove(...many);
  const shown = await diff();
  assert.equal(shown.code, 2);
  assert.match(shown.stdout, /^delete routes\/default\.many-3\S+ \(Ingress default\/many-3\)$/m);
  assert.match(shown.stdout, /^so many deletes are held back by a reconcile without --force$/m);
  const held = await lab.run('reconcile');
  assert.equal(held.code, 2);
  assert.match(held.stdout, /^12 deletes are held back: run it with --force when they are meant$/m);
  assert.equal((await lab.run('reconcile', '--force')).code, 0);
  assert.equal((await diff()).code, 0);
});

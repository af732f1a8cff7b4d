import assert from 'node:assert/strict';
import { appendFile, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { AppError } from '../../../shared/errors.ts';
import { startKubernetes } from '../../../infra/local/kubernetes/index.ts';
import { listAt, textAt } from '../../../infra/local/kubernetes/json.ts';
import { CONFIGMAPS, configMap, eventually, send, stand, temporaryDirectory } from './stand.ts';

const MERGE = { 'content-type': 'application/merge-patch+json' };
const code =
  (expected: string) =>
  (error: unknown): boolean =>
    error instanceof AppError && error.code === expected;

test('a restart keeps objects, uids, resourceVersions, definitions and the token', async (t) => {
  const directory = await temporaryDirectory(t);
  const first = await startKubernetes({ directory, tls: false });
  await send(first, 'POST', CONFIGMAPS, configMap('a'));
  await send(first, 'POST', CONFIGMAPS, configMap('gone'));
  const kept = await send(first, 'PATCH', `${CONFIGMAPS}/a`, { data: { x: '1' } }, MERGE);
  await send(first, 'POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
    metadata: { name: 'things.example.org' },
    spec: {
      group: 'example.org',
      scope: 'Cluster',
      names: { kind: 'Thing', plural: 'things' },
      versions: [{ name: 'v1', served: true, storage: true }],
    },
  });
  await send(first, 'DELETE', `${CONFIGMAPS}/gone`);
  const before = await send(first, 'GET', CONFIGMAPS);
  await first.stop();
  const second = await stand(t, { directory });
  assert.equal(second.token, first.token);
  assert.deepEqual((await send(second, 'GET', `${CONFIGMAPS}/a`)).body, kept.body);
  const after = await send(second, 'GET', CONFIGMAPS);
  assert.deepEqual(after.body, before.body);
  assert.equal((await send(second, 'GET', '/apis/example.org/v1/things')).status, 200);
  const next = await send(second, 'POST', CONFIGMAPS, configMap('b'));
  assert.ok(
    Number(textAt(next.body, 'metadata', 'resourceVersion')) >
      Number(textAt(before.body, 'metadata', 'resourceVersion')),
  );
});

test('a restart goes on with the deletion of a namespace', async (t) => {
  const directory = await temporaryDirectory(t);
  const first = await startKubernetes({ directory, tls: false });
  await send(first, 'POST', '/api/v1/namespaces', { metadata: { name: 'shop' } });
  await send(first, 'DELETE', '/api/v1/namespaces/shop');
  await first.stop();
  const second = await stand(t, { directory });
  await eventually(async () =>
    (await send(second, 'GET', '/api/v1/namespaces/shop')).status === 404 ? true : undefined,
  );
});

test('a line that a crash cut short is left out; other damage is an error with its place', async (t) => {
  const directory = await temporaryDirectory(t);
  const first = await startKubernetes({ directory, tls: false });
  await send(first, 'POST', CONFIGMAPS, configMap('a'));
  await first.stop();
  const file = path.join(directory, 'objects.jsonl');
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  await appendFile(file, '{"resourceVersion":99,"storage":"/configm');
  const second = await startKubernetes({ directory, tls: false });
  const { body } = await send(second, 'GET', CONFIGMAPS);
  assert.deepEqual(
    listAt(body, 'items').map((item) => textAt(item, 'metadata', 'name')),
    ['a'],
  );
  await second.stop();
  await writeFile(file, `not json\n${await readFile(file, 'utf8')}`);
  await assert.rejects(startKubernetes({ directory }), code('LOCAL_DATA_DAMAGED'));
});

test('a directory serves one server at a time', async (t) => {
  const directory = await temporaryDirectory(t);
  const first = await stand(t, { directory });
  await assert.rejects(startKubernetes({ directory }), code('LOCAL_DIRECTORY_IN_USE'));
  assert.equal((await send(first, 'GET', '/api')).status, 200);
  await first.stop();
  await writeFile(path.join(directory, 'lock'), String(process.ppid));
  await assert.rejects(startKubernetes({ directory }), code('LOCAL_DIRECTORY_IN_USE'));
  await writeFile(path.join(directory, 'lock'), '2147483646');
  await stand(t, { directory });
});

test('a port that is taken is an error that leaves the directory free', async (t) => {
  const first = await stand(t);
  const directory = await temporaryDirectory(t);
  const port = Number(new URL(first.url).port);
  await assert.rejects(startKubernetes({ directory, port }), /EADDRINUSE/);
  await stand(t, { directory });
});

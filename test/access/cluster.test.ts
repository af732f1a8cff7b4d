import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { authority } from '../../infra/local/certificate.ts';
import { kubernetesConfig } from '../../shared/access/config.ts';
import type { CredentialSource, Credentials } from '../../shared/access/credentials.ts';
import { secretReader } from '../../shared/access/secrets.ts';
import { serviceAccount } from '../../shared/access/service-account.ts';
import { AppError } from '../../shared/errors.ts';
import { kubernetesClient } from '../../shared/kubernetes/client.ts';
import { listCluster } from '../../shared/kubernetes/cluster.ts';
import { QUICK, configOf, page, service, startApi, status } from '../kubernetes/fake-api.ts';
import type { TestServer } from '../support/http-server.ts';
import { tlsFront } from '../support/tls-front.ts';

const NONE: Credentials = { ca: undefined, token: undefined, clientCertificate: undefined, clientKey: undefined };
const ECHO = 'GET /api/v1/namespaces/shop/services/echo';

/** An API server that takes one token at a time. */
async function api(t: TestContext, token: { current: string }): Promise<TestServer> {
  const server = await startApi({
    [ECHO]: ({ headers }) =>
      headers['authorization'] === `Bearer ${token.current}` ? { body: service('echo') } : status(401, 'Unauthorized'),
  });
  t.after(() => server.stop());
  return server;
}

function secretSource(text: () => string): CredentialSource {
  const secrets = secretReader({ fetch: async () => text(), maxAgeMs: 300_000 });
  const { source } = kubernetesConfig({ KUBERNETES_URL: 'https://api', KUBERNETES_TOKEN: 'ssm:/token' }, () => secrets);
  assert.ok(source !== undefined);
  return source;
}

test('a token that was rotated is used after one 401, without another connection or deployment', async (t) => {
  const token = { current: 'first' };
  const server = await api(t, token);
  const client = kubernetesClient(configOf(server.url, { source: secretSource(() => token.current) }), QUICK);
  t.after(() => client.close());
  assert.equal((await client.get('Service', 'shop', 'echo'))?.metadata.name, 'echo');
  token.current = 'second';
  assert.equal((await client.get('Service', 'shop', 'echo'))?.metadata.name, 'echo');
  assert.equal((await client.get('Service', 'shop', 'echo'))?.metadata.name, 'echo');
  assert.deepEqual(
    server.seen.map(({ headers }) => headers['authorization']),
    ['first', 'first', 'second', 'second'].map((one) => `Bearer ${one}`),
  );
});

test('a 401 that a newer token does not change is an error after one more look', async (t) => {
  const server = await api(t, { current: 'unknown' });
  let reads = 0;
  const source = secretSource(() => {
    reads += 1;
    return `token-${reads}`;
  });
  const client = kubernetesClient(configOf(server.url, { source }), QUICK);
  t.after(() => client.close());
  await assert.rejects(client.get('Service', 'shop', 'echo'), (error) => {
    assert.ok(error instanceof AppError && error.code === 'KUBERNETES_UNAUTHENTICATED');
    assert.doesNotMatch(error.message, /token-/);
    return true;
  });
  assert.equal(server.seen.length, 2);
});

test('the lists of reconcile renew a token, too', async (t) => {
  const token = { current: 'first' };
  const server = await startApi(
    new Proxy(
      {},
      {
        get: () => (request: { headers: Record<string, unknown> }) =>
          request.headers['authorization'] === `Bearer ${token.current}` ? page([]) : status(401, 'Unauthorized'),
      },
    ),
  );
  t.after(() => server.stop());
  const source = secretSource(() => token.current);
  await source.current();
  token.current = 'second';
  const { absent } = await listCluster(configOf(server.url, { source }), QUICK);
  assert.deepEqual(absent, []);
});

test('an authority that was rotated is read again when its certificates are not trusted', async (t) => {
  const target = await startApi({ [ECHO]: { body: service('echo') } });
  t.after(() => target.stop());
  const [old, current] = [await authority('one'), await authority('another')];
  const front = await tlsFront(target.url, { authority: current, hosts: ['127.0.0.1'] });
  t.after(() => front.stop());
  const asked: (Partial<Credentials> | undefined)[] = [];
  const source: CredentialSource = {
    current: async (refused) => {
      asked.push(refused);
      return { ...NONE, token: 't', ca: refused?.ca === undefined ? old.certificate : current.certificate };
    },
  };
  const client = kubernetesClient(configOf(front.url, { source }), QUICK);
  t.after(() => client.close());
  assert.equal((await client.get('Service', 'shop', 'echo'))?.metadata.name, 'echo');
  assert.deepEqual(asked, [undefined, { ca: old.certificate }]);
});

test('a pod uses its ServiceAccount, whose token the kubelet replaces', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'service-account-'));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(path.join(folder, 'token'), 'one\n');
  await writeFile(path.join(folder, 'ca.crt'), 'CA');
  let now = 0;
  const source = serviceAccount(folder, () => now);
  assert.deepEqual(await source.current(), { ...NONE, token: 'one', ca: 'CA' });
  await writeFile(path.join(folder, 'token'), 'two');
  assert.equal((await source.current()).token, 'one');
  assert.equal((await source.current({ token: 'one' })).token, 'two');
  await writeFile(path.join(folder, 'token'), 'three');
  now = 60_000;
  assert.equal((await source.current()).token, 'three');
  await rm(path.join(folder, 'token'));
  now = 120_000;
  await assert.rejects(source.current(), (error) => error instanceof AppError && error.code === 'CONFIG_INVALID');
});

const settings: readonly [title: string, env: Record<string, string>, expected: object][] = [
  ['a token', { KUBERNETES_URL: 'https://api/', KUBERNETES_TOKEN: 't' }, { url: 'https://api', token: 't' }],
  [
    'a reference is nothing to send',
    { KUBERNETES_URL: 'https://api', KUBERNETES_TOKEN: 'ssm:/t' },
    { token: undefined },
  ],
  [
    'a pod without KUBERNETES_URL',
    { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '6443' },
    { url: 'https://10.0.0.1:6443' },
  ],
  ['a pod with IPv6', { KUBERNETES_SERVICE_HOST: 'fd00::1' }, { url: 'https://[fd00::1]:443' }],
];
for (const [title, env, expected] of settings) {
  test(`settings: ${title}`, () => {
    const { source, ...config } = kubernetesConfig(env);
    for (const [name, value] of Object.entries(expected)) assert.deepEqual(Object(config)[name], value, name);
    assert.equal(source !== undefined, title !== 'a token');
  });
}

test('settings: on EKS the function signs its own token', async () => {
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret-key' });
  const { source } = kubernetesConfig({
    KUBERNETES_URL: 'https://api',
    KUBERNETES_CA: 'CA',
    KUBERNETES_EKS_CLUSTER: 'prod',
    KUBERNETES_TOKEN: 'secretsmanager:kong#KUBERNETES_TOKEN',
    AWS_REGION: 'eu-west-1',
  });
  const { ca, token } = (await source?.current()) ?? NONE;
  assert.equal(ca, 'CA');
  assert.match(token ?? '', /^k8s-aws-v1\.[A-Za-z0-9_-]+$/);
});

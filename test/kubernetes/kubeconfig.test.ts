import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { AppError } from '../../shared/errors.ts';
import { kubeconfigSource, loadKubeconfig } from '../../shared/kubernetes/kubeconfig.ts';

let directory: string;
before(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'kubeconfig-'));
});
after(() => rm(directory, { recursive: true }));

async function file(content: unknown): Promise<string> {
  const target = path.join(directory, 'config');
  await writeFile(target, typeof content === 'string' ? content : JSON.stringify(content));
  return target;
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function kubeconfig(cluster: object, user: object): object {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'here',
    contexts: [{ name: 'here', context: { cluster: 'c', user: 'u' } }],
    clusters: [{ name: 'c', cluster: { server: 'https://api.example:6443/', ...cluster } }],
    users: [{ name: 'u', user }],
  };
}

const NOTHING = {
  cluster: 'prod',
  url: 'https://api.example:6443',
  ca: undefined,
  token: undefined,
  clientCertificate: undefined,
  clientKey: undefined,
  timeoutMs: 10_000,
};

test('a token and an inline CA', async () => {
  const source = await file(kubeconfig({ 'certificate-authority-data': base64('CA') }, { token: 'secret' }));
  assert.deepEqual(await loadKubeconfig(source, 'prod'), { ...NOTHING, ca: 'CA', token: 'secret' });
});

test('a client certificate in data, and in files beside the kubeconfig', async () => {
  const inline = await file(
    kubeconfig({}, { 'client-certificate-data': base64('CERT'), 'client-key-data': base64('KEY') }),
  );
  assert.deepEqual(await loadKubeconfig(inline, 'prod'), { ...NOTHING, clientCertificate: 'CERT', clientKey: 'KEY' });
  await writeFile(path.join(directory, 'cert.pem'), 'CERT');
  await writeFile(path.join(directory, 'key.pem'), 'KEY');
  const files = await file(kubeconfig({}, { 'client-certificate': 'cert.pem', 'client-key': 'key.pem' }));
  assert.deepEqual(await loadKubeconfig(files, 'prod'), { ...NOTHING, clientCertificate: 'CERT', clientKey: 'KEY' });
});

test('a credential plugin’s token', async () => {
  const credential = {
    apiVersion: 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    status: { token: 'made' },
  };
  const exec = {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: process.execPath,
    args: ['-e', `process.stdout.write(${JSON.stringify(JSON.stringify(credential))})`],
    interactiveMode: 'Never',
  };
  assert.equal((await loadKubeconfig(await file(kubeconfig({}, { exec })))).token, 'made');
});

test('a credential plugin is asked again when its token is refused, and not before', async () => {
  const program = `process.stdout.write(JSON.stringify({
    apiVersion: 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    status: { token: 'made-' + process.pid },
  }))`;
  const exec = {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: process.execPath,
    args: ['-e', program],
    interactiveMode: 'Never',
  };
  const source = kubeconfigSource(await file(kubeconfig({}, { exec })));
  const first = await source.current();
  assert.match(first.token ?? '', /^made-\d+$/);
  assert.equal((await source.current()).token, first.token);
  const second = await source.current({ token: first.token });
  assert.notEqual(second.token, first.token);
  assert.equal((await source.current({ token: first.token })).token, second.token);
});

test('plain http, as a local API server has it', async () => {
  const source = await file(kubeconfig({ server: 'http://127.0.0.1:8001' }, { token: 'secret' }));
  assert.deepEqual(await loadKubeconfig(source, 'prod'), { ...NOTHING, url: 'http://127.0.0.1:8001', token: 'secret' });
});

const bad: readonly [title: string, content: unknown, message: RegExp][] = [
  ['broken YAML', 'users: [{ token: secret', /cannot be read/],
  ['no current context', { ...kubeconfig({}, { token: 'secret' }), 'current-context': 'there' }, /names no cluster/],
  ['a cluster whose server is no URL', kubeconfig({ server: 'api.example' }, { token: 'secret' }), /names no cluster/],
  [
    'TLS without verification',
    kubeconfig({ 'insecure-skip-tls-verify': true }, { token: 'secret' }),
    /insecure-skip-tls-verify of cluster c/,
  ],
  ['a proxy', kubeconfig({ 'proxy-url': 'http://proxy:3128' }, { token: 'secret' }), /proxy-url of cluster c/],
  ['another TLS name', kubeconfig({ 'tls-server-name': 'x' }, { token: 'secret' }), /tls-server-name of cluster c/],
  [
    'a certificate file that is missing',
    kubeconfig({}, { 'client-certificate': 'none.pem', token: 'secret' }),
    /credentials of user u/,
  ],
];
for (const [title, content, message] of bad) {
  test(`refuses ${title}, without a credential in the message`, async () => {
    await assert.rejects(loadKubeconfig(await file(content)), (error) => {
      assert.ok(error instanceof AppError && error.code === 'KUBECONFIG_INVALID', String(error));
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
  });
}

test('refuses a file that is not there', async () => {
  await assert.rejects(loadKubeconfig(path.join(directory, 'none')), { code: 'KUBECONFIG_INVALID' });
});

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { awsSecrets } from '../../shared/access/aws-secrets.ts';
import { parseReference } from '../../shared/access/reference.ts';
import { secretReader, type SecretReader } from '../../shared/access/secrets.ts';
import { hasReferences, resolveSettings } from '../../shared/access/settings.ts';
import { AppError } from '../../shared/errors.ts';
import type { TestAnswer } from '../support/http-server.ts';
import { type AwsSecrets, startAwsSecrets } from '../support/aws-secrets.ts';

let aws: AwsSecrets;
before(async () => {
  aws = await startAwsSecrets();
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret-key' });
});
after(() => aws.stop());
beforeEach(() => {
  aws.stored.clear();
  aws.faults.splice(0);
});

function fetcher(): ReturnType<typeof awsSecrets> {
  return awsSecrets({ AWS_REGION: 'eu-west-1', AWS_ENDPOINT_URL: aws.url });
}

function reader(clock: () => number = Date.now): SecretReader {
  return secretReader({ fetch: fetcher(), maxAgeMs: 300_000, clock });
}

const references: readonly [text: string, expected: unknown][] = [
  ['secretsmanager:kong', { store: 'secretsmanager', id: 'kong', key: undefined }],
  ['secretsmanager:kong/prod#KUBERNETES_TOKEN', { store: 'secretsmanager', id: 'kong/prod', key: 'KUBERNETES_TOKEN' }],
  [
    'secretsmanager:arn:aws:secretsmanager:eu-west-1:123456789012:secret:kong-AbCdEf#a#b',
    { store: 'secretsmanager', id: 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:kong-AbCdEf', key: 'a#b' },
  ],
  ['ssm:/kong/ca', { store: 'ssm', id: '/kong/ca', key: undefined }],
  ['ssm:', undefined],
  ['vault:kong', undefined],
  ['eyJhbGciOi.ssm:x', undefined],
  ['-----BEGIN CERTIFICATE-----\nssm:x', undefined],
];
for (const [text, expected] of references) {
  test(`${JSON.stringify(text)} is ${expected === undefined ? 'a value' : 'a reference'}`, () => {
    assert.deepEqual(parseReference(text), expected);
  });
}

test('both stores are asked with a signature of their own service and region', async () => {
  aws.stored.set('kong', 'one').set('/kong/ca', 'two');
  const fetch = fetcher();
  assert.deepEqual([await fetch('secretsmanager', 'kong'), await fetch('ssm', '/kong/ca')], ['one', 'two']);
  const signed = aws.seen.slice(-2).map((request) => String(request.headers['authorization']));
  const scopes = signed.map((text) => /Credential=\S+?\/\d+\/(\S+?),/.exec(text)?.[1]);
  assert.deepEqual(scopes, ['eu-west-1/secretsmanager/aws4_request', 'eu-west-1/ssm/aws4_request']);
  assert.doesNotMatch(JSON.stringify(aws.seen.map((request) => request.headers)), /secret-key/);
});

test('an ARN names its region', async () => {
  const arn = 'arn:aws:secretsmanager:us-east-2:123456789012:secret:kong-AbCdEf';
  aws.stored.set(arn, 'far');
  assert.equal(await fetcher()('secretsmanager', arn), 'far');
  assert.match(String(aws.seen.at(-1)?.headers['authorization']), /\/us-east-2\/secretsmanager\//);
});

test('throttling, 5xx and lost connections are repeated', async () => {
  aws.stored.set('kong', 'text');
  aws.faults.push({ status: 400, body: { __type: 'ThrottlingException' } }, { status: 500, body: {} }, 'cut');
  assert.equal(await fetcher()('secretsmanager', 'kong'), 'text');
  assert.deepEqual(aws.faults, []);
});

const denied = { status: 400, body: { __type: 'AccessDeniedException', message: 'text' } };
const failures: readonly [title: string, fault: TestAnswer, code: string, retried: boolean][] = [
  ['access denied', denied, 'SECRET_UNREADABLE', false],
  ['a binary secret', { body: { SecretBinary: 'AAAA' } }, 'SECRET_UNREADABLE', false],
  ['a silent service', 'cut', 'SECRET_UNAVAILABLE', true],
];
for (const [title, fault, code, retried] of failures) {
  test(`${title} is ${code}`, async () => {
    aws.faults.push(fault, fault, fault, fault, fault);
    await assert.rejects(
      fetcher()('secretsmanager', 'kong'),
      (error) => error instanceof AppError && error.code === code,
    );
    assert.equal(aws.faults.length, retried ? 1 : 4);
  });
}

test('one request serves every key of a secret until it is old', async () => {
  let now = 0;
  const secrets = reader(() => now);
  aws.stored.set('kong', JSON.stringify({ token: 't1', ca: 'c1' }));
  const asked = aws.seen.length;
  const read = (key: string): Promise<string> => secrets.read({ store: 'secretsmanager', id: 'kong', key });
  assert.deepEqual(await Promise.all([read('token'), read('ca'), read('token')]), ['t1', 'c1', 't1']);
  aws.stored.set('kong', JSON.stringify({ token: 't2', ca: 'c1' }));
  now = 299_999;
  assert.equal(await read('token'), 't1');
  assert.equal(aws.seen.length - asked, 1);
  now = 300_000;
  assert.equal(await read('token'), 't2');
  assert.equal(aws.seen.length - asked, 2);
});

test('a refused value is read again at once, and only once when many ask', async () => {
  const secrets = reader(() => 0);
  aws.stored.set('kong', 'old');
  const reference = { store: 'secretsmanager', id: 'kong', key: undefined } as const;
  assert.equal(await secrets.read(reference), 'old');
  aws.stored.set('kong', 'new');
  const asked = aws.seen.length;
  const values = await Promise.all([1, 2, 3].map(() => secrets.read(reference, 'old')));
  assert.deepEqual(values, ['new', 'new', 'new']);
  assert.equal(await secrets.read(reference, 'old'), 'new');
  assert.equal(aws.seen.length - asked, 1);
});

test('a secret without the key is an error that names both and quotes nothing', async () => {
  for (const text of ['{"other":"hidden"}', 'hidden', '{"token":{"hidden":1}}']) {
    aws.stored.set('kong', text);
    await assert.rejects(reader().read({ store: 'secretsmanager', id: 'kong', key: 'token' }), (error) => {
      assert.ok(error instanceof AppError && error.code === 'SECRET_UNREADABLE');
      assert.match(error.message, /secretsmanager:kong .* token/);
      assert.doesNotMatch(error.message, /hidden/);
      return true;
    });
  }
});

test('settings get the values of their references, but credentials that are read when they are used', async () => {
  aws.stored.set('kong', JSON.stringify({ KONG_ADMIN_TOKEN: 'admin' }));
  const env = {
    KONG_ADMIN_TOKEN: 'secretsmanager:kong#KONG_ADMIN_TOKEN',
    KUBERNETES_TOKEN: 'secretsmanager:kong#KUBERNETES_TOKEN',
    KONG_WORKSPACE: 'ssm',
    HOME: 'ssm:/not/ours',
    KONG_ADMIN_CA: undefined,
  };
  assert.equal(hasReferences(env), true);
  assert.deepEqual(await resolveSettings(env, reader()), { ...env, KONG_ADMIN_TOKEN: 'admin' });
  const none = { KUBERNETES_TOKEN: 'ssm:/token', KONG_WORKSPACE: 'w' };
  assert.equal(hasReferences(none), false);
  const asked = aws.seen.length;
  assert.deepEqual(await resolveSettings(none, reader()), none);
  assert.equal(aws.seen.length, asked);
});

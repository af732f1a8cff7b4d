import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { test } from 'node:test';
import { eksToken, eksTokens } from '../../shared/access/eks.ts';
import { AppError } from '../../shared/errors.ts';

const IDENTITY = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI', sessionToken: 'session/token+with=' };
const CLUSTER = { name: 'prod', region: 'eu-west-1' };
const NOW = Date.UTC(2026, 10, 25, 19, 0, 0);

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function encoded(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** The URL in a token, as the API server's authenticator takes it out. */
function urlOf(token: string): URL {
  assert.match(token, /^k8s-aws-v1\.[A-Za-z0-9_-]+$/);
  return new URL(Buffer.from(token.slice('k8s-aws-v1.'.length), 'base64url').toString());
}

/** The signature that AWS would work out for the request, by the description of Signature Version 4. */
function signatureOf(url: URL, cluster: string): string {
  const query = [...url.searchParams]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .toSorted()
    .join('&');
  const empty = createHash('sha256').update('').digest('hex');
  const headers = `host:${url.host}\nx-k8s-aws-id:${cluster}\n`;
  const request = ['GET', '/', query, headers, 'host;x-k8s-aws-id', empty].join('\n');
  const date = url.searchParams.get('X-Amz-Date') ?? '';
  const scope = `${date.slice(0, 8)}/${CLUSTER.region}/sts/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', date, scope, createHash('sha256').update(request).digest('hex')].join('\n');
  const parts = [date.slice(0, 8), CLUSTER.region, 'sts', 'aws4_request'];
  const key = parts.reduce((last: string | Buffer, part) => hmac(last, part), `AWS4${IDENTITY.secretAccessKey}`);
  return hmac(key, text).toString('hex');
}

test('a token is a presigned GetCallerIdentity with the cluster among the signed headers', async () => {
  const url = urlOf(await eksToken(CLUSTER, IDENTITY, new Date(NOW)));
  assert.equal(url.origin + url.pathname, 'https://sts.eu-west-1.amazonaws.com/');
  const { searchParams: query } = url;
  assert.equal(query.get('Action'), 'GetCallerIdentity');
  assert.equal(query.get('Version'), '2011-06-15');
  assert.equal(query.get('X-Amz-Date'), '20261125T190000Z');
  assert.equal(query.get('X-Amz-Expires'), '60');
  assert.equal(query.get('X-Amz-SignedHeaders'), 'host;x-k8s-aws-id');
  assert.equal(query.get('X-Amz-Security-Token'), IDENTITY.sessionToken);
  assert.equal(query.get('x-k8s-aws-id'), null);
});

test('its signature is the one that AWS works out, and holds for no other cluster', async () => {
  const url = urlOf(await eksToken(CLUSTER, IDENTITY, new Date(NOW)));
  const signature = url.searchParams.get('X-Amz-Signature');
  assert.equal(signature, signatureOf(url, 'prod'));
  assert.notEqual(signature, signatureOf(url, 'stage'));
});

test('China has a domain of its own', async () => {
  const url = urlOf(await eksToken({ name: 'prod', region: 'cn-north-1' }, IDENTITY, new Date(NOW)));
  assert.equal(url.host, 'sts.cn-north-1.amazonaws.com.cn');
});

test('a token is used for 13 minutes, and another one is made when it is refused', async () => {
  let now = NOW;
  const tokens = eksTokens(
    CLUSTER,
    async () => IDENTITY,
    () => now,
  );
  const first = await tokens();
  now += 13 * 60_000 - 1;
  assert.equal(await tokens(), first);
  const second = await tokens(first);
  assert.notEqual(second, first);
  assert.equal(await tokens(first), second);
  now += 13 * 60_000;
  assert.notEqual(await tokens(), second);
});

test('a token is not used for longer than the identity that signed it lasts', async () => {
  let now = NOW;
  const expiration = new Date(NOW + 60_000);
  const tokens = eksTokens(
    CLUSTER,
    async () => ({ ...IDENTITY, expiration }),
    () => now,
  );
  const first = await tokens();
  now += 60_000;
  assert.notEqual(await tokens(), first);
});

test('without an AWS identity there is an error that says so, and the next call tries again', async () => {
  let tries = 0;
  const tokens = eksTokens(CLUSTER, () => {
    tries += 1;
    return tries === 1 ? Promise.reject(new Error('Could not load credentials')) : Promise.resolve(IDENTITY);
  });
  await assert.rejects(tokens(), (error) => error instanceof AppError && error.code === 'AWS_CREDENTIALS_MISSING');
  assert.match(await tokens(), /^k8s-aws-v1\./);
});

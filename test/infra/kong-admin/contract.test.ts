import assert from 'node:assert/strict';
import { after, test as define } from 'node:test';
import { generate } from 'selfsigned';
import { selfSigned } from '../../../infra/local/certificate.ts';
import type { Exchange } from './exchange.ts';
import { certificateExchanges } from './exchanges/certificates.ts';
import { consumers } from './exchanges/consumers.ts';
import { others } from './exchanges/others.ts';
import { plugins } from './exchanges/plugins.ts';
import { routes } from './exchanges/routes.ts';
import { services } from './exchanges/services.ts';
import { upstreams } from './exchanges/upstreams.ts';
import { call, rows, standIns } from './support.ts';

/**
 * The rules of Kong's Admin API that this project relies on. With KONG_ADMIN_URL set they are tried on that Kong, on the
 * traditional or the traditional_compatible router; what they make is removed in the end. As they take everything there
 * for their own, a Kong that holds anything is left alone.
 */
const given = process.env['KONG_ADMIN_URL'];
const local = given === undefined ? await standIns() : undefined;
const admin = given ?? (await local?.start())?.url ?? '';

async function certificateAuthority(): Promise<string> {
  const { cert } = await generate([{ name: 'commonName', value: 'contract root' }], {
    extensions: [{ name: 'basicConstraints', cA: true, critical: true }],
  });
  return cert;
}

/** Children first; certificates after the services that use them. */
const COLLECTIONS = [
  'plugins',
  'routes',
  'services',
  'consumers',
  'upstreams',
  'vaults',
  'snis',
  'certificates',
  'ca_certificates',
];

/** The first collection that is not known to be empty. */
async function occupied(): Promise<string | undefined> {
  for (const collection of COLLECTIONS) {
    const answer = await call(admin, 'GET', `/${collection}`);
    if (answer.status !== 200 || rows(answer).length > 0) return collection;
  }
  return undefined;
}

const foreign = await occupied();
const skip = foreign === undefined ? false : `this Kong is not empty (${foreign})`;
if (foreign !== undefined) process.stderr.write(`NO CONTRACT TEST: ${skip}\n`);

after(async () => {
  if (foreign !== undefined) return;
  for (const collection of COLLECTIONS) {
    const found = rows(await call(admin, 'GET', `/${collection}?size=1000`));
    for (const { id } of found) await call(admin, 'DELETE', `/${collection}/${String(id)}`);
  }
  await local?.stop();
});

async function verify({ request: [method, path, body], status, answer, fields }: Exchange): Promise<void> {
  const got = await call(admin, method, path, body);
  assert.equal(got.status, status, JSON.stringify(got.body));
  if (answer !== undefined) assert.partialDeepStrictEqual(got.body, answer);
  if (fields !== undefined) {
    const named = typeof got.body['fields'] === 'object' ? Object.keys(got.body['fields'] ?? {}) : [];
    assert.deepEqual(named.toSorted(), fields);
  }
}

function test(name: string, run: () => Promise<void>): void {
  define(name, { skip }, run);
}

const pair = await selfSigned(['contract.example']);
const certificates = certificateExchanges(pair, await certificateAuthority());
// In this order: later ones use what earlier ones made.
for (const exchange of [services, routes, plugins, consumers, upstreams, others, certificates].flat()) {
  test(`${exchange.request[0]}: ${exchange.title}`, () => verify(exchange));
}

test('times are whole seconds, those of targets have milliseconds', async () => {
  const { body: made } = await call(admin, 'PUT', '/upstreams/contract.times', {});
  assert.ok(Number.isInteger(made['updated_at']) && Number.isInteger(made['created_at']));
  const { body: target } = await call(admin, 'POST', '/upstreams/contract.times/targets', {
    target: 'a.example.com:80',
  });
  const updated = Number(target['updated_at']);
  assert.ok(Math.abs(updated - Number(made['updated_at'])) < 30);
  assert.equal(Math.round(updated * 1000), updated * 1000);
});

test('a password is stored hashed with the consumer, and PATCH without it leaves it', async () => {
  await call(admin, 'PUT', '/consumers/contract-dave', {});
  const made = await call(admin, 'POST', '/consumers/contract-dave/basic-auth', {
    username: 'dave',
    password: 'secret',
  });
  assert.match(String(made.body['password']), /^[0-9a-f]{40}$/);
  const patched = await call(admin, 'PATCH', '/consumers/contract-dave/basic-auth/dave', { tags: ['kept'] });
  assert.equal(patched.body['password'], made.body['password']);
});

function post(type: string | undefined, body: string): Promise<Response> {
  const headers: Record<string, string> = type === undefined ? {} : { 'content-type': type };
  return fetch(`${admin}/services`, { method: 'POST', body: Buffer.from(body), headers });
}

test('bodies that are not JSON', async () => {
  assert.equal((await post('application/json', '{"name": ')).status, 400);
  assert.equal((await post('text/plain', 'hello')).status, 415);
  assert.equal((await post(undefined, '{"name":"n","host":"h"}')).status, 415);
  const form = await post(
    'application/x-www-form-urlencoded',
    'name=contract-form&host=h.example.com&port=81&tags[]=a&tags[]=b',
  );
  assert.equal(form.status, 201);
  assert.partialDeepStrictEqual(await form.json(), { name: 'contract-form', port: 81, tags: ['a', 'b'] });
});

test('a form in parts', async () => {
  const form = new FormData();
  form.append('name', 'contract-parts');
  form.append('host', 'h.example.com');
  form.append('enabled', 'false');
  const answer = await fetch(`${admin}/services`, { method: 'POST', body: form });
  assert.equal(answer.status, 201);
  assert.partialDeepStrictEqual(await answer.json(), { name: 'contract-parts', enabled: false });
});

test('headers and methods', async () => {
  const get = await fetch(`${admin}/services`);
  assert.match(get.headers.get('x-kong-admin-latency') ?? '', /^\d+$/);
  assert.equal(get.headers.get('access-control-allow-origin'), '*');
  await get.text();
  const options = await fetch(`${admin}/services`, { method: 'OPTIONS' });
  assert.equal(options.status, 204);
  assert.equal(options.headers.get('allow'), 'GET, HEAD, OPTIONS, POST');
  const head = await fetch(`${admin}/services`, { method: 'HEAD' });
  assert.equal(head.status, 200);
  assert.equal(await head.text(), '');
});

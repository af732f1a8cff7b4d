import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { authority, signedBy, type KeyPair } from '../../infra/local/certificate.ts';
import type { KongConfig } from '../../shared/config.ts';
import { AppError } from '../../shared/errors.ts';
import { adminClient, type AdminClient } from '../../shared/kong/admin.ts';
import type { AdminTls } from '../../shared/kong/config.ts';
import { startServer, type TestServer } from '../support/http-server.ts';
import { tlsFront, type TlsFront } from '../support/tls-front.ts';

const ID = '11111111-2222-5333-8444-555555555555';
const HOST = 'kong-admin.test';

let kong: TestServer;
let ca: KeyPair;
let clients: KeyPair;
let ours: KeyPair;
let plain: TlsFront;
let mutual: TlsFront;

before(async () => {
  kong = await startServer(() => ({ body: { id: ID } }));
  [ca, clients] = [await authority('kong-ca'), await authority('client-ca')];
  ours = await signedBy(clients, ['kong-ingress-functions']);
  plain = await tlsFront(kong.url, { authority: ca, hosts: [HOST] });
  mutual = await tlsFront(kong.url, { authority: ca, hosts: [HOST], clients });
});

after(async () => {
  await Promise.all([plain.stop(), mutual.stop(), kong.stop()]);
});

/** Does something with a client of one try, so that refusals come at once. */
async function withAdmin<Result>(
  front: TlsFront,
  adminTls: AdminTls,
  work: (admin: AdminClient) => Promise<Result>,
  more: Partial<KongConfig> = {},
): Promise<Result> {
  const config: KongConfig = {
    adminUrls: [front.url],
    adminToken: undefined,
    adminTls,
    workspace: '',
    filterTags: ['ours'],
    databaseUrl: 'postgres://unused',
    stateDatabaseUrl: 'postgres://unused',
    adminConcurrency: 4,
    adminTimeoutMs: 2_000,
    ...more,
  };
  const admin = adminClient(config, 1);
  try {
    return await work(admin);
  } finally {
    admin.close();
  }
}

const write = (admin: AdminClient): Promise<unknown> => admin.put('services', ID, { host: 'h' });

test('https with a CA of our own and a server name; headers and token go with it', async () => {
  const tls = { ca: ca.certificate, serverName: HOST };
  const more = { adminToken: 'top-secret', adminHeaders: { 'X-Team': 'edge', Authorization: 'Basic Zm9v' } };
  assert.deepEqual(await withAdmin(plain, tls, write, more), { ok: true, body: { id: ID } });
  const seen = plain.seen.at(-1);
  assert.equal(seen?.serverName, HOST);
  assert.equal(seen.headers['x-team'], 'edge');
  assert.equal(seen.headers['authorization'], 'Basic Zm9v');
  assert.equal(seen.headers['kong-admin-token'], 'top-secret');
});

test('a client certificate opens an Admin API that asks for one', async () => {
  const tls = { ca: ca.certificate, serverName: HOST, certificate: ours.certificate, key: ours.key };
  await withAdmin(mutual, tls, write);
  assert.equal(mutual.seen.at(-1)?.client, 'kong-ingress-functions');
});

const refusals: readonly { title: string; front: () => TlsFront; tls: () => AdminTls }[] = [
  { title: 'a certificate of an unknown authority', front: () => plain, tls: () => ({ serverName: HOST }) },
  { title: 'a certificate of another name', front: () => plain, tls: () => ({ ca: ca.certificate }) },
  {
    title: 'the wrong server name',
    front: () => plain,
    tls: () => ({ ca: ca.certificate, serverName: 'other.test' }),
  },
  {
    title: 'no client certificate where one is asked for',
    front: () => mutual,
    tls: () => ({ ca: ca.certificate, serverName: HOST }),
  },
];

for (const { title, front, tls } of refusals) {
  test(`${title} is KONG_UNREACHABLE, nothing is sent, no secret is told`, async () => {
    const already = kong.seen.length;
    const more = { adminToken: 'top-secret', adminHeaders: { 'X-Key': 'hidden' } };
    await assert.rejects(withAdmin(front(), tls(), write, more), (error: unknown) => {
      assert.ok(error instanceof AppError);
      assert.equal(error.code, 'KONG_UNREACHABLE');
      const told = JSON.stringify(error, Object.getOwnPropertyNames(error));
      assert.doesNotMatch(told, /top-secret|hidden|PRIVATE KEY/);
      return true;
    });
    assert.equal(kong.seen.length, already);
  });
}

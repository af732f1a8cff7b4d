import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '../../shared/errors.ts';
import { adminConfig } from '../../shared/kong/config.ts';

const CERTIFICATE = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
const KEY = '-----BEGIN PRIVATE KEY-----\nMIGH\n-----END PRIVATE KEY-----\n';
const ADDRESSES = { KONG_ADMIN_URL: 'https://a:8444/, https://b:8444' };

test('addresses, headers and TLS as they are set', () => {
  const config = adminConfig({
    ...ADDRESSES,
    KONG_ADMIN_HEADERS: 'X-Team: edge ,Authorization:Basic a:b==',
    KONG_ADMIN_CA: CERTIFICATE,
    KONG_ADMIN_CLIENT_CERTIFICATE: CERTIFICATE,
    KONG_ADMIN_CLIENT_KEY: KEY,
    KONG_ADMIN_TLS_SERVER_NAME: 'kong',
  });
  assert.deepEqual(config.adminUrls, ['https://a:8444', 'https://b:8444']);
  assert.deepEqual(config.adminHeaders, { 'X-Team': 'edge', Authorization: 'Basic a:b==' });
  assert.deepEqual(config.adminTls, { ca: CERTIFICATE, certificate: CERTIFICATE, key: KEY, serverName: 'kong' });
  assert.equal(config.adminService, undefined);
});

test('a Service instead of addresses, with the ports of Kong’s chart', () => {
  const config = adminConfig({ KONG_ADMIN_SERVICE: 'kong/kong-admin', KONG_ADMIN_URL: '' });
  assert.deepEqual(config.adminUrls, []);
  assert.deepEqual(config.adminService, {
    namespace: 'kong',
    name: 'kong-admin',
    portNames: ['admin-tls', 'kong-admin-tls'],
  });
  const own = adminConfig({ KONG_ADMIN_SERVICE: 'kong/kong-admin', KONG_ADMIN_SERVICE_PORT_NAMES: 'a, b' });
  assert.deepEqual(own.adminService?.portNames, ['a', 'b']);
});

const invalid: readonly { title: string; env: Record<string, string>; says: RegExp }[] = [
  { title: 'no way to the Admin API', env: {}, says: /neither KONG_ADMIN_URL nor KONG_ADMIN_SERVICE/ },
  { title: 'two ways at once', env: { ...ADDRESSES, KONG_ADMIN_SERVICE: 'kong/admin' }, says: /exclude each other/ },
  { title: 'a Service without namespace', env: { KONG_ADMIN_SERVICE: 'admin' }, says: /namespace\/name/ },
  { title: 'a Service that is a path', env: { KONG_ADMIN_SERVICE: 'a/b/secret1' }, says: /namespace\/name/ },
  { title: 'an address that is none', env: { KONG_ADMIN_URL: 'kong:secret1' }, says: /KONG_ADMIN_URL/ },
  { title: 'a header without colon', env: { ...ADDRESSES, KONG_ADMIN_HEADERS: 'secret1' }, says: /KONG_ADMIN_HEADERS/ },
  {
    title: 'a header of two lines',
    env: { ...ADDRESSES, KONG_ADMIN_HEADERS: 'X: a\r\nY: secret1' },
    says: /KONG_ADMIN_HEADERS/,
  },
  { title: 'a CA that is no PEM', env: { ...ADDRESSES, KONG_ADMIN_CA: 'secret1' }, says: /KONG_ADMIN_CA must be PEM/ },
  {
    title: 'a key without its certificate',
    env: { ...ADDRESSES, KONG_ADMIN_CLIENT_KEY: KEY },
    says: /must be set together/,
  },
  {
    title: 'a certificate without its key',
    env: { ...ADDRESSES, KONG_ADMIN_CLIENT_CERTIFICATE: CERTIFICATE },
    says: /must be set together/,
  },
];

for (const { title, env, says } of invalid) {
  test(`${title} is CONFIG_INVALID and repeats no value`, () => {
    assert.throws(
      () => adminConfig(env),
      (error: unknown) => {
        assert.ok(error instanceof AppError);
        assert.equal(error.code, 'CONFIG_INVALID');
        assert.match(error.message, says);
        assert.doesNotMatch(error.message, /secret1|MIGH/);
        return true;
      },
    );
  });
}

import assert from 'node:assert/strict';
import http from 'node:http';
import https from 'node:https';
import { after, before, test } from 'node:test';
import { selfSigned } from '../../../infra/local/certificate.ts';
import { close, listen } from '../../../infra/local/listen.ts';
import { proxyStateOf } from '../../../infra/local/kong/proxy/state.ts';
import { certificateStore } from '../../../infra/local/kong/proxy/certificates.ts';
import type { ProxyState } from '../../../infra/local/kong/proxy/exchange.ts';
import type { Row, Tables } from '../../../infra/local/kong/proxy/rows.ts';
import { startProxy } from '../../../infra/local/kong/proxy/server.ts';
import type { Proxy } from '../../../infra/local/kong/proxy/server.ts';
import { call, startBackend } from './client.ts';
import type { Answer, Seen } from './client.ts';
import { configuration, routes, uuid } from './fixtures.ts';

let proxy: Proxy;
let one: { port: number; stop(): Promise<void> };
let two: { port: number; stop(): Promise<void> };
let refusing: number;
let current: ProxyState;
let certificates = certificateStore(configuration({}));

function use(tables: Tables): void {
  const read = configuration(tables);
  current = proxyStateOf(read);
  certificates = certificateStore(read);
}

before(async () => {
  one = await startBackend('one');
  two = await startBackend('two');
  const gone = await startBackend('gone');
  refusing = gone.port;
  await gone.stop();
  use({});
  proxy = await startProxy({
    node: { id: uuid(0), version: '3.9.3' },
    workers: 2,
    state: () => current,
    certificates: () => certificates,
  });
});

after(async () => {
  await proxy.close();
  await one.stop();
  await two.stop();
});

/** A service that points straight at a port. */
function service(port: number, fields: Row = {}): Row {
  return { id: uuid(900), name: 's', protocol: 'http', host: '127.0.0.1', port, retries: 5, ...fields };
}

function seen(answer: Answer): Seen {
  assert.equal(answer.status, 200, answer.body);
  const value: Seen = JSON.parse(answer.body);
  return value;
}

function message(answer: Answer): string {
  const body: { message: string } = JSON.parse(answer.body);
  return body.message;
}

function plugin(name: string, config: Row, scope: Row = {}): Row {
  return { id: uuid(name.length + 700), name, config, ...scope };
}

const toS = { service_id: uuid(900) };

test('nothing configured: 404 from Kong', async () => {
  use({});
  const answer = await call(`${proxy.url}/x`);
  assert.equal(answer.status, 404);
  assert.equal(message(answer), 'no Route matched with those values');
  assert.equal(answer.headers.server, 'kong/3.9.3');
  assert.match(String(answer.headers['x-kong-request-id']), /^[0-9a-f]{32}$/);
});

test('a request travels to the backend and back, with what Kong adds', async () => {
  use({ services: [service(one.port, { path: '/base' })], routes: routes({ ...toS, paths: ['/foo'] }) });
  const answer = await call(`${proxy.url}/foo/bar?q=1%20`, {
    host: 'shop.test',
    method: 'POST',
    body: 'hello',
    headers: {
      'content-length': '5',
      'x-forwarded-for': '9.9.9.9',
      'x-forwarded-host': 'liar',
      connection: 'x-drop',
      'x-drop': '1',
    },
  });
  const got = seen(answer);
  assert.deepEqual([got.method, got.url, got.body], ['POST', '/base/bar?q=1%20', 'hello']);
  assert.equal(got.headers.host, `127.0.0.1:${one.port}`);
  assert.equal(got.headers['x-forwarded-for'], '9.9.9.9, 127.0.0.1');
  assert.equal(got.headers['x-forwarded-host'], 'shop.test');
  assert.equal(got.headers['x-forwarded-path'], '/foo/bar');
  assert.equal(got.headers['x-forwarded-prefix'], '/foo');
  assert.equal(got.headers['x-drop'], undefined);
  assert.equal(answer.headers.via, '1.1 kong/3.9.3');
  assert.equal(answer.headers.server, 'backend');
});

test('bodies stream: the answer begins before the request has ended', async () => {
  const echo = http.createServer((request, response) => void request.pipe(response));
  const port = await listen(echo);
  use({ services: [service(port)], routes: routes({ ...toS, paths: ['/'] }) });
  const request = http.request(`${proxy.url}/`, { method: 'POST', agent: false });
  request.write('first');
  const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
    request.on('response', resolve).on('error', reject);
  });
  const chunks = response[Symbol.asyncIterator]();
  assert.equal(String((await chunks.next()).value), 'first');
  request.end('second');
  assert.equal(String((await chunks.next()).value), 'second');
  await close(echo);
});

for (const [title, route, upstream, host] of [
  ['preserve_host', { preserve_host: true }, {}, 'shop.test'],
  ['host_header', {}, { host_header: 'inner.test' }, 'inner.test'],
  ['the target', {}, {}, '127.0.0.1'],
] as const) {
  test(`the upstream's Host header: ${title}`, async () => {
    use({
      services: [service(80, { host: 'u' })],
      routes: routes({ ...toS, paths: ['/'], ...route }),
      upstreams: [{ id: uuid(800), name: 'u', ...upstream }],
      targets: [{ upstream_id: uuid(800), target: `127.0.0.1:${one.port}`, weight: 100 }],
    });
    const got = seen(await call(`${proxy.url}/`, { host: 'shop.test' }));
    assert.equal(got.headers.host?.split(':')[0], host);
  });
}

test('targets take requests by their weights, weight 0 none', async () => {
  use({
    services: [service(80, { host: 'u' })],
    routes: routes({ ...toS, paths: ['/'] }),
    upstreams: [{ id: uuid(800), name: 'u' }],
    targets: [
      { upstream_id: uuid(800), target: `127.0.0.1:${one.port}`, weight: 30 },
      { upstream_id: uuid(800), target: `127.0.0.1:${two.port}`, weight: 10 },
      { upstream_id: uuid(800), target: `127.0.0.1:${refusing}`, weight: 0 },
    ],
  });
  const count = { one: 0, two: 0 };
  for (let index = 0; index < 12; index += 1) {
    const { backend } = seen(await call(`${proxy.url}/`));
    if (backend === 'one' || backend === 'two') count[backend] += 1;
  }
  assert.deepEqual(count, { one: 9, two: 3 });
});

test('a refusing target is passed over while another stands', async () => {
  use({
    services: [service(80, { host: 'u' })],
    routes: routes({ ...toS, paths: ['/'] }),
    upstreams: [{ id: uuid(800), name: 'u' }],
    targets: [
      { upstream_id: uuid(800), target: `127.0.0.1:${refusing}`, weight: 100 },
      { upstream_id: uuid(800), target: `127.0.0.1:${one.port}`, weight: 100 },
    ],
  });
  for (let index = 0; index < 4; index += 1) {
    assert.equal(seen(await call(`${proxy.url}/`, { method: 'POST', body: 'kept' })).body, 'kept');
  }
});

for (const [title, tables, status, text] of [
  ['no target', { upstreams: [{ id: uuid(800), name: 'u' }] }, 503, 'failure to get a peer from the ring-balancer'],
  ['an unknown name', {}, 503, 'name resolution failed'],
] as const) {
  test(`${title}: ${status}`, async () => {
    use({
      services: [service(80, { host: title === 'no target' ? 'u' : 'nowhere.invalid' })],
      routes: routes({ ...toS, paths: ['/'] }),
      ...tables,
    });
    const answer = await call(`${proxy.url}/`);
    assert.deepEqual([answer.status, message(answer)], [status, text]);
  });
}

test('a backend that refuses: 502', async () => {
  use({ services: [service(refusing)], routes: routes({ ...toS, paths: ['/'] }) });
  const answer = await call(`${proxy.url}/`);
  assert.deepEqual(
    [answer.status, message(answer)],
    [502, 'An invalid response was received from the upstream server'],
  );
});

test('a backend that does not answer in time: 504', async () => {
  const silent = http.createServer(() => undefined);
  const port = await listen(silent);
  use({ services: [service(port, { read_timeout: 50, retries: 0 })], routes: routes({ ...toS, paths: ['/'] }) });
  const answer = await call(`${proxy.url}/`);
  await close(silent);
  assert.deepEqual([answer.status, message(answer)], [504, 'The upstream server is timing out']);
});

test('a client that leaves ends the request to the backend', async () => {
  const closed = Promise.withResolvers<void>();
  const waiting = Promise.withResolvers<void>();
  const silent = http.createServer((_request, response) => {
    waiting.resolve();
    response.on('close', () => closed.resolve());
  });
  const port = await listen(silent);
  use({ services: [service(port)], routes: routes({ ...toS, paths: ['/'] }) });
  const request = http.get(`${proxy.url}/`, { agent: false }).on('error', () => undefined);
  await waiting.promise;
  request.destroy();
  await closed.promise;
  await close(silent);
});

test('a backend that breaks off in the middle of its answer breaks the answer to the client', async () => {
  const broken = http.createServer((_request, response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('half', () => response.destroy());
  });
  const port = await listen(broken);
  use({ services: [service(port)], routes: routes({ ...toS, paths: ['/'] }) });
  await assert.rejects(call(`${proxy.url}/`), /aborted|ECONNRESET|hang up/);
  await close(broken);
});

test('an https service: its certificate is verified only when the service asks for it', async () => {
  const pair = await selfSigned(['inner.test']);
  const secure = https.createServer({ cert: pair.certificate, key: pair.key }, (_request, response) =>
    response.end('secure'),
  );
  const port = await listen(secure);
  const row = service(port, { protocol: 'https', retries: 0 });
  const tables = { routes: routes({ ...toS, paths: ['/'], preserve_host: true }) };
  const answer = async (fields: Row, extra: Tables = {}): Promise<number> => {
    use({ ...tables, services: [{ ...row, ...fields }], ...extra });
    return (await call(`${proxy.url}/`, { host: 'inner.test' })).status;
  };
  const ca = { ca_certificates: [{ id: uuid(700), cert: pair.certificate }] };
  assert.equal(await answer({}), 200);
  assert.equal(await answer({ tls_verify: true }), 502);
  assert.equal(await answer({ tls_verify: true, ca_certificates: [uuid(700)] }, ca), 200);
  await close(secure);
});

test('a route without service: 503', async () => {
  use({ routes: routes({ paths: ['/'] }) });
  const answer = await call(`${proxy.url}/`);
  assert.deepEqual([answer.status, message(answer)], [503, 'no Service found with those values']);
});

test('plain HTTP on an https-only route: 426, or the redirect that the route asks for', async () => {
  const secured = { ...toS, protocols: ['https'] };
  use({
    services: [service(one.port)],
    routes: routes({ ...secured, paths: ['/a'] }, { ...secured, paths: ['/b'], https_redirect_status_code: 308 }),
  });
  const upgrade = await call(`${proxy.url}/a`);
  assert.deepEqual([upgrade.status, message(upgrade)], [426, 'Please use HTTPS protocol']);
  const redirect = await call(`${proxy.url}/b?x=1`, { host: 'shop.test:8000' });
  assert.deepEqual([redirect.status, redirect.headers.location], [308, 'https://shop.test/b?x=1']);
  assert.equal(seen(await call(`${proxy.tlsUrl}/b`)).headers['x-forwarded-proto'], 'https');
});

const subject = async (sni?: string): Promise<string> =>
  (await call(`${proxy.tlsUrl}/`, sni === undefined ? {} : { sni })).subject;

test('the certificate shown depends on the SNI: exact, wildcard, *, else the default', async () => {
  const names = ['exact.test', '*.wild.test', 'star'] as const;
  const pairs = await Promise.all(names.map((name) => selfSigned([name])));
  const rows = pairs.map((pair, index) => ({ id: uuid(500 + index), cert: pair.certificate, key: pair.key }));
  const snis = ['exact.test', '*.wild.test', '*'].map((name, index) => ({ name, certificate_id: uuid(500 + index) }));
  use({ certificates: rows, snis });
  assert.equal(await subject('exact.test'), 'CN=exact.test');
  assert.equal(await subject('a.wild.test'), 'CN=*.wild.test');
  assert.equal(await subject('other.test'), 'CN=star');
  assert.equal(await subject(), 'CN=star');
  use({ certificates: rows.slice(0, 1), snis: snis.slice(0, 1) });
  assert.equal(await subject('other.test'), 'CN=localhost');
  assert.equal(await subject(), 'CN=localhost');
});

test('a certificate that cannot be parsed gives the default one', async () => {
  use({
    certificates: [{ id: uuid(500), cert: 'x', key: 'y' }],
    snis: [{ name: 'a.test', certificate_id: uuid(500) }],
  });
  assert.equal((await call(`${proxy.tlsUrl}/`, { sni: 'a.test' })).subject, 'CN=localhost');
});

test('key-auth: no key, wrong key, good key in header or query, hidden, anonymous', async () => {
  const anonymous = plugin(
    'key-auth',
    { key_names: ['apikey'], hide_credentials: true, anonymous: uuid(601) },
    { route_id: uuid(2) },
  );
  use({
    services: [service(one.port)],
    routes: routes({ ...toS, paths: ['/closed'] }, { ...toS, paths: ['/open'] }),
    plugins: [plugin('key-auth', { key_names: ['apikey'], hide_credentials: true }), anonymous],
    consumers: [
      { id: uuid(600), username: 'bob', custom_id: 'b' },
      { id: uuid(601), username: 'nobody' },
    ],
    keyauth_credentials: [
      { id: uuid(610), key: 'good', consumer_id: uuid(600) },
      { id: uuid(611), key: 'old', consumer_id: uuid(600), ttl: '2020-01-01T00:00:00+00:00' },
    ],
  });
  const none = await call(`${proxy.url}/closed`);
  assert.deepEqual(
    [none.status, message(none), none.headers['www-authenticate']],
    [401, 'No API key found in request', 'Key'],
  );
  for (const key of ['bad', 'old']) {
    const refused = await call(`${proxy.url}/closed`, { headers: { apikey: key } });
    assert.deepEqual([refused.status, message(refused)], [401, 'Unauthorized']);
  }
  const byHeader = seen(
    await call(`${proxy.url}/closed`, { headers: { apikey: 'good', 'x-consumer-username': 'liar' } }),
  );
  assert.deepEqual([byHeader.headers['x-consumer-username'], byHeader.headers['apikey']], ['bob', undefined]);
  const byQuery = seen(await call(`${proxy.url}/closed?a=1&apikey=good`));
  assert.deepEqual([byQuery.headers['x-consumer-custom-id'], byQuery.url], ['b', '/?a=1']);
  const open = seen(await call(`${proxy.url}/open`));
  assert.deepEqual([open.headers['x-consumer-username'], open.headers['x-anonymous-consumer']], ['nobody', 'true']);
});

const termination = (n: number, config: Row): Row => plugin('request-termination', config, { route_id: uuid(n) });

test('request-termination: message, body, trigger', async () => {
  use({
    services: [service(one.port)],
    routes: routes({ ...toS, paths: ['/a'] }, { ...toS, paths: ['/b'] }, { ...toS, paths: ['/c'] }),
    plugins: [
      termination(1, { status_code: 418, message: 'tea' }),
      termination(2, { status_code: 200, content_type: 'text/plain', body: 'fixed' }),
      termination(3, { status_code: 503, trigger: 'stop' }),
    ],
  });
  const tea = await call(`${proxy.url}/a`);
  assert.deepEqual([tea.status, message(tea)], [418, 'tea']);
  const fixed = await call(`${proxy.url}/b`);
  assert.deepEqual([fixed.status, fixed.body, fixed.headers['content-type']], [200, 'fixed', 'text/plain']);
  assert.equal((await call(`${proxy.url}/c`)).status, 200);
  assert.equal((await call(`${proxy.url}/c?stop=1`)).status, 503);
});

test('request-transformer: headers, query, path with captures, method, bodies', async () => {
  const empty = { headers: [], querystring: [], body: [] };
  const config = {
    http_method: 'PUT',
    remove: { ...empty, headers: ['x-remove'], querystring: ['r'] },
    rename: { ...empty, headers: ['x-old:x-new'] },
    replace: {
      ...empty,
      uri: '/v2/$(uri_captures["id"])/$(uri_captures[2] or "none")',
      headers: ['host:inner.test', 'x-absent:1'],
    },
    add: { ...empty, headers: ['x-add:$(headers.x_given)', 'x-given:no'], querystring: ['a:1'], body: ['extra:2'] },
    append: { ...empty, headers: ['x-list:two'] },
  };
  use({
    services: [service(one.port)],
    routes: routes({ ...toS, paths: ['~/v1/(?<id>\\d+)'] }),
    plugins: [plugin('request-transformer', config)],
  });
  const headers = {
    'x-remove': '1',
    'x-old': 'o',
    'x-given': 'g',
    'x-list': 'one',
    'content-type': 'application/json',
  };
  const got = seen(await call(`${proxy.url}/v1/77/x?r=1&k=2`, { method: 'POST', headers, body: '{"kept":1}' }));
  assert.deepEqual([got.method, got.url, got.body], ['PUT', '/v2/77/none?k=2&a=1', '{"kept":1,"extra":"2"}']);
  const {
    host,
    'x-remove': removed,
    'x-new': renamed,
    'x-add': added,
    'x-given': given,
    'x-list': list,
    'x-absent': absent,
  } = got.headers;
  assert.deepEqual(
    { host, removed, renamed, added, given, list, absent },
    {
      host: 'inner.test',
      removed: undefined,
      renamed: 'o',
      added: 'g',
      given: 'g',
      list: 'one, two',
      absent: undefined,
    },
  );
});

test('response-transformer: headers and JSON fields', async () => {
  const config = {
    remove: { headers: ['x-backend'], json: ['headers'] },
    add: { headers: ['x-more:yes'], json: ['n:7'], json_types: ['number'] },
  };
  use({
    services: [service(one.port)],
    routes: routes({ ...toS, paths: ['/'] }),
    plugins: [plugin('response-transformer', config)],
  });
  const answer = await call(`${proxy.url}/`);
  const body: unknown = JSON.parse(answer.body);
  assert.deepEqual([answer.headers['x-backend'], answer.headers['x-more']], [undefined, 'yes']);
  assert.deepEqual(body, { backend: 'one', method: 'GET', url: '/', body: '', n: 7 });
});

test('redirect and correlation-id', async () => {
  use({
    services: [service(one.port)],
    routes: routes({ ...toS, paths: ['/go'] }, { ...toS, paths: ['/'] }),
    plugins: [
      plugin(
        'redirect',
        { status_code: 302, location: 'https://new.test/x', keep_incoming_path: true },
        { route_id: uuid(1) },
      ),
      plugin('correlation-id', { header_name: 'X-Id', generator: 'uuid', echo_downstream: true }),
    ],
  });
  const redirect = await call(`${proxy.url}/go/on?a=b`);
  assert.deepEqual([redirect.status, redirect.headers.location], [302, 'https://new.test/go/on?a=b']);
  const answer = await call(`${proxy.url}/`);
  assert.equal(seen(answer).headers['x-id'], answer.headers['x-id']);
  assert.equal(seen(await call(`${proxy.url}/`, { headers: { 'x-id': 'mine' } })).headers['x-id'], 'mine');
});

test('the most specific scope of a plugin counts: consumer and route, consumer, route, service, global', async () => {
  const tag = (value: string, scope: Row): Row =>
    plugin('request-transformer', { add: { headers: [`x-scope:${value}`] } }, scope);
  const consumer = { consumer_id: uuid(600) };
  const auth = plugin('key-auth', { key_names: ['apikey'], anonymous: uuid(601) });
  const scopes = [
    tag('global', {}),
    tag('service', { service_id: uuid(900) }),
    tag('route', { route_id: uuid(1) }),
    tag('consumer', consumer),
    tag('consumer and route', { ...consumer, route_id: uuid(1) }),
  ];
  const winners: (string | undefined)[] = [];
  for (let count = scopes.length; count > 0; count -= 1) {
    use({
      services: [service(one.port)],
      routes: routes({ ...toS, paths: ['/'] }),
      consumers: [
        { id: uuid(600), username: 'bob' },
        { id: uuid(601), username: 'nobody' },
      ],
      keyauth_credentials: [{ id: uuid(610), key: 'k', consumer_id: uuid(600) }],
      plugins: [auth, ...scopes.slice(0, count)],
    });
    const got = seen(await call(`${proxy.url}/`, { headers: { apikey: 'k' } }));
    winners.push(String(got.headers['x-scope']));
  }
  assert.deepEqual(winners, ['consumer and route', 'consumer', 'route', 'service', 'global']);
});

test('closed and opened again on the same ports', async () => {
  use({});
  await proxy.close();
  await assert.rejects(call(`${proxy.url}/`));
  await proxy.open();
  assert.equal((await call(`${proxy.url}/`)).status, 404);
});

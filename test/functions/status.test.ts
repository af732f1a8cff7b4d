import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Context } from 'aws-lambda';
import pg from 'pg';
import { handler } from '../../functions/status.ts';
import { rememberVerdicts } from '../../shared/convergence/remember.ts';
import type { HttpAnswer } from '../../shared/handler.ts';
import { isRecord, parseJson } from '../../shared/json.ts';
import { migrate } from '../../shared/index/migrate.ts';
import { judged } from '../page/samples.ts';
import { temporaryPostgres } from '../support/postgres.ts';
import type { TemporaryPostgres } from '../support/postgres.ts';

let server: TemporaryPostgres;
let index: pg.Pool;

before(async () => {
  server = await temporaryPostgres();
  process.env['STATUS_TOKENS'] = 'old-token,new-token';
  process.env['KONG_DATABASE_URL'] = server.url;
  index = new pg.Pool({ connectionString: server.url, max: 2 });
  index.on('error', () => undefined);
});

after(async () => {
  await index.end();
  await server.stop();
});

const context: Context = {
  callbackWaitsForEmptyEventLoop: false,
  functionName: 'status',
  functionVersion: '1',
  invokedFunctionArn: 'arn',
  memoryLimitInMB: '512',
  awsRequestId: 'request-1',
  logGroupName: 'group',
  logStreamName: 'stream',
  getRemainingTimeInMillis: () => 10_000,
  done: () => undefined,
  fail: () => undefined,
  succeed: () => undefined,
};

async function call(
  routeKey: string,
  more: object = { headers: { Authorization: 'Bearer new-token' } },
): Promise<HttpAnswer> {
  return handler(
    { version: '2.0', routeKey, requestContext: { requestId: 'r', http: { method: 'GET' } }, ...more },
    context,
  );
}

function codeOf({ body }: HttpAnswer): unknown {
  const value = parseJson(body);
  return isRecord(value) && isRecord(value['error']) ? value['error']['code'] : undefined;
}

test('before anything ran there is an empty page, not an error', async () => {
  const answer = await call('GET /status');
  assert.equal(answer.statusCode, 200);
  assert.match(answer.body, /Nothing has been written yet/);
  assert.equal((await index.query("SELECT FROM pg_namespace WHERE nspname = 'kong_ingress'")).rowCount, 0);
});

for (const [says, more] of [
  ['no token', {}],
  ['a wrong token', { headers: { authorization: 'Bearer wrong' } }],
  ['a wrong token in the path', { pathParameters: { token: 'wrong' } }],
  ['an empty token', { headers: { authorization: 'Bearer ' } }],
] as const) {
  for (const route of ['GET /status', 'GET /status.json', 'GET /metrics', 'GET /status/{token}']) {
    test(`${route} with ${says} is refused and shows nothing`, async () => {
      const answer = await call(route, more);
      assert.deepEqual([answer.statusCode, codeOf(answer)], [401, 'STATUS_UNAUTHORIZED']);
      assert.equal(answer.headers['www-authenticate'], 'Bearer');
    });
  }
}

test('both tokens of a rotation are good, as a bearer and in the path; nothing is kept by browsers or shown to others', async () => {
  for (const token of ['old-token', 'new-token']) {
    for (const more of [{ headers: { authorization: `Bearer ${token}` } }, { pathParameters: { token } }]) {
      const { statusCode, headers } = await call('GET /status/{token}', more);
      assert.equal(statusCode, 200);
      assert.equal(headers['cache-control'], 'no-store');
      assert.equal(headers['referrer-policy'], 'no-referrer');
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.match(headers['content-security-policy'] ?? '', /default-src 'none'/);
      assert.equal(headers['set-cookie'], undefined);
    }
  }
});

test('an unknown path is 404', async () => {
  for (const route of ['GET /other', '$default', 'constructor']) {
    const answer = await call(route);
    assert.deepEqual([answer.statusCode, codeOf(answer)], [404, 'STATUS_NOT_FOUND']);
  }
});

test('page, JSON and metrics say the same of what converge and reconcile remembered', async () => {
  await migrate(index);
  await index.query(
    `INSERT INTO kong_ingress.revisions (written_at, snapshot_xmax, changes) VALUES (now() - interval '9 s', '1', 3);
     INSERT INTO kong_ingress.meta VALUES ('cluster', 'production');
     INSERT INTO kong_ingress.runs VALUES ('reconcile', now(), '{"withheldDeletes": 12}');
     INSERT INTO kong_ingress.roots VALUES ('Ingress/shop/web', null, null, 'h',
       '[{"severity": "error", "reason": "ServiceNotFound", "message": "Ingress shop/web: gone."}]', 1);
     INSERT INTO kong_ingress.quarantine VALUES ('keyauth_credentials/very-secret', 'keyauth_credentials',
       '7b2b7cc4-6b5c-4f5c-8d3e-0f9a3c1a2b3c', null, null, '{"reason": "KongRejected", "message": "refused"}', 3, now())`,
  );
  const verdicts = [judged('dp1', 'converged', '1').verdict, judged('dp2', 'partitioned', undefined).verdict];
  const warnings = ['db_update_frequency is 5 s'];
  await rememberVerdicts(index, { topology: 'hybrid', warnings, verdicts });
  const json = await call('GET /status.json');
  const value = parseJson(json.body);
  assert.ok(isRecord(value) && Array.isArray(value['dataPlanes']));
  assert.deepEqual([json.statusCode, value['overall'], value['withheldDeletes']], [200, 'trouble', 12]);
  assert.deepEqual(
    value['dataPlanes'].map((item: unknown) => isRecord(item) && [item['name'], item['state'], item['proof']]),
    [
      ['dp2', 'partitioned', undefined],
      ['dp1', 'converged', 'stored'],
    ],
  );
  assert.deepEqual(value['warnings'], warnings);
  const { body } = await call('GET /status');
  for (const text of [
    ...warnings,
    'dp2',
    'partitioned',
    'ServiceNotFound',
    'Ingress shop/web',
    '12 deletes held back',
    'tried',
  ])
    assert.ok(body.includes(text), text);
  const metrics = await call('GET /metrics');
  assert.equal(metrics.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  assert.match(metrics.body, /^kong_ingress_withheld_deletes 12$/m);
  for (const text of [json.body, body, metrics.body]) {
    assert.ok(!text.includes('very-secret') && !text.includes(new URL(server.url).password));
  }
});

test('verdicts of an earlier run than the last one are not shown', async () => {
  await rememberVerdicts(index, {
    topology: 'hybrid',
    warnings: [],
    verdicts: [judged('dp1', 'converged', '1').verdict],
  });
  const { body } = await call('GET /status.json');
  assert.doesNotMatch(body, /dp2/);
  assert.match(body, /"overall":"served"/);
});

test('an index of another release is said, not shown', async () => {
  await index.query('INSERT INTO kong_ingress.migrations (version) VALUES (1000)');
  const answer = await call('GET /status.json');
  assert.deepEqual([answer.statusCode, codeOf(answer)], [503, 'INDEX_TOO_NEW']);
  await index.query('DELETE FROM kong_ingress.migrations WHERE version = 1000');
});

test('a database that is gone gives 503 and "unknown", never "converged"', async () => {
  await server.stop();
  for (const route of ['GET /status', 'GET /status.json', 'GET /metrics']) {
    const { statusCode, body } = await call(route);
    assert.equal(statusCode, 503);
    assert.doesNotMatch(body, /converged|served"|kong_ingress_served 1/);
  }
  assert.equal(codeOf(await call('GET /status.json')), 'INDEX_UNAVAILABLE');
});

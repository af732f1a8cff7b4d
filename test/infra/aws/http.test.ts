import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startCloud } from '../../../infra/local/aws/index.ts';
import type { Cloud } from '../../../infra/local/aws/index.ts';
import { asObject } from '../../../infra/local/aws/json.ts';
import type { JsonObject } from '../../../infra/local/aws/json.ts';

let cloud: Cloud;
let answer: (event: JsonObject) => unknown;

before(async () => {
  cloud = await startCloud({
    serverlessFile: join(import.meta.dirname, '../../../serverless.yml'),
    environment: {},
    handlers: { webhook: (event) => answer(asObject(event, 'event')) },
    log: () => undefined,
  });
});

after(() => cloud.stop());

/** What the function gets of a request. */
async function received(path: string, init: RequestInit): Promise<JsonObject> {
  let seen: JsonObject = {};
  answer = (event) => {
    seen = event;
    return { statusCode: 204 };
  };
  assert.equal((await fetch(cloud.httpUrl + path, { method: 'POST', ...init })).status, 204);
  return seen;
}

test('a request becomes an event in payload format 2.0', async () => {
  const headers = { 'Content-Type': 'application/json', 'X-Two': 'a, b', Cookie: 'c=1; d=2', 'User-Agent': 'test' };
  const event = await received('/webhook?timeout=10s&a=1&a=2', { headers, body: '{"ä":1}' });
  assert.equal(event['version'], '2.0');
  assert.equal(event['routeKey'], 'POST /webhook');
  assert.equal(event['rawPath'], '/webhook');
  assert.equal(event['rawQueryString'], 'timeout=10s&a=1&a=2');
  assert.deepEqual(event['queryStringParameters'], { timeout: '10s', a: '1,2' });
  assert.deepEqual(event['cookies'], ['c=1', 'd=2']);
  assert.equal(event['body'], '{"ä":1}');
  assert.equal(event['isBase64Encoded'], false);
  assert.equal(event['pathParameters'], undefined);
  const got = asObject(event['headers'], 'headers');
  assert.deepEqual([got['content-type'], got['x-two'], got['cookie']], ['application/json', 'a, b', undefined]);
  const http = asObject(asObject(event['requestContext'], 'requestContext')['http'], 'http');
  assert.deepEqual(
    [http['method'], http['path'], http['sourceIp'], http['userAgent']],
    ['POST', '/webhook', '127.0.0.1', 'test'],
  );
});

test('a path parameter is decoded', async () => {
  const event = await received('/webhook/a%20b', { headers: { 'content-type': 'text/plain' }, body: 'x' });
  assert.deepEqual(event['pathParameters'], { token: 'a b' });
  assert.equal(event['routeKey'], 'POST /webhook/{token}');
});

for (const [type, encoded] of [
  ['application/json; charset=utf-8', false],
  ['text/plain', false],
  ['application/cloudevents+json', true],
  ['application/octet-stream', true],
] as const) {
  test(`a body of ${type} is ${encoded ? 'base64' : 'text'}`, async () => {
    const event = await received('/webhook', { headers: { 'content-type': type }, body: '{"a":1}' });
    assert.equal(event['isBase64Encoded'], encoded);
    assert.equal(event['body'], encoded ? Buffer.from('{"a":1}').toString('base64') : '{"a":1}');
  });
}

test('no body is no body', async () => {
  const event = await received('/webhook', {});
  assert.deepEqual([event['body'], event['isBase64Encoded']], [undefined, false]);
});

for (const { name, result, status, body, type } of [
  {
    name: 'a whole answer',
    result: { statusCode: 201, headers: { 'Content-Type': 'text/html', 'x-n': 1 }, body: '<p>' },
    status: 201,
    body: '<p>',
    type: 'text/html',
  },
  {
    name: 'a base64 answer',
    result: { statusCode: 200, body: Buffer.from('bytes').toString('base64'), isBase64Encoded: true },
    status: 200,
    body: 'bytes',
    type: 'text/plain;charset=UTF-8',
  },
  { name: 'an answer that is only a body', result: { a: 1 }, status: 200, body: '{"a":1}', type: 'application/json' },
]) {
  test(name, async () => {
    answer = () => result;
    const response = await fetch(`${cloud.httpUrl}/webhook`, { method: 'POST' });
    assert.deepEqual(
      [response.status, await response.text(), response.headers.get('content-type')],
      [status, body, type],
    );
  });
}

test('a function that throws is a 500 that tells nothing', async () => {
  answer = () => {
    throw new Error('inner secret');
  };
  const response = await fetch(`${cloud.httpUrl}/webhook`, { method: 'POST' });
  assert.deepEqual([response.status, await response.json()], [500, { message: 'Internal Server Error' }]);
});

for (const [method, path] of [
  ['GET', '/webhook'],
  ['POST', '/'],
  ['POST', '/webhook/'],
  ['POST', '/webhook/a/b'],
] as const) {
  test(`${method} ${path} is nobody's`, async () => {
    answer = () => assert.fail('there is no such route');
    const response = await fetch(cloud.httpUrl + path, { method });
    assert.deepEqual([response.status, await response.json()], [404, { message: 'Not Found' }]);
  });
}

test('a body of more than 6 MiB is refused', async () => {
  answer = () => assert.fail('too large');
  const body = 'x'.repeat(6 * 1024 * 1024 + 1);
  const response = await fetch(`${cloud.httpUrl}/webhook`, { method: 'POST', body });
  assert.equal(response.status, 413);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AppError } from '../../shared/errors.ts';
import { receive } from '../../shared/webhook/receive.ts';
import { type WebhookRequest, parseHttpEvent } from '../../shared/webhook/request.ts';
import { CONFIG, bus, request } from './requests.ts';
import { auditEvent, auditList, cloudEventHeaders, review, structured } from './payloads.ts';

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'none';
  } catch (error) {
    return error instanceof AppError ? error.code : String(error);
  }
}

test('an admission review is published and answered with its own answer', async () => {
  const target = bus();
  const { response, published } = await receive(request(review()), CONFIG, target);
  assert.equal(response.statusCode, 200);
  assert.equal(JSON.parse(response.body).response.allowed, true);
  assert.equal(published, 1);
  assert.deepEqual(
    target.published.map((event) => [event.ref.cluster, event.ref.name, event.observedAt]),
    [['prod', 'web', '2026-11-23T02:00:00.000Z']],
  );
});

test('audit events and CloudEvents are answered with counts', async () => {
  const batch = auditList(
    auditEvent(),
    auditEvent({ verb: 'get' }),
    auditEvent({ verb: 'list' }),
    auditEvent({}, { subresource: 'status' }),
  );
  const { response } = await receive(request(batch), CONFIG, bus());
  assert.equal(response.statusCode, 202);
  assert.deepEqual(JSON.parse(response.body), {
    published: 1,
    ignored: { NotAWrite: 2, Subresource: 1 },
    requestId: 'request-1',
  });
  const event = request(structured(), {
    headers: { authorization: 'bearer old-token', 'content-type': 'application/cloudevents+json' },
  });
  assert.equal((await receive(event, CONFIG, bus())).response.statusCode, 202);
});

test('a body in base64 is the same body', async () => {
  const encoded = Buffer.from(JSON.stringify(review())).toString('base64');
  const { published } = await receive(request(encoded, { isBase64Encoded: true }), CONFIG, bus());
  assert.equal(published, 1);
});

const JSON_TYPE = { 'content-type': 'application/json' };

const accepted: readonly [string, Partial<WebhookRequest>][] = [
  ['the first token', { headers: { ...JSON_TYPE, authorization: 'Bearer old-token' } }],
  ['the second token', { headers: { ...JSON_TYPE, authorization: 'Bearer new-token' } }],
  ['a token in the path', { headers: JSON_TYPE, pathToken: 'old-token' }],
  [
    'a token in the path beside a foreign Authorization',
    { headers: { ...JSON_TYPE, authorization: 'Basic eA==' }, pathToken: 'new-token' },
  ],
];
for (const [title, changes] of accepted) {
  test(`lets ${title} pass`, async () => {
    assert.equal((await receive(request(review(), changes), CONFIG, bus())).response.statusCode, 200);
  });
}

const NEW = { authorization: 'Bearer new-token' };
const refused: readonly [title: string, code: string, body: unknown, changes: Partial<WebhookRequest>][] = [
  ['no token', 'WEBHOOK_UNAUTHORIZED', review(), { headers: JSON_TYPE }],
  ['a wrong token', 'WEBHOOK_UNAUTHORIZED', review(), { headers: { ...JSON_TYPE, authorization: 'Bearer new-toke' } }],
  [
    'a token with more behind it',
    'WEBHOOK_UNAUTHORIZED',
    review(),
    { headers: { ...JSON_TYPE, authorization: 'Bearer new-token x' } },
  ],
  ['an empty token', 'WEBHOOK_UNAUTHORIZED', review(), { headers: { ...JSON_TYPE, authorization: 'Bearer ' } }],
  [
    'all tokens at once',
    'WEBHOOK_UNAUTHORIZED',
    review(),
    { headers: { ...JSON_TYPE, authorization: 'Bearer old-token,new-token' } },
  ],
  ['a wrong path', 'WEBHOOK_UNAUTHORIZED', review(), { headers: JSON_TYPE, pathToken: 'guess' }],
  ['a wrong token before anything else of it is read', 'WEBHOOK_UNAUTHORIZED', '{', { method: 'GET', headers: {} }],
  ['another method', 'WEBHOOK_METHOD', review(), { method: 'PUT' }],
  ['no content type', 'WEBHOOK_CONTENT_TYPE', review(), { headers: NEW }],
  [
    'a form',
    'WEBHOOK_CONTENT_TYPE',
    review(),
    { headers: { ...NEW, 'content-type': 'application/x-www-form-urlencoded' } },
  ],
  ['an empty body', 'WEBHOOK_MALFORMED', '', {}],
  ['half a body', 'WEBHOOK_MALFORMED', JSON.stringify(review()).slice(0, 200), {}],
  [
    'a body that is no UTF-8',
    'WEBHOOK_MALFORMED',
    Buffer.from([0x22, 0xff, 0x22]).toString('base64'),
    { isBase64Encoded: true },
  ],
  ['a large body', 'WEBHOOK_BODY_TOO_LARGE', review({ object: { blob: 'x'.repeat(20_000) } }), {}],
  [
    'a large body in base64',
    'WEBHOOK_BODY_TOO_LARGE',
    Buffer.alloc(20_001).toString('base64'),
    { isBase64Encoded: true },
  ],
  ['a batch with one bad event', 'WEBHOOK_UNKNOWN_SHAPE', auditList(auditEvent(), 'x'), {}],
];
for (const [title, code, body, changes] of refused) {
  test(`refuses ${title}, and publishes nothing`, async () => {
    const target = bus();
    assert.equal(await codeOf(receive(request(body, changes), CONFIG, target)), code);
    assert.deepEqual(target.published, []);
  });
}

test('a body of exactly the allowed size is read', async () => {
  const bare = JSON.stringify(review({ blob: '' }));
  const body = JSON.stringify(review({ blob: 'x'.repeat(CONFIG.maxBodyBytes - Buffer.byteLength(bare)) }));
  assert.equal(Buffer.byteLength(body), CONFIG.maxBodyBytes);
  assert.equal((await receive(request(body), CONFIG, bus())).response.statusCode, 200);
});

test('what the bus does not take is an error also for an admission review', async () => {
  const failing = { ...bus(), publishChanges: () => Promise.reject(new AppError('EVENTS_NOT_PUBLISHED', '1 of 1')) };
  assert.equal(await codeOf(receive(request(review()), CONFIG, failing)), 'EVENTS_NOT_PUBLISHED');
});

test('error messages never quote the body or a token', async () => {
  const cases = refused.map(([, , body, changes]) => receive(request(body, changes), CONFIG, bus()));
  for (const result of await Promise.allSettled(cases)) {
    assert.equal(result.status, 'rejected');
    assert.doesNotMatch(String(result.reason), /token,|old-token|guess|shop/);
  }
});

/** A request of valid shape with any JSON put into one place of it. */
function damaged(): fc.Arbitrary<WebhookRequest> {
  const field = fc.constantFrom('request', 'items', 'kind', 'apiVersion', 'data', 'type', 'specversion');
  const inner = fc.constantFrom(
    'name',
    'namespace',
    'resource',
    'object',
    'oldObject',
    'operation',
    'userInfo',
    'subResource',
    'uid',
  );
  const ref = fc.constantFrom('name', 'namespace', 'resource', 'apiGroup', 'subresource', 'uid');
  const event = fc.constantFrom(
    'verb',
    'stage',
    'user',
    'objectRef',
    'responseStatus',
    'responseObject',
    'requestURI',
    'stageTimestamp',
  );
  const any = fc.jsonValue();
  const body = fc.oneof(
    any,
    fc.tuple(inner, any).map(([name, value]) => review({ [name]: value })),
    fc.tuple(ref, any).map(([name, value]) => auditList(auditEvent({}, { [name]: value }))),
    fc.tuple(event, any).map(([name, value]) => auditList(auditEvent({ [name]: value }))),
    fc
      .tuple(field, any, fc.constantFrom(review(), auditList(), structured()))
      .map(([name, value, base]) => ({ ...base, [name]: value })),
  );
  const headers = fc.constantFrom(
    { ...NEW, 'content-type': 'application/json' },
    { ...NEW, 'content-type': 'application/cloudevents+json' },
    { ...NEW, 'content-type': 'application/cloudevents-batch+json' },
    { ...NEW, ...cloudEventHeaders() },
  );
  return fc.tuple(body, headers).map(([value, head]) => request(JSON.stringify(value), { headers: head }));
}

test('whatever the body holds: published with safe names under the configured cluster, or a 4xx', async () => {
  await fc.assert(
    fc.asyncProperty(damaged(), async (one) => {
      const target = bus();
      try {
        await receive(one, CONFIG, target);
      } catch (error) {
        assert.ok(error instanceof AppError, String(error));
        assert.ok('status' in error.info && error.info.status !== undefined && error.info.status < 500, error.code);
        assert.deepEqual(target.published, []);
      }
      for (const { ref, observedAt } of target.published) {
        assert.equal(ref.cluster, 'prod');
        assert.match(`${ref.namespace}/${ref.name}`, /^[-a-z0-9.]*\/[-a-z0-9.]+$/);
        assert.ok(!Number.isNaN(Date.parse(observedAt)));
      }
    }),
    { numRuns: 1_000 },
  );
});

test('an event of an HTTP API becomes a request, and nonsense becomes one that is refused', () => {
  const event = {
    version: '2.0',
    headers: { authorization: 'Bearer t', 'content-type': 'application/json' },
    pathParameters: { token: 'secret' },
    queryStringParameters: { timeout: '1m30s500ms' },
    requestContext: {
      requestId: 'r',
      timeEpoch: 5,
      http: { method: 'POST', path: '/webhook/secret' },
      authentication: { clientCert: { clientCertPem: 'PEM', subjectDN: 'CN=sender' } },
    },
    body: '{}',
    isBase64Encoded: true,
  };
  assert.deepEqual(parseHttpEvent(event), {
    method: 'POST',
    headers: event.headers,
    pathToken: 'secret',
    requestId: 'r',
    clientCertificate: 'PEM',
    receivedMs: 5,
    timeoutMs: 90_500,
    body: '{}',
    isBase64Encoded: true,
  });
  for (const nonsense of [undefined, null, 7, 'x', [], {}, { headers: [], requestContext: 'x', body: {} }]) {
    const empty = {
      method: '',
      headers: {},
      pathToken: undefined,
      requestId: '',
      clientCertificate: undefined,
      receivedMs: undefined,
      timeoutMs: undefined,
      body: '',
      isBase64Encoded: false,
    };
    assert.deepEqual(parseHttpEvent(nonsense), empty);
  }
});

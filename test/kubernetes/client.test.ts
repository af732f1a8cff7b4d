import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '../../shared/errors.ts';
import { type KubernetesClient, kubernetesClient } from '../../shared/kubernetes/client.ts';
import type { RetryPolicy } from '../../shared/kubernetes/transport.ts';
import type { TestAnswer, TestServer } from '../support/http-server.ts';
import { NO_SUCH_PATH, QUICK, configOf, page, service, startApi, status } from './fake-api.ts';

const ECHO = '/api/v1/namespaces/shop/services/echo';
const SERVICES = '/api/v1/namespaces/shop/services';

type Routes = Parameters<typeof startApi>[0];

async function withApi(
  routes: Routes,
  use: (client: KubernetesClient, api: TestServer) => Promise<void>,
  retry: RetryPolicy = QUICK,
): Promise<void> {
  const api = await startApi(routes);
  const client = kubernetesClient(configOf(api.url), retry);
  try {
    await use(client, api);
  } finally {
    client.close();
    await api.stop();
  }
}

function hasCode(code: string, message = /(?:)/): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof AppError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    assert.doesNotMatch(`${error.message}${JSON.stringify(error.cause)}`, /secret-token/);
    return true;
  };
}

/** Gives the answers one after the other, the last one for ever. */
function inTurn(...answers: readonly TestAnswer[]): () => TestAnswer {
  let next = 0;
  return () => answers[Math.min(next++, answers.length - 1)] ?? NO_SUCH_PATH;
}

test('get reads an object with the token, and gives it kind and apiVersion', async () => {
  await withApi({ [`GET ${ECHO}`]: { body: service('echo') } }, async (client, api) => {
    const found = await client.get('Service', 'shop', 'echo');
    assert.deepEqual([found?.apiVersion, found?.kind, found?.metadata.name], ['v1', 'Service', 'echo']);
    assert.equal(api.seen[0]?.headers.authorization, 'Bearer secret-token');
    assert.equal(client.requests, 1);
  });
});

test('names are encoded, so that none leaves its place in the path', async () => {
  await withApi({}, async (client, api) => {
    await assert.rejects(client.get('Service', 'a/b', '../../secrets?x'));
    assert.equal(api.seen[0]?.url, '/api/v1/namespaces/a%2Fb/services/..%2F..%2Fsecrets%3Fx');
  });
});

test('get gives undefined only for a 404 that names the object', async () => {
  await withApi({ [`GET ${ECHO}`]: status(404, 'NotFound', 'echo') }, async (client) => {
    assert.equal(await client.get('Service', 'shop', 'echo'), undefined);
  });
  const others: readonly TestAnswer[] = [
    NO_SUCH_PATH,
    status(404, 'NotFound'),
    status(404, 'NotFound', 'another'),
    { status: 404, body: '<html>no</html>' },
  ];
  for (const answer of others) {
    await withApi({ [`GET ${ECHO}`]: answer }, async (client) => {
      await assert.rejects(client.get('Service', 'shop', 'echo'), hasCode('KUBERNETES_ANSWER_INVALID', /404/));
    });
  }
});

const refusals: readonly [title: string, answer: TestAnswer, code: string, message: RegExp][] = [
  ['401', status(401, 'Unauthorized'), 'KUBERNETES_UNAUTHENTICATED', /401 Unauthorized/],
  ['403', status(403, 'Forbidden'), 'KUBERNETES_FORBIDDEN', /GET \/api\/v1\/namespaces\/shop\/services.*403 Forbidden/],
  ['a redirect', { status: 302, headers: { location: 'http://127.0.0.1:1/' } }, 'KUBERNETES_ANSWER_INVALID', /302/],
  ['a page of a proxy', { status: 200, body: '<html>login</html>' }, 'KUBERNETES_ANSWER_INVALID', /not a/],
  ['429 for ever', { status: 429 }, 'KUBERNETES_UNAVAILABLE', /429/],
  ['503 for ever', status(503, 'ServiceUnavailable'), 'KUBERNETES_UNAVAILABLE', /503 ServiceUnavailable/],
  ['a cut connection for ever', 'cut', 'KUBERNETES_UNAVAILABLE', /ECONNRESET/],
];
const SHORT: RetryPolicy = { ...QUICK, deadlineMs: 30 };
for (const [title, answer, code, message] of refusals) {
  test(`${title} is an error, never an absent object or an empty list`, async () => {
    await withApi(
      { [`GET ${ECHO}`]: answer, [`GET ${SERVICES}`]: answer },
      async (client) => {
        await assert.rejects(
          client.get('Service', 'shop', 'echo'),
          hasCode(code, title === 'a page of a proxy' ? /(?:)/ : message),
        );
        await assert.rejects(client.list('Service', { namespace: 'shop' }), hasCode(code, message));
      },
      SHORT,
    );
  });
}

test('429, 5xx and lost connections are repeated until one answers, and counted', async () => {
  const answers = inTurn({ status: 429 }, { status: 500 }, 'cut', { status: 503 }, { body: service('echo') });
  await withApi({ [`GET ${ECHO}`]: answers }, async (client) => {
    assert.equal((await client.get('Service', 'shop', 'echo'))?.metadata.name, 'echo');
    assert.equal(client.requests, 5);
  });
});

test('a Retry-After beyond the deadline ends it at once', async () => {
  await withApi({ [`GET ${ECHO}`]: { status: 429, headers: { 'retry-after': '3600' } } }, async (client) => {
    await assert.rejects(client.get('Service', 'shop', 'echo'), hasCode('KUBERNETES_UNAVAILABLE', /429/));
    assert.equal(client.requests, 1);
  });
});

test('an API server that does not answer is unavailable', async () => {
  const api = await startApi({});
  await api.stop();
  const client = kubernetesClient(configOf(api.url), SHORT);
  await assert.rejects(client.get('Service', 'shop', 'echo'), hasCode('KUBERNETES_UNAVAILABLE', /ECONNREFUSED/));
  client.close();
});

/** A list of `names`, `size` a page whatever the client asks for. */
function paged(names: readonly string[], size: number): (request: unknown, url: URL) => TestAnswer {
  return (_request, url) => {
    const start = Number(url.searchParams.get('continue') ?? 0);
    const rest = names.slice(start, start + size).map((name) => service(name));
    return page(rest, start + size < names.length ? String(start + size) : '');
  };
}

test('list reads every page, with its limit and selector, and gives the list’s version', async () => {
  await withApi({ [`GET ${SERVICES}`]: paged(['a', 'b', 'c', 'd', 'e'], 2) }, async (client, api) => {
    const list = await client.list('Service', { namespace: 'shop', labelSelector: 'app=web' });
    assert.deepEqual(
      list.objects.map((object) => object.metadata.name),
      ['a', 'b', 'c', 'd', 'e'],
    );
    assert.equal(list.resourceVersion, '100');
    for (const request of api.seen) assert.match(request.url, /limit=500&labelSelector=app%3Dweb/);
    assert.equal(client.requests, 3);
  });
});

test('an empty list may come as null', async () => {
  await withApi({ [`GET ${SERVICES}`]: page(null) }, async (client) => {
    assert.deepEqual(await client.list('Service', { namespace: 'shop' }), {
      objects: [],
      resourceVersion: '100',
      absent: false,
    });
  });
});

for (const answer of [
  status(403, 'Forbidden'),
  status(500, 'InternalError'),
  status(404, 'NotFound'),
  'cut',
] as const) {
  test(`a second page that answers ${answer === 'cut' ? 'nothing' : JSON.stringify(answer.status)} fails the list`, async () => {
    const pages = paged(['a', 'b'], 1);
    const route: Routes[string] = (request, url) => (url.searchParams.has('continue') ? answer : pages(request, url));
    await withApi(
      { [`GET ${SERVICES}`]: route },
      async (client) => {
        await assert.rejects(client.list('Service', { namespace: 'shop' }), AppError);
      },
      SHORT,
    );
  });
}

test('a list whose continue token expired begins again, and has nothing twice', async () => {
  let expired = false;
  const pages = paged(['a', 'b', 'c'], 1);
  const route: Routes[string] = (request, url) => {
    if (url.searchParams.get('continue') !== '2' || expired) return pages(request, url);
    expired = true;
    return status(410, 'Expired');
  };
  await withApi({ [`GET ${SERVICES}`]: route }, async (client) => {
    const { objects } = await client.list('Service', { namespace: 'shop' });
    assert.deepEqual(
      objects.map((object) => object.metadata.name),
      ['a', 'b', 'c'],
    );
    assert.equal(client.requests, 6);
  });
});

test('a list that always expires is an error', async () => {
  const pages = paged(['a', 'b'], 1);
  const route: Routes[string] = (request, url) =>
    url.searchParams.has('continue') ? status(410, 'Expired') : pages(request, url);
  await withApi({ [`GET ${SERVICES}`]: route }, async (client) => {
    await assert.rejects(client.list('Service', { namespace: 'shop' }), hasCode('KUBERNETES_LIST_EXPIRED', /4 times/));
    assert.equal(client.requests, 8);
  });
});

test('an item without metadata fails the list', async () => {
  await withApi({ [`GET ${SERVICES}`]: page([service('a'), { spec: {} }]) }, async (client) => {
    await assert.rejects(client.list('Service', { namespace: 'shop' }), hasCode('KUBERNETES_ANSWER_INVALID'));
  });
});

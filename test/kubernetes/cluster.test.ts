import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AppError } from '../../shared/errors.ts';
import { listCluster } from '../../shared/kubernetes/cluster.ts';
import { KINDS, isKind } from '../../shared/kubernetes/kinds.ts';
import { groupPath, listPath } from '../../shared/kubernetes/path.ts';
import type { Kind } from '../../shared/kubernetes/resources.ts';
import type { TestAnswer, TestServer } from '../support/http-server.ts';
import { NO_SUCH_PATH, QUICK, configOf, page, service, startApi, status } from './fake-api.ts';

type Routes = Parameters<typeof startApi>[0];

const KIND_NAMES = Object.keys(KINDS).filter(isKind);
const CRDS = KIND_NAMES.filter((kind) => !KINDS[kind].core);
const SERVICES = `GET ${listPath('Service', '')}`;
/** The server's own list of groups: those of the kinds that are always there. */
const GROUPS: TestAnswer = {
  body: { kind: 'APIGroupList', groups: [{ name: 'networking.k8s.io', versions: [{ version: 'v1' }] }] },
};

/** A cluster without CRDs, its lists empty but for the given routes. */
function bare(routes: Routes = {}): Routes {
  const core = KIND_NAMES.filter((kind) => KINDS[kind].core);
  return {
    ...Object.fromEntries(core.map((kind) => [`GET ${listPath(kind, '')}`, page([])])),
    'GET /apis': GROUPS,
    ...routes,
  };
}

async function withApi(routes: Routes, use: (api: TestServer) => Promise<void>): Promise<void> {
  const api = await startApi(routes);
  try {
    await use(api);
  } finally {
    await api.stop();
  }
}

function list(api: TestServer): ReturnType<typeof listCluster> {
  return listCluster(configOf(api.url), { ...QUICK, deadlineMs: 100 });
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'none',
    (error: AppError) => {
      assert.doesNotMatch(error.message, /secret-token/);
      return error.code;
    },
  );
}

test('every kind is listed in pages, with the token; kinds whose CRD is not installed are absent', async () => {
  const routes = bare({
    [SERVICES]: (_request, url) =>
      url.searchParams.has('continue') ? page([service('b')]) : page([service('a')], 'more'),
  });
  await withApi(routes, async (api) => {
    const snapshot = await list(api);
    assert.deepEqual(
      snapshot.objects.map((object) => [object.apiVersion, object.kind, object.metadata.name]),
      [
        ['v1', 'Service', 'a'],
        ['v1', 'Service', 'b'],
      ],
    );
    assert.deepEqual(snapshot.absent.toSorted(), CRDS.toSorted());
    assert.deepEqual(
      Object.keys(snapshot.resourceVersions).toSorted(),
      KIND_NAMES.filter((kind) => KINDS[kind].core).toSorted(),
    );
    assert.equal(snapshot.requests, api.seen.length);
    const asked = new Set(api.seen.map((request) => new URL(request.url, api.url).pathname));
    for (const kind of KIND_NAMES) assert.ok(asked.has(listPath(kind, '')), kind);
    for (const request of api.seen) assert.equal(request.headers.authorization, 'Bearer secret-token');
    assert.ok(
      api.seen
        .filter((request) => !/^\/apis(\/[^/]+\/[^/]+)?$/.test(request.url))
        .every((request) => request.url.includes('limit=500')),
    );
  });
});

test('timestamps stay as the API server wrote them, and fields that the library does not know are kept', async () => {
  const item = { ...service('a', { creationTimestamp: '2026-11-23T02:00:00Z' }), future: { field: 1 } };
  await withApi(bare({ [SERVICES]: page([item]) }), async (api) => {
    const [object] = (await list(api)).objects;
    assert.equal(object?.metadata.creationTimestamp, '2026-11-23T02:00:00Z');
    assert.deepEqual(Object.entries(object ?? {}).find(([field]) => field === 'future')?.[1], { field: 1 });
  });
});

const failures: readonly [title: string, answer: TestAnswer, code: string][] = [
  ['403', status(403, 'Forbidden'), 'KUBERNETES_FORBIDDEN'],
  ['401', status(401, 'Unauthorized'), 'KUBERNETES_UNAUTHENTICATED'],
  ['500', status(500, 'InternalError'), 'KUBERNETES_UNAVAILABLE'],
  ['no answer', 'cut', 'KUBERNETES_UNAVAILABLE'],
  ['404', NO_SUCH_PATH, 'KUBERNETES_ANSWER_INVALID'],
  ['no list', { body: { hello: 'world' } }, 'KUBERNETES_ANSWER_INVALID'],
];
for (const [title, answer, code] of failures) {
  test(`a core kind that answers ${title} fails the whole, on the first page and on the second`, async () => {
    await withApi(bare({ [SERVICES]: answer }), async (api) => assert.equal(await codeOf(list(api)), code));
    const second: Routes[string] = (_request, url) =>
      url.searchParams.has('continue') ? answer : page([service('a')], 'more');
    await withApi(bare({ [SERVICES]: second }), async (api) => assert.equal(await codeOf(list(api)), code));
  });
}

const CRD: Kind | undefined = CRDS[0];

test('a CRD that answers 404 although discovery knows it is a failure, not an absent kind', async () => {
  assert.ok(CRD !== undefined);
  const { plural, group, version } = KINDS[CRD];
  const groups: Routes = {
    'GET /apis': { body: { kind: 'APIGroupList', groups: [{ name: group, versions: [{ version }] }] } },
  };
  const resources = { body: { kind: 'APIResourceList', resources: [{ name: plural }] } };
  const knowing: readonly Routes[] = [{ ...groups, [`GET ${groupPath(KINDS[CRD])}`]: resources }, groups];
  for (const routes of knowing) {
    await withApi(bare(routes), async (api) => {
      assert.match(await codeOf(list(api)), /^KUBERNETES_(ANSWER_INVALID|DISCOVERY_FAILED)$/);
    });
  }
});

const silent: readonly [string, TestAnswer][] = [
  ['403', status(403, 'Forbidden')],
  ['404', NO_SUCH_PATH],
  ['no list of groups', { body: '<html>login</html>' }],
];
for (const [title, answer] of silent) {
  test(`when discovery itself answers ${title}, no kind counts as absent`, async () => {
    await withApi(bare({ 'GET /apis': answer }), async (api) => {
      assert.equal(await codeOf(list(api)), 'KUBERNETES_DISCOVERY_FAILED');
    });
  });
}

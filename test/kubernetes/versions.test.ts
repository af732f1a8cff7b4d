import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { parseManifests } from '../../shared/cli/files.ts';
import { type KubernetesClient, kubernetesClient } from '../../shared/kubernetes/client.ts';
import { KINDS, apiVersionOf, isKind } from '../../shared/kubernetes/kinds.ts';
import { liveLookup } from '../../shared/kubernetes/live.ts';
import { groupPath, listPath, objectPath } from '../../shared/kubernetes/path.ts';
import type { Kind } from '../../shared/kubernetes/resources.ts';
import type { TestServer } from '../support/http-server.ts';
import { NO_SUCH_PATH, QUICK, configOf, page, startApi, status } from './fake-api.ts';

const KIND_NAMES = Object.keys(KINDS).filter(isKind);
const SEVERAL = KIND_NAMES.filter((kind) => KINDS[kind].versions.length > 1);
const ITEM = { metadata: { name: 'found', namespace: 'shop' }, spec: {} };

type Routes = Parameters<typeof startApi>[0];
/** Kind → versions that the API server serves it in. */
type Served = { readonly [K in Kind]?: readonly string[] };

function groupVersions(served: Served): { readonly group: string; readonly version: string; readonly kind: Kind }[] {
  return KIND_NAMES.flatMap((kind) =>
    (served[kind] ?? []).map((version) => ({ group: KINDS[kind].group, version, kind })),
  );
}

/** Discovery, a list with one object, that object, and a 404 that names any other one. */
function routesOf(served: Served): Routes {
  const all = groupVersions(served);
  const groups = [...new Set(all.map(({ group }) => group))].map((name) => ({
    name,
    versions: all.filter(({ group }) => group === name).map(({ version }) => ({ version })),
  }));
  const paths = all.flatMap(({ group, version, kind }): [string, Routes[string]][] => [
    [`GET ${listPath(kind, '', version)}`, page([ITEM])],
    [`GET ${objectPath(kind, 'shop', 'found', version)}`, { body: ITEM }],
    [`GET ${objectPath(kind, 'shop', 'gone', version)}`, status(404, 'NotFound', 'gone')],
    [
      `GET ${groupPath({ group, version })}`,
      {
        body: {
          resources: all
            .filter((item) => item.group === group && item.version === version)
            .map((item) => ({ name: KINDS[item.kind].plural })),
        },
      },
    ],
  ]);
  return { ...Object.fromEntries(paths), 'GET /apis': { body: { groups } } };
}

/** An API server whose `served` may change, and a client of it. */
async function withCluster(
  served: Served,
  use: (
    client: KubernetesClient,
    cluster: { readonly serve: (changed: Served) => void; readonly api: TestServer },
  ) => Promise<void>,
): Promise<void> {
  let routes = routesOf(served);
  const answer: Routes[string] = (request, url) => {
    const route = routes[`${request.method} ${url.pathname}`] ?? NO_SUCH_PATH;
    return typeof route === 'function' ? route(request, url) : route;
  };
  const api = await startApi(new Proxy<Routes>({}, { get: () => answer }));
  const client = kubernetesClient(configOf(api.url), QUICK);
  try {
    await use(client, { serve: (changed) => void (routes = routesOf(changed)), api });
  } finally {
    client.close();
    await api.stop();
  }
}

test('the kinds with several versions are the Gateway API’s', () => {
  assert.deepEqual(
    SEVERAL.toSorted(),
    KIND_NAMES.filter((kind) => KINDS[kind].group === 'gateway.networking.k8s.io').toSorted(),
  );
  for (const kind of KIND_NAMES) assert.ok(KINDS[kind].versions.includes(KINDS[kind].version), kind);
});

for (const kind of SEVERAL) {
  for (const version of KINDS[kind].versions) {
    test(`a ${kind} that is served in ${version} alone is read, listed and named as ever`, async () => {
      await withCluster({ [kind]: [version] }, async (client) => {
        const found = await client.get(kind, 'shop', 'found');
        assert.equal(found?.apiVersion, apiVersionOf(KINDS[kind].group, KINDS[kind].version));
        assert.equal(await client.get(kind, 'shop', 'gone'), undefined);
        const { objects, absent } = await client.list(kind, { namespace: '' });
        assert.deepEqual([absent, ...objects], [false, found]);
      });
    });
  }
}

test('served in every version, the preferred one is read, and discovery is never asked', async () => {
  const every: Served = Object.fromEntries(KIND_NAMES.map((kind) => [kind, KINDS[kind].versions.toReversed()]));
  await withCluster(every, async (client, { api }) => {
    for (const kind of KIND_NAMES) await client.list(kind, { namespace: '' });
    assert.deepEqual(
      api.seen.map(({ url }) => new URL(url, api.url).pathname),
      KIND_NAMES.map((kind) => listPath(kind, '')),
    );
  });
});

test('the version that was discovered is remembered: one request for each object after that', async () => {
  await withCluster({ TLSRoute: ['v1alpha2'], HTTPRoute: ['v1'] }, async (client, { api }) => {
    await client.get('TLSRoute', 'shop', 'found');
    assert.deepEqual(
      api.seen.map(({ url }) => url),
      [
        objectPath('TLSRoute', 'shop', 'found'),
        '/apis',
        '/apis/gateway.networking.k8s.io/v1',
        '/apis/gateway.networking.k8s.io/v1alpha2',
        objectPath('TLSRoute', 'shop', 'found', 'v1alpha2'),
      ],
    );
    const before = client.requests;
    await client.get('TLSRoute', 'shop', 'found');
    await client.get('TLSRoute', 'shop', 'gone');
    await client.list('TLSRoute', { namespace: '' });
    assert.equal(client.requests - before, 3);
  });
});

test('an upgrade of the CRDs under a running client hides nothing', async () => {
  await withCluster({}, async (client, { serve }) => {
    assert.equal(await client.get('TLSRoute', 'shop', 'found'), undefined);
    assert.equal((await client.list('TLSRoute', { namespace: '' })).absent, true);
    for (const version of ['v1alpha2', 'v1alpha3', 'v1', 'v1alpha2']) {
      serve({ TLSRoute: [version] });
      assert.equal((await client.get('TLSRoute', 'shop', 'found'))?.metadata.name, 'found', version);
      assert.equal((await client.list('TLSRoute', { namespace: '' })).objects.length, 1, version);
    }
    serve({});
    assert.equal((await client.list('TLSRoute', { namespace: '' })).absent, true);
  });
});

test('many reads at once of an older version all find it', async () => {
  await withCluster({ TCPRoute: ['v1alpha2'] }, async (client) => {
    const found = await Promise.all(Array.from({ length: 8 }, () => client.get('TCPRoute', 'shop', 'found')));
    assert.ok(found.every((object) => object?.metadata.name === 'found'));
  });
});

test('a version that discovery lists but that answers 404 is an error, never an absent kind', async () => {
  const api = await startApi({
    'GET /apis': { body: { groups: [{ name: 'gateway.networking.k8s.io', versions: [{ version: 'v1alpha2' }] }] } },
    'GET /apis/gateway.networking.k8s.io/v1alpha2': { body: { resources: [{ name: 'tcproutes' }] } },
  });
  const client = kubernetesClient(configOf(api.url), QUICK);
  await assert.rejects(client.get('TCPRoute', 'shop', 'found'), { code: 'KUBERNETES_ANSWER_INVALID' });
  await assert.rejects(client.list('TCPRoute', { namespace: '' }), { code: 'KUBERNETES_ANSWER_INVALID' });
  client.close();
  await api.stop();
});

test('within a slice an absent kind is listed once', async () => {
  await withCluster({}, async (client, { api }) => {
    const lookup = liveLookup(client);
    assert.deepEqual(await lookup.list('TCPRoute', { service: 'shop/a' }), []);
    const before = api.seen.length;
    assert.deepEqual(await lookup.list('TCPRoute', { service: 'shop/b' }), []);
    assert.equal(api.seen.length, before);
  });
});

test('a manifest of any version that can be read is the same object; other groups and versions are ignored', () => {
  for (const kind of KIND_NAMES) {
    const { group, version, versions } = KINDS[kind];
    const manifest = (apiVersion: string): string => JSON.stringify({ apiVersion, kind, metadata: { name: 'x' } });
    for (const each of versions) {
      const { objects, ignored } = parseManifests(manifest(apiVersionOf(group, each)), 'file', true);
      assert.deepEqual([ignored, objects.map((object) => object.apiVersion)], [[], [apiVersionOf(group, version)]]);
    }
    for (const other of ['example.com/v1', apiVersionOf(group, 'v9')]) {
      const { objects, ignored } = parseManifests(manifest(other), 'file', true);
      assert.deepEqual([objects.length, ignored.length], [0, 1]);
      assert.match(ignored[0] ?? '', new RegExp(`"${kind}", apiVersion "${other}"`));
    }
  }
});

test('the golden case of the stream routes is the same in their v1', () => {
  const file = path.join(import.meta.dirname, '..', 'golden', 'stream-routes', 'in.yaml');
  const old = readFileSync(file, 'utf8');
  const current = old.replaceAll('gateway.networking.k8s.io/v1alpha2', 'gateway.networking.k8s.io/v1');
  assert.notEqual(current, old);
  assert.deepEqual(parseManifests(current, 'in', false), parseManifests(old, 'in', false));
});

import assert from 'node:assert/strict';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { test, type TestContext } from 'node:test';
import type { KubernetesStandIn } from '../../../infra/local/kubernetes/index.ts';
import { at, isObject, listAt, textAt, type JsonObject } from '../../../infra/local/kubernetes/json.ts';
import { CONFIGMAPS, configMap, eventually, send, stand, temporaryDirectory } from './stand.ts';

interface Watched {
  readonly events: JsonObject[];
  readonly ended: Promise<void>;
}

/** Opens a watch and collects its events until the test or the watch ends. */
async function watch(
  t: TestContext,
  k: KubernetesStandIn,
  query: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Watched> {
  const controller = new AbortController();
  t.after(() => controller.abort());
  const response = await fetch(`${k.url}${CONFIGMAPS}?watch=true&${query}`, {
    headers: { authorization: `Bearer ${k.token}`, ...headers },
    signal: controller.signal,
  });
  assert.equal(response.status, 200);
  assert.ok(response.body !== null);
  const events: JsonObject[] = [];
  const lines = createInterface(Readable.fromWeb(response.body));
  const read = async (): Promise<void> => {
    for await (const line of lines) {
      const event: unknown = JSON.parse(line);
      if (isObject(event)) events.push(event);
    }
  };
  return { events, ended: read().catch(() => undefined) };
}

const short = (event: JsonObject): string => `${textAt(event, 'type')} ${textAt(event, 'object', 'metadata', 'name')}`;

function arrived(watched: Watched, count: number): Promise<readonly string[]> {
  return eventually(() => (watched.events.length >= count ? watched.events.map(short) : undefined));
}

async function version(k: KubernetesStandIn): Promise<string> {
  return textAt((await send(k, 'GET', CONFIGMAPS)).body, 'metadata', 'resourceVersion');
}

const MERGE = { 'content-type': 'application/merge-patch+json' };

test('a watch tells what was written after its resourceVersion, in order', async (t) => {
  const k = await stand(t);
  await send(k, 'POST', CONFIGMAPS, configMap('before'));
  const from = await version(k);
  await send(k, 'POST', CONFIGMAPS, configMap('a'));
  const watched = await watch(t, k, `resourceVersion=${from}`);
  await send(k, 'PATCH', `${CONFIGMAPS}/a`, { data: { x: '1' } }, MERGE);
  await send(k, 'DELETE', `${CONFIGMAPS}/a`);
  assert.deepEqual(await arrived(watched, 3), ['ADDED a', 'MODIFIED a', 'DELETED a']);
  const versions = watched.events.map((event) => Number(textAt(event, 'object', 'metadata', 'resourceVersion')));
  assert.deepEqual(
    versions,
    versions.toSorted((a, b) => a - b),
  );
});

test('without a resourceVersion a watch begins with what is there', async (t) => {
  const k = await stand(t);
  await send(k, 'POST', CONFIGMAPS, configMap('a'));
  const watched = await watch(t, k, '');
  await send(k, 'POST', CONFIGMAPS, configMap('b'));
  assert.deepEqual(await arrived(watched, 2), ['ADDED a', 'ADDED b']);
});

test('a watch list ends its beginning with a marked bookmark', async (t) => {
  const k = await stand(t);
  await send(k, 'POST', CONFIGMAPS, configMap('a'));
  const watched = await watch(
    t,
    k,
    'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true',
  );
  assert.deepEqual(await arrived(watched, 2), ['ADDED a', 'BOOKMARK ']);
  assert.equal(at(watched.events[1], 'object', 'metadata', 'annotations', 'k8s.io/initial-events-end'), 'true');
  assert.equal((await send(k, 'GET', `${CONFIGMAPS}?watch=true&sendInitialEvents=true`)).status, 400);
});

test('with a selector, objects come into view and leave it', async (t) => {
  const k = await stand(t);
  await send(k, 'POST', CONFIGMAPS, configMap('a'));
  const watched = await watch(t, k, `labelSelector=x%3D1&resourceVersion=${await version(k)}`);
  const label = (x: string): Promise<unknown> =>
    send(k, 'PATCH', `${CONFIGMAPS}/a`, { metadata: { labels: { x } } }, MERGE);
  await label('1');
  await send(k, 'POST', CONFIGMAPS, configMap('unrelated'));
  await label('2');
  assert.deepEqual(await arrived(watched, 2), ['ADDED a', 'DELETED a']);
});

test('a watch ends after timeoutSeconds, with a last bookmark', async (t) => {
  const k = await stand(t);
  const watched = await watch(t, k, 'timeoutSeconds=1&allowWatchBookmarks=true&resourceVersion=0');
  await watched.ended;
  assert.deepEqual(watched.events.map(short), ['BOOKMARK ']);
  assert.equal(textAt(watched.events[0], 'object', 'metadata', 'resourceVersion'), await version(k));
});

test('a resourceVersion of before the history is told to be gone', async (t) => {
  const directory = await temporaryDirectory(t);
  const first = await stand(t, { directory });
  const from = await version(first);
  await send(first, 'POST', CONFIGMAPS, configMap('a'));
  await first.stop();
  const watched = await watch(t, await stand(t, { directory }), `resourceVersion=${from}`);
  await watched.ended;
  assert.deepEqual(
    watched.events.map((event) => [
      textAt(event, 'type'),
      at(event, 'object', 'code'),
      textAt(event, 'object', 'reason'),
    ]),
    [['ERROR', 410, 'Expired']],
  );
});

test('a watch as a table has its columns in the first event', async (t) => {
  const k = await stand(t);
  await send(k, 'POST', CONFIGMAPS, configMap('a'));
  const watched = await watch(t, k, '', { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' });
  await send(k, 'POST', CONFIGMAPS, configMap('b'));
  await arrived(watched, 2);
  assert.deepEqual(
    watched.events.map((event) => textAt(event, 'object', 'kind')),
    ['Table', 'Table'],
  );
  assert.deepEqual(
    watched.events.map((event) => listAt(event, 'object', 'columnDefinitions').length > 0),
    [true, false],
  );
});

test('stopping the server ends its watches', async (t) => {
  const k = await stand(t);
  const watched = await watch(t, k, '');
  await k.stop();
  await watched.ended;
});

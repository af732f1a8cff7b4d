import assert from 'node:assert/strict';
import { createServer, type Socket, connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { KubernetesStandIn } from '../../infra/local/kubernetes/index.ts';
import type { ChangeEvent, ReconcileRequest } from '../../shared/events.ts';
import { startWatch, type Watch } from '../../shared/watch/watch.ts';
import {
  CONFIGMAPS,
  SERVICES,
  configMap,
  eventually,
  send,
  service,
  stand,
  temporaryDirectory,
} from '../infra/kubernetes/stand.ts';
import { configOf } from '../kubernetes/fake-api.ts';

/** A TCP front of a server that can be cut, and taken away for a while. */
interface Front {
  readonly url: string;
  /** Breaks every connection; further ones break at once until `up`. */
  down(): void;
  up(): void;
}

async function front(t: TestContext, target: string): Promise<Front> {
  const sockets = new Set<Socket>();
  let refusing = false;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    if (refusing) {
      socket.destroy();
      return;
    }
    const onward = connect(Number(new URL(target).port), '127.0.0.1');
    onward.on('error', () => socket.destroy()).on('close', () => socket.destroy());
    socket.on('close', () => onward.destroy());
    socket.pipe(onward).pipe(socket);
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  const cut = (): void => sockets.forEach((socket) => socket.destroy());
  t.after(() => {
    server.close();
    cut();
  });
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    down() {
      refusing = true;
      cut();
    },
    up() {
      refusing = false;
    },
  };
}

interface Watching {
  readonly watch: Watch;
  readonly changes: ChangeEvent[];
  readonly requests: ReconcileRequest[];
  readonly stop: () => Promise<void>;
  /** `operation name` of the changes of an object, once there are as many. */
  readonly of: (name: string, count: number) => Promise<readonly string[]>;
}

/** Watches until the test ends, and is there when every kind was listed and the first reconcile asked for. */
async function watching(t: TestContext, kubernetes: Pick<KubernetesStandIn, 'token'>, url: string): Promise<Watching> {
  const [changes, requests]: [ChangeEvent[], ReconcileRequest[]] = [[], []];
  const controller = new AbortController();
  const watch = startWatch({
    kubernetes: configOf(url, { token: kubernetes.token }),
    target: {
      publishChanges: async (some) => void changes.push(...some),
      publishReconcileRequests: async (some) => void requests.push(...some),
    },
    signal: controller.signal,
    drainMs: 1_000,
    log: () => undefined,
  });
  const stop = async (): Promise<void> => {
    controller.abort();
    await watch.ended;
  };
  t.after(stop);
  await eventually(() => (watch.report().ready === watch.report().kinds && requests.length > 0 ? true : undefined));
  await eventually(() => (watch.report().waiting === 0 ? true : undefined));
  return {
    watch,
    changes,
    requests,
    stop,
    of: async (name, count) => {
      const found = (): string[] =>
        changes.filter(({ ref }) => ref.name === name).map(({ operation, ref }) => `${operation} ${ref.kind}`);
      await eventually(() => (found().length >= count ? true : undefined));
      return found();
    },
  };
}

test('changes of every kind are posted, with the names alone, after one request for a reconcile', async (t) => {
  const k = await stand(t);
  await send(k, 'POST', SERVICES, service('before'));
  const { changes, requests, of, watch } = await watching(t, k, k.url);
  await send(k, 'POST', SERVICES, service('echo'));
  assert.deepEqual(await of('echo', 1), ['create Service']);
  await send(k, 'POST', CONFIGMAPS, configMap('ca', { key: 'very-secret' }));
  assert.deepEqual(await of('ca', 1), ['create ConfigMap']);
  await send(k, 'DELETE', `${SERVICES}/echo`);
  assert.deepEqual((await of('echo', 2)).at(-1), 'delete Service');
  assert.deepEqual(
    changes.filter(({ ref }) => ref.name === 'before'),
    [],
  );
  assert.equal(requests[0]?.reason, 'WatchStarted');
  assert.equal(changes[0]?.ref.cluster, 'prod');
  assert.doesNotMatch(JSON.stringify(changes), /very-secret/);
  assert.deepEqual([watch.report().relists, watch.report().failures], [0, 0]);
  const paths = k.requests().map(({ path }) => path);
  assert.ok(paths.some((path) => /services\?.*allowWatchBookmarks=true/.test(path)));
});

test('what was missed while the API server could not be reached comes afterwards, without another list', async (t) => {
  const k = await stand(t);
  const between = await front(t, k.url);
  const { of, watch } = await watching(t, k, between.url);
  await send(k, 'POST', SERVICES, service('one'));
  await of('one', 1);
  between.down();
  await eventually(() => (watch.report().failures > 0 ? true : undefined));
  await send(k, 'POST', SERVICES, service('two'));
  await send(k, 'DELETE', `${SERVICES}/one`);
  between.up();
  assert.deepEqual(await of('two', 1), ['create Service']);
  assert.deepEqual((await of('one', 2)).at(-1), 'delete Service');
  assert.equal(watch.report().relists, 0);
});

test('when the API server has forgotten what was missed, a list tells it', async (t) => {
  const directory = await temporaryDirectory(t);
  const first = await stand(t, { directory });
  for (const name of ['same', 'gone']) await send(first, 'POST', SERVICES, service(name));
  const { of, watch, changes } = await watching(t, first, first.url);
  await first.stop();
  // A server that begins again has no history of before.
  const port = Number(new URL(first.url).port);
  const between = await stand(t, { directory });
  await send(between, 'POST', SERVICES, service('new'));
  await send(between, 'DELETE', `${SERVICES}/gone`);
  await between.stop();
  await stand(t, { directory, port });
  assert.deepEqual(await of('new', 1), ['create Service']);
  assert.deepEqual(await of('gone', 1), ['delete Service']);
  assert.ok(watch.report().relists > 0);
  assert.deepEqual(
    changes.filter(({ ref }) => ref.name === 'same'),
    [],
  );
});

test('an end posts what waits', async (t) => {
  const k = await stand(t);
  const { watch, stop, of } = await watching(t, k, k.url);
  await send(k, 'POST', SERVICES, service('last'));
  await eventually(() => (watch.report().events > 0 ? true : undefined));
  await stop();
  assert.deepEqual(await of('last', 1), ['create Service']);
  assert.equal(watch.report().waiting, 0);
});

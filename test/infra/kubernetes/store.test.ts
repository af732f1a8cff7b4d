import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { Journal } from '../../../infra/local/kubernetes/journal.ts';
import { listAt, type JsonObject } from '../../../infra/local/kubernetes/json.ts';
import { Store, type Stored } from '../../../infra/local/kubernetes/store.ts';
import { temporaryDirectory } from './stand.ts';

const KIND = '/configmaps';

async function open(t: TestContext): Promise<{ store: Store; directory: string }> {
  const directory = await temporaryDirectory(t);
  const store = new Store(new Journal(directory));
  t.after(() => store.close());
  return { store, directory };
}

const object = (namespace: string, name: string, service = ''): JsonObject => ({
  metadata: { namespace, name, ...(service === '' ? {} : { labels: { 'kubernetes.io/service-name': service } }) },
});

const names = (list: readonly Stored[]): readonly string[] => list.map((item) => `${item.namespace}/${item.name}`);

test('the history forgets its oldest changes and says so', async (t) => {
  const { store } = await open(t);
  const start = store.resourceVersion;
  for (let index = 0; index < 20_001; index++) store.put(KIND, object('a', 'x'));
  assert.equal(store.since(KIND, start), undefined);
  assert.equal(store.since(KIND, store.resourceVersion - 10_001), undefined);
  assert.equal(store.since(KIND, store.resourceVersion - 10_000)?.length, 10_000);
  assert.equal(store.since('/secrets', store.resourceVersion - 10)?.length, 0);
});

const write = fc.record({
  namespace: fc.constantFrom('a', 'b'),
  name: fc.constantFrom('x', 'y', 'z'),
  service: fc.constantFrom('', 'web', 'api'),
  remove: fc.boolean(),
});

test('after any writes, indexes, lists and a restart agree with a plain map', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(write, { maxLength: 30 }), async (writes) => {
      const { store, directory } = await open(t);
      const model = new Map<string, string>();
      for (const { namespace, name, service, remove } of writes) {
        const old = store.get(KIND, namespace, name);
        if (remove && old !== undefined) store.remove(KIND, old);
        if (!remove) store.put(KIND, object(namespace, name, service));
        if (remove) model.delete(`${namespace}/${name}`);
        else model.set(`${namespace}/${name}`, service);
      }
      store.close();
      const restarted = new Store(new Journal(directory));
      for (const one of [store, restarted]) {
        const keys = [...model.keys()].toSorted();
        assert.deepEqual(names(one.list(KIND)), keys);
        assert.deepEqual(
          names(one.list(KIND, 'b')),
          keys.filter((key) => key.startsWith('b/')),
        );
        const labelled = keys.filter((key) => key.startsWith('a/') && model.get(key) === 'web');
        assert.deepEqual(names(one.listByLabel(KIND, 'a', 'web')), labelled);
      }
      assert.equal(restarted.resourceVersion, store.resourceVersion);
      assert.deepEqual(
        restarted.list(KIND).map((item) => item.json),
        store.list(KIND).map((item) => item.json),
      );
      restarted.close();
    }),
    { numRuns: 60 },
  );
});

test('what is stored is not changed by later writes', async (t) => {
  const { store } = await open(t);
  const first = store.put(KIND, { ...object('a', 'x'), data: { list: [1] } });
  const text = first.json;
  store.put(KIND, { ...object('a', 'x'), data: { list: [2] } });
  assert.equal(first.json, text);
  assert.deepEqual(listAt(first.object, 'data', 'list'), [1]);
});

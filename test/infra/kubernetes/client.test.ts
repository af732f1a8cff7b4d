import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import {
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  KubernetesObjectApi,
  makeInformer,
  NetworkingV1Api,
  PatchStrategy,
  type V1Ingress,
} from '@kubernetes/client-node';
import { eventually, stand } from './stand.ts';

async function connect(t: TestContext): Promise<KubeConfig> {
  const kubernetes = await stand(t, { tls: true });
  const config = new KubeConfig();
  config.loadFromFile(kubernetes.kubeconfig);
  return config;
}

function ingress(name: string, host: string): V1Ingress {
  const backend = { service: { name: 'web', port: { number: 80 } } };
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, namespace: 'default' },
    spec: { rules: [{ host, http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }] },
  };
}

test('typed clients create, read, replace, list in pages and delete', async (t) => {
  const api = (await connect(t)).makeApiClient(NetworkingV1Api);
  const namespace = 'default';
  for (const name of ['a', 'b', 'c'])
    await api.createNamespacedIngress({ namespace, body: ingress(name, 'a.example') });
  const read = await api.readNamespacedIngress({ namespace, name: 'a' });
  assert.ok(read.metadata?.creationTimestamp instanceof Date);
  const changed = ingress('a', 'b.example');
  changed.metadata = read.metadata ?? {};
  const replaced = await api.replaceNamespacedIngress({
    namespace,
    name: 'a',
    body: changed,
  });
  assert.equal(replaced.spec?.rules?.[0]?.host, 'b.example');
  await assert.rejects(api.replaceNamespacedIngress({ namespace, name: 'a', body: read }), /HTTP-Code: 409/);
  const first = await api.listIngressForAllNamespaces({ limit: 2 });
  const { _continue: token = '' } = first.metadata ?? {};
  const second = await api.listIngressForAllNamespaces({ limit: 2, _continue: token });
  assert.deepEqual(
    [...first.items, ...second.items].map((item) => item.metadata?.name),
    ['a', 'b', 'c'],
  );
  const done = await api.deleteNamespacedIngress({ namespace, name: 'a' });
  assert.equal(done.status, 'Success');
  await assert.rejects(api.readNamespacedIngress({ namespace, name: 'a' }), /HTTP-Code: 404/);
});

test('the object client applies server-side, patches and deletes what discovery names', async (t) => {
  const api = KubernetesObjectApi.makeApiClient(await connect(t));
  const apply = (object: V1Ingress): Promise<V1Ingress> =>
    api.patch(object, undefined, undefined, 'test', true, PatchStrategy.ServerSideApply);
  assert.equal((await apply(ingress('web', 'a.example'))).metadata?.generation, 1);
  assert.equal((await apply(ingress('web', 'b.example'))).metadata?.generation, 2);
  assert.equal((await apply(ingress('web', 'b.example'))).metadata?.generation, 2);
  const plugin = {
    apiVersion: 'configuration.konghq.com/v1',
    kind: 'KongPlugin',
    metadata: { name: 'p', namespace: 'default' },
  };
  await api.create({ ...plugin, plugin: 'cors' });
  await api.patch({ ...plugin, plugin: 'acl' }, undefined, undefined, undefined, undefined, PatchStrategy.MergePatch);
  const read = await api.read<typeof plugin & { plugin?: string }>(plugin);
  assert.equal(read.plugin, 'acl');
  await api.delete(plugin);
  await assert.rejects(api.read(plugin), /HTTP-Code: 404/);
});

test('custom resources have a status that is patched alone', async (t) => {
  const config = await connect(t);
  const api = config.makeApiClient(CustomObjectsApi);
  const where = { group: 'configuration.konghq.com', version: 'v1', namespace: 'default', plural: 'kongconsumers' };
  const body = {
    apiVersion: 'configuration.konghq.com/v1',
    kind: 'KongConsumer',
    metadata: { name: 'c' },
    username: 'c',
  };
  await api.createNamespacedCustomObject({ ...where, body });
  const status = { conditions: [{ type: 'Programmed', status: 'True' }] };
  await api.patchNamespacedCustomObjectStatus({
    ...where,
    name: 'c',
    body: [{ op: 'add', path: '/status', value: status }],
  });
  const read: unknown = await api.getNamespacedCustomObject({ ...where, name: 'c' });
  assert.ok(typeof read === 'object' && read !== null && 'status' in read);
  assert.deepEqual(read.status, status);
});

test('an informer sees what comes, changes and goes', async (t) => {
  const config = await connect(t);
  const api = config.makeApiClient(CoreV1Api);
  const namespace = 'default';
  await api.createNamespacedConfigMap({ namespace, body: { metadata: { name: 'a' } } });
  const seen: string[] = [];
  const informer = makeInformer(config, '/api/v1/namespaces/default/configmaps', () =>
    api.listNamespacedConfigMap({ namespace }),
  );
  informer.on('add', (object) => seen.push(`add ${object.metadata?.name}`));
  informer.on('update', (object) => seen.push(`update ${object.metadata?.name}`));
  informer.on('delete', (object) => seen.push(`delete ${object.metadata?.name}`));
  await informer.start();
  t.after(() => informer.stop());
  await api.createNamespacedConfigMap({ namespace, body: { metadata: { name: 'b' } } });
  await api.replaceNamespacedConfigMap({ namespace, name: 'b', body: { metadata: { name: 'b' }, data: { x: '1' } } });
  await api.deleteNamespacedConfigMap({ namespace, name: 'b' });
  const all = ['add a', 'add b', 'update b', 'delete b'];
  await eventually(() => (seen.length >= all.length ? true : undefined));
  assert.deepEqual(seen, all);
});

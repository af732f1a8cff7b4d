import type { KubernetesObject } from '@kubernetes/client-node';
import { selfSigned } from '../certificate.ts';
import type { Stack } from '../stack.ts';
import type { Backend } from './backends.ts';
import { readManifest, type Cluster } from './cluster.ts';
import type { Step } from './journey.ts';
import { until } from './meter.ts';
import { hostIngress } from './objects.ts';
import { send } from './probe.ts';
import { isGone, reaches } from './proofs.ts';

/** What the steps act on. */
export interface ShopTools {
  readonly stack: Stack;
  readonly cluster: Cluster;
  readonly backends: readonly Backend[];
}

const MANIFEST = new URL('shop.yaml', import.meta.url);
/** Objects of the manifest whose changes matter: all but the Namespace. */
const EVENTS = 10;

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** The shop's objects, with the ports of the backends and a fresh certificate filled in. */
export async function shopObjects(backends: readonly Backend[]): Promise<readonly KubernetesObject[]> {
  const pair = await selfSigned(['shop.example']);
  const port = (name: string): string => String(backends.find((backend) => backend.name === name)?.port);
  return readManifest(MANIFEST, {
    WEB_PORT: port('web'),
    API_PORT: port('api'),
    ASSETS_PORT: port('assets'),
    TLS_CERTIFICATE: base64(pair.certificate),
    TLS_KEY: base64(pair.key),
  });
}

function find(objects: readonly KubernetesObject[], kind: string, name: string): KubernetesObject {
  const found = objects.find((object) => object.kind === kind && object.metadata?.name === name);
  if (found === undefined) throw new Error(`the demo's manifest has no ${kind} ${name}`);
  return found;
}

/** A copy of an object with one text in it replaced. */
function replaced(object: KubernetesObject, from: string, to: string): KubernetesObject {
  const copy: KubernetesObject = JSON.parse(JSON.stringify(object).replaceAll(from, to));
  return copy;
}

async function createUnseen({ stack, cluster }: ShopTools, ingress: KubernetesObject): Promise<void> {
  const before = stack.cloud.counters().dropped;
  stack.cloud.dropNextEvents(1);
  await cluster.apply(ingress);
  await until('the event that is lost on purpose', 30_000, () =>
    stack.cloud.counters().dropped > before ? true : undefined,
  );
  const [proxy] = stack.kong.proxies;
  const answer = proxy && (await send(proxy.http, { scheme: 'http', host: 'late.shop.example', path: '/' }));
  if (answer?.status !== 404) throw new Error('the lost event was not lost');
}

/** The demo's steps on the shop of shop.yaml. */
export async function shop(tools: ShopTools): Promise<readonly Step[]> {
  const { cluster, backends } = tools;
  const objects = await shopObjects(backends);
  const ingress = find(objects, 'Ingress', 'shop');
  const slice = find(objects, 'EndpointSlice', 'web-1');
  const [web, , , webNew] = backends;
  return [
    {
      name: 'a shop appears',
      expectedEvents: EVENTS,
      act: () => cluster.apply(...objects),
      proofs: [
        reaches('http://shop.example/', 'web', '/'),
        reaches('https://shop.example/cart', 'web', '/cart'),
        reaches('http://shop.example/api/orders', 'api', '/api/orders'),
        reaches('http://assets.shop.example/static/logo.png', 'assets', '/logo.png'),
      ],
    },
    {
      name: 'a path moves: /api to /v2',
      expectedEvents: 1,
      act: () => cluster.apply(replaced(ingress, '"/api"', '"/v2"')),
      proofs: [reaches('http://shop.example/v2/orders', 'api'), reaches('http://shop.example/api/orders', 'web')],
    },
    {
      name: 'a pod is replaced',
      expectedEvents: 1,
      act: () => cluster.apply(replaced(slice, `"port":${web?.port}`, `"port":${webNew?.port}`)),
      proofs: [reaches('https://shop.example/', 'web-new'), reaches('http://shop.example/v2', 'api')],
    },
    {
      name: 'an Ingress is deleted',
      expectedEvents: 1,
      act: () => cluster.remove(find(objects, 'Ingress', 'assets')),
      proofs: [isGone('http://assets.shop.example/static/logo.png'), reaches('http://shop.example/', 'web-new')],
    },
    {
      name: 'an event is lost, reconcile finds it',
      expectedEvents: 1,
      reconcile: true,
      act: () => createUnseen(tools, hostIngress('late', 'late.shop.example', '/')),
      proofs: [reaches('http://late.shop.example/', 'web-new'), reaches('https://shop.example/', 'web-new')],
    },
  ];
}

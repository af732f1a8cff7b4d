import type { ChangeEvent } from '../../shared/events.ts';
import type { KubernetesObject } from '../../shared/kubernetes/resources.ts';
import { reconcile } from '../../shared/reconcile.ts';
import type { MemoryCluster } from '../support/cluster.ts';
import type { ControlPlane } from '../support/control-plane.ts';
import { consumer, endpoints, ingress, INGRESS_CLASS, plugin, service } from '../support/manifests.ts';
import { tlsSecret } from '../support/tls.ts';

/** Ingresses that share a plugin. */
const SHARERS = 50;

/** A change of a cluster, and what it may cost at most. */
export interface MeasuredChange {
  readonly name: string;
  /** Changes the cluster; `time` counts from 0, and no two times are the same change. */
  readonly act: (cluster: MemoryCluster, time: number) => Promise<ChangeEvent>;
  /** Undefined where nothing is promised but that it is the same at any size (DESIGN §9). */
  readonly limits?: { readonly requests: number; readonly statements: number };
}

/** One changed Ingress. */
const ONE = { requests: 12, statements: 8 };
/** An EndpointSlice: six, and one for each target that comes or goes. */
const ONE_TARGET_REPLACED = { requests: 6 + 2, statements: 8 };

function annotated(plugins: string): { readonly annotations: Readonly<Record<string, string>> } {
  return { annotations: { 'konghq.com/plugins': plugins } };
}

/** What is measured, in this order: the last ones undo what earlier ones did. */
export const CHANGES: readonly MeasuredChange[] = [
  {
    name: 'an edited Ingress',
    act: async (cluster, time) => cluster.put(ingress('edited', [`edited.test /${time} echo 80`])),
    limits: ONE,
  },
  {
    name: 'a new Ingress',
    act: async (cluster, time) => cluster.put(ingress(`new-${time}`, [`new-${time}.test / echo 80`])),
    limits: ONE,
  },
  {
    name: 'a new Ingress to a Service that had none',
    act: async (cluster, time) => {
      cluster.put(service(`own-${time}`));
      cluster.put(endpoints(`own-${time}`, ['10.3.0.1', '10.3.0.2']));
      return cluster.put(ingress(`own-${time}`, [`own-${time}.test / own-${time} 80`]));
    },
    limits: ONE,
  },
  {
    name: 'an EndpointSlice, one of two targets replaced',
    act: async (cluster, time) => cluster.put(endpoints('own', ['10.2.0.1', `10.2.1.${time + 1}`])),
    limits: ONE_TARGET_REPLACED,
  },
  { name: 'a rotated Secret', act: async (cluster) => cluster.put(await tlsSecret('tls', 'own.test')), limits: ONE },
  {
    name: 'a consumer with a plugin',
    act: async (cluster, time) => cluster.put(consumer('ann', 'limits', { custom_id: `number-${time}` })),
    limits: ONE,
  },
  {
    name: 'a plugin of an Ingress and a consumer',
    act: async (cluster, time) => cluster.put(plugin('limits', { minute: time + 1 })),
    limits: ONE,
  },
  {
    name: `a plugin of ${SHARERS} Ingresses`,
    act: async (cluster, time) => cluster.put(plugin('shared', { minute: time + 1 })),
  },
  {
    name: 'a deleted Ingress',
    act: async (cluster, time) => cluster.remove('Ingress', 'default', `new-${time}`),
    limits: ONE,
  },
  {
    name: 'a deleted Ingress, the last one of its Service',
    act: async (cluster, time) => cluster.remove('Ingress', 'default', `own-${time}`),
    limits: ONE,
  },
];

export async function objects(): Promise<readonly KubernetesObject[]> {
  return [
    INGRESS_CLASS,
    ...['echo', 'own'].map((name) => service(name)),
    endpoints('echo', ['10.0.0.1', '10.0.0.2']),
    endpoints('own', ['10.2.0.1', '10.2.0.2']),
    await tlsSecret('tls', 'own.test'),
    plugin('limits', { minute: 1_000 }),
    plugin('shared', { minute: 1_000 }),
    ingress('edited', ['edited.test / echo 80']),
    ingress('own', ['own.test / own 80'], { tlsSecret: 'tls' }),
    ingress('limited', ['limited.test / echo 80'], annotated('limits')),
    consumer('ann', 'limits'),
    ...Array.from({ length: SHARERS }, (_, n) =>
      ingress(`shared-${n}`, [`shared.test /${n} echo 80`], annotated('shared')),
    ),
  ];
}

/** Puts what will be changed into the cluster, the index and Kong. */
export async function start({ cluster, dependencies }: ControlPlane): Promise<void> {
  for (const object of await objects()) cluster.put(object);
  const list = async () => ({ objects: cluster.objects(), requests: 1 });
  await reconcile({ dependencies, list, remainingMs: () => 600_000, force: true });
}

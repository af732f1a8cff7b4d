import { readFile } from 'node:fs/promises';
import { KubeConfig, KubernetesObjectApi, PatchStrategy, type KubernetesObject } from '@kubernetes/client-node';
import { parseAllDocuments } from 'yaml';

/** Writes objects into the cluster that a kubeconfig names, as `kubectl apply --server-side` and `kubectl delete` do. */
export interface Cluster {
  apply(...objects: readonly KubernetesObject[]): Promise<void>;
  remove(...objects: readonly KubernetesObject[]): Promise<void>;
  /** The object as it stands. Rejects when it is not there. */
  read(object: KubernetesObject): Promise<KubernetesObject>;
}

const FIELD_MANAGER = 'kong-ingress-functions-demo';

export function connectCluster(kubeconfig: string): Cluster {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const api = KubernetesObjectApi.makeApiClient(config);
  return {
    async apply(...objects) {
      for (const object of objects) {
        await api.patch(object, undefined, undefined, FIELD_MANAGER, true, PatchStrategy.ServerSideApply);
      }
    },
    async remove(...objects) {
      for (const object of objects) await api.delete(object);
    },
    read({ apiVersion = '', kind = '', metadata }) {
      const { name = '', namespace = '' } = metadata ?? {};
      return api.read({ apiVersion, kind, metadata: { name, namespace } });
    },
  };
}

/** Reads a manifest of several documents and fills in `${NAME}` from `values`. Throws when a name has no value. */
export async function readManifest(
  file: URL,
  values: Readonly<Record<string, string>>,
): Promise<readonly KubernetesObject[]> {
  const text = (await readFile(file, 'utf8'))
    .replaceAll(/^#.*$/gm, '')
    .replaceAll(/\$\{(\w+)\}/g, (_, name: string) => {
      const value = values[name];
      if (value === undefined) throw new Error(`${file.pathname}: no value for \${${name}}`);
      return value;
    });
  return parseAllDocuments(text).map((document): KubernetesObject => document.toJS());
}

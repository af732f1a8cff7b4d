import type { KubernetesObject } from '@kubernetes/client-node';

/** A Kubernetes object of any kind with its spec and data, as manifests have them. */
export type Manifest = KubernetesObject & { readonly [field: string]: unknown };

/** An Ingress of the shop's namespace that sends one host's paths under `path` to the Service `web`. */
export function hostIngress(name: string, host: string, path: string): Manifest {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, namespace: 'shop' },
    spec: {
      ingressClassName: 'kong',
      rules: [
        {
          host,
          http: {
            paths: [{ path, pathType: 'Prefix', backend: { service: { name: 'web', port: { name: 'http' } } } }],
          },
        },
      ],
    },
  };
}

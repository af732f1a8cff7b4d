import type { EndpointSlice, Ingress, KubernetesObject, Service } from '../../shared/kubernetes/resources.ts';

export interface IngressOptions {
  readonly namespace?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly createdAt?: string;
  readonly className?: string;
  readonly tlsSecret?: string;
  readonly defaultBackend?: { readonly service: string; readonly port: number };
}

/** An Ingress of class kong: each rule is `host path service port`. */
export function ingress(name: string, rules: readonly string[], options: IngressOptions = {}): Ingress {
  const { namespace = 'default', annotations, createdAt, className = 'kong', tlsSecret, defaultBackend } = options;
  const parsed = rules.map((rule) => {
    const [host = '', path = '/', backend = 'echo', port = '80'] = rule.split(' ');
    return { host, path, backend, port: Number(port) };
  });
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: {
      name,
      namespace,
      ...(annotations === undefined ? {} : { annotations }),
      ...(createdAt === undefined ? {} : { creationTimestamp: createdAt }),
    },
    spec: {
      ingressClassName: className,
      ...(defaultBackend === undefined
        ? {}
        : { defaultBackend: { service: { name: defaultBackend.service, port: { number: defaultBackend.port } } } }),
      ...(tlsSecret === undefined ? {} : { tls: [{ hosts: parsed.map(({ host }) => host), secretName: tlsSecret }] }),
      rules: parsed.map(({ host, path, backend, port }) => ({
        host,
        http: {
          paths: [
            { path, pathType: 'Prefix' as const, backend: { service: { name: backend, port: { number: port } } } },
          ],
        },
      })),
    },
  };
}

/** A Service with one port, 80 → 8080 unless told otherwise. */
export function service(name: string, port = 80, annotations?: Readonly<Record<string, string>>): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'default', ...(annotations === undefined ? {} : { annotations }) },
    spec: { type: 'ClusterIP', clusterIP: '10.96.0.10', ports: [{ port, protocol: 'TCP', targetPort: 8080 }] },
  };
}

/** An EndpointSlice of a Service; `name` unless it is the Service's only one. */
export function endpoints(of: string, addresses: readonly string[], name = `${of}-a`): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name, namespace: 'default', labels: { 'kubernetes.io/service-name': of } },
    addressType: 'IPv4',
    endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
    ports: [{ port: 8080, protocol: 'TCP' }],
  };
}

/** The class that the Ingresses name. */
export const INGRESS_CLASS: KubernetesObject & { readonly spec: { readonly controller: string } } = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'IngressClass',
  metadata: { name: 'kong' },
  spec: { controller: 'ingress-controllers.konghq.com/kong' },
};

/** A KongConsumer of class kong, with a plugin if one is named. */
export function consumer(name: string, plugins?: string, fields: object = {}): KubernetesObject {
  const annotations = {
    'kubernetes.io/ingress.class': 'kong',
    ...(plugins === undefined ? {} : { 'konghq.com/plugins': plugins }),
  };
  const object = {
    apiVersion: 'configuration.konghq.com/v1',
    kind: 'KongConsumer',
    metadata: { name, namespace: 'default', annotations },
    username: name,
    ...fields,
  };
  return object;
}

/** A KongPlugin that limits rates. */
export function plugin(name: string, config: Readonly<Record<string, number>>): KubernetesObject {
  const object = {
    apiVersion: 'configuration.konghq.com/v1',
    kind: 'KongPlugin',
    metadata: { name, namespace: 'default' },
    plugin: 'rate-limiting',
    config: { ...config, policy: 'local' },
  };
  return object;
}

/** The class of the suites' Gateways, as one that nobody else manages. */
export const CLASS = `
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: { name: kong-statuses, annotations: { konghq.com/gatewayclass-unmanaged: "true" } }
spec: { controllerName: konghq.com/kic-gateway-controller }
---
`;

/** Namespaces of the suites, the second one with the label `team: b`. */
export const NAMESPACES = `
apiVersion: v1
kind: Namespace
metadata: { name: statuses-a }
---
apiVersion: v1
kind: Namespace
metadata: { name: statuses-b, labels: { team: b } }
---
`;

/** A Service with one port. */
export function service(name: string, namespace = 'statuses-a', annotations = '{}'): string {
  return `
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: ${namespace}, annotations: ${annotations} }
spec: { ports: [{ name: http, port: 80 }] }
---
`;
}

/** A Gateway of the class with these listeners, each a YAML flow mapping. */
export function gateway(name: string, ...listeners: readonly string[]): string {
  return `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: ${name}, namespace: statuses-a }
spec:
  gatewayClassName: kong-statuses
  listeners:
${listeners.map((listener) => `    - ${listener}`).join('\n')}
---
`;
}

/** A route of any kind of the Gateway API; `spec` is YAML, each line indented by two. */
export function route(kind: string, name: string, spec: string, namespace = 'statuses-a'): string {
  const version = kind === 'HTTPRoute' || kind === 'GRPCRoute' ? 'v1' : 'v1alpha2';
  return `
apiVersion: gateway.networking.k8s.io/${version}
kind: ${kind}
metadata: { name: ${name}, namespace: ${namespace} }
spec:
${spec}
---
`;
}

/** An Ingress of class kong to `service`. */
export function ingress(name: string, host: string, backend = 'echo', className = 'kong'): string {
  return `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: ${name}, namespace: statuses-a }
spec:
  ingressClassName: ${className}
  rules:
    - host: ${host}
      http:
        paths: [{ path: /, pathType: Prefix, backend: { service: { name: ${backend}, port: { number: 80 } } } }]
---
`;
}

import type * as Gateways from './gateway-resources.ts';
import type * as Kong from './kong-resources.ts';

/** Types of the Kubernetes objects that the functions read: only the fields they use, as the API server serves them (JSON). */

/** Identifies one object in one cluster. `group` is `''` for core kinds, `namespace` is `''` for cluster-scoped kinds. */
export interface ObjectRef {
  readonly cluster: string;
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  /** RFC 3339, as the API server writes it. */
  readonly creationTimestamp?: string;
  /** Set while the object is being deleted; such an object counts as gone (KIC §1.1). */
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
}

export interface ServiceBackendPort {
  readonly name?: string;
  readonly number?: number;
}

export interface IngressBackend {
  readonly service?: { readonly name: string; readonly port?: ServiceBackendPort };
  readonly resource?: { readonly apiGroup?: string; readonly kind: string; readonly name: string };
}

export interface IngressPath {
  readonly path?: string;
  readonly pathType?: 'Exact' | 'Prefix' | 'ImplementationSpecific';
  readonly backend: IngressBackend;
}

export interface IngressRule {
  readonly host?: string;
  readonly http?: { readonly paths: readonly IngressPath[] };
}

export interface Ingress extends KubernetesObject {
  readonly kind: 'Ingress';
  readonly spec?: {
    readonly ingressClassName?: string;
    readonly defaultBackend?: IngressBackend;
    readonly tls?: readonly { readonly hosts?: readonly string[]; readonly secretName?: string }[];
    readonly rules?: readonly IngressRule[];
  };
}

export interface IngressClass extends KubernetesObject {
  readonly kind: 'IngressClass';
  readonly spec?: {
    readonly controller?: string;
    readonly parameters?: {
      readonly apiGroup?: string;
      readonly kind: string;
      readonly name: string;
      readonly namespace?: string;
      readonly scope?: string;
    };
  };
}

export interface IngressClassParameters extends KubernetesObject {
  readonly kind: 'IngressClassParameters';
  readonly spec?: { readonly serviceUpstream?: boolean; readonly enableLegacyRegexDetection?: boolean };
}

export interface ServicePort {
  readonly name?: string;
  readonly port: number;
  readonly protocol?: string;
  readonly targetPort?: number | string;
}

export interface Service extends KubernetesObject {
  readonly kind: 'Service';
  readonly spec?: {
    readonly type?: string;
    readonly externalName?: string;
    readonly clusterIP?: string;
    readonly ports?: readonly ServicePort[];
  };
}

export interface Endpoint {
  readonly addresses: readonly string[];
  readonly conditions?: { readonly ready?: boolean; readonly serving?: boolean; readonly terminating?: boolean };
  readonly targetRef?: { readonly kind?: string; readonly namespace?: string; readonly name?: string };
}

export interface EndpointSlice extends KubernetesObject {
  readonly kind: 'EndpointSlice';
  readonly addressType?: string;
  readonly endpoints?: readonly Endpoint[];
  readonly ports?: readonly EndpointPort[];
}

export interface EndpointPort {
  readonly name?: string;
  readonly port?: number;
  readonly protocol?: string;
  readonly appProtocol?: string;
}

export interface Secret extends KubernetesObject {
  readonly kind: 'Secret';
  readonly type?: string;
  /** Values are base64. */
  readonly data?: Readonly<Record<string, string>>;
}

export interface ConfigMap extends KubernetesObject {
  readonly kind: 'ConfigMap';
  readonly data?: Readonly<Record<string, string>>;
}

/** Kind → type, for every kind that translation reads. Another kind is added here and in `kinds.ts`. */
export interface Resources {
  readonly Ingress: Ingress;
  readonly IngressClass: IngressClass;
  readonly IngressClassParameters: IngressClassParameters;
  readonly Service: Service;
  readonly EndpointSlice: EndpointSlice;
  readonly Secret: Secret;
  readonly ConfigMap: ConfigMap;
  readonly KongPlugin: Kong.KongPlugin;
  readonly KongClusterPlugin: Kong.KongClusterPlugin;
  readonly KongConsumer: Kong.KongConsumer;
  readonly KongConsumerGroup: Kong.KongConsumerGroup;
  readonly KongIngress: Kong.KongIngress;
  readonly TCPIngress: Kong.TCPIngress;
  readonly UDPIngress: Kong.UDPIngress;
  readonly KongUpstreamPolicy: Kong.KongUpstreamPolicy;
  readonly KongVault: Kong.KongVault;
  readonly KongLicense: Kong.KongLicense;
  readonly KongCustomEntity: Kong.KongCustomEntity;
  readonly KongServiceFacade: Kong.KongServiceFacade;
  readonly GatewayClass: Gateways.GatewayClass;
  readonly Gateway: Gateways.Gateway;
  readonly HTTPRoute: Gateways.HTTPRoute;
  readonly GRPCRoute: Gateways.GRPCRoute;
  readonly TCPRoute: Gateways.TCPRoute;
  readonly UDPRoute: Gateways.UDPRoute;
  readonly TLSRoute: Gateways.TLSRoute;
  readonly ReferenceGrant: Gateways.ReferenceGrant;
  readonly BackendTLSPolicy: Gateways.BackendTLSPolicy;
  readonly Namespace: Gateways.Namespace;
}

export type Kind = keyof Resources;

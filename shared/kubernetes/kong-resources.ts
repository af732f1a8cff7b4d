import type { Json } from '../kong/entities.ts';
import type { IngressBackend, KubernetesObject } from './resources.ts';

/** Types of Kong's custom resources: only the fields that translation reads. */

type JsonObject = { readonly [field: string]: Json };

export interface SecretKeyRef {
  readonly name: string;
  readonly key: string;
  /** KongClusterPlugin only. */
  readonly namespace?: string;
}

export interface PluginFields {
  readonly plugin: string;
  readonly config?: JsonObject;
  readonly configFrom?: { readonly secretKeyRef?: SecretKeyRef };
  readonly configPatches?: readonly {
    readonly path: string;
    readonly valueFrom: { readonly secretKeyRef: SecretKeyRef };
  }[];
  readonly disabled?: boolean;
  readonly protocols?: readonly string[];
  readonly ordering?: JsonObject;
  readonly instance_name?: string;
}

export interface KongPlugin extends KubernetesObject, PluginFields {
  readonly kind: 'KongPlugin';
}

export interface KongClusterPlugin extends KubernetesObject, PluginFields {
  readonly kind: 'KongClusterPlugin';
}

interface ControlPlaneRef {
  readonly type?: string;
}

export interface KongConsumer extends KubernetesObject {
  readonly kind: 'KongConsumer';
  readonly username?: string;
  readonly custom_id?: string;
  readonly credentials?: readonly string[];
  readonly consumerGroups?: readonly string[];
  readonly spec?: { readonly controlPlaneRef?: ControlPlaneRef };
}

export interface KongConsumerGroup extends KubernetesObject {
  readonly kind: 'KongConsumerGroup';
  readonly spec?: { readonly controlPlaneRef?: ControlPlaneRef };
}

/** Deprecated; only its upstream part counts. Fields are Kong's. */
export interface KongIngress extends KubernetesObject {
  readonly kind: 'KongIngress';
  readonly upstream?: JsonObject;
}

interface StreamBackend {
  readonly serviceName: string;
  readonly servicePort: number;
}

export interface TCPIngress extends KubernetesObject {
  readonly kind: 'TCPIngress';
  readonly spec?: {
    readonly rules?: readonly { readonly host?: string; readonly port: number; readonly backend: StreamBackend }[];
    readonly tls?: readonly { readonly hosts?: readonly string[]; readonly secretName?: string }[];
  };
}

export interface UDPIngress extends KubernetesObject {
  readonly kind: 'UDPIngress';
  readonly spec?: { readonly rules?: readonly { readonly port: number; readonly backend: StreamBackend }[] };
}

export interface UpstreamHash {
  readonly input?: string;
  readonly header?: string;
  readonly cookie?: string;
  readonly cookiePath?: string;
  readonly queryArg?: string;
  readonly uriCapture?: string;
}

export interface KongUpstreamPolicy extends KubernetesObject {
  readonly kind: 'KongUpstreamPolicy';
  readonly spec?: {
    readonly algorithm?: string;
    readonly slots?: number;
    readonly hashOn?: UpstreamHash;
    readonly hashOnFallback?: UpstreamHash;
    readonly stickySessions?: { readonly cookie?: string; readonly cookiePath?: string };
    readonly healthchecks?: {
      readonly active?: JsonObject;
      readonly passive?: JsonObject;
      readonly threshold?: number;
    };
  };
}

export interface KongVault extends KubernetesObject {
  readonly kind: 'KongVault';
  readonly spec?: {
    readonly backend: string;
    readonly prefix: string;
    readonly description?: string;
    readonly config?: JsonObject;
    readonly controlPlaneRef?: ControlPlaneRef;
  };
}

export interface KongLicense extends KubernetesObject {
  readonly kind: 'KongLicense';
  readonly rawLicenseString?: string;
  readonly enabled?: boolean;
}

export interface KongCustomEntity extends KubernetesObject {
  readonly kind: 'KongCustomEntity';
  readonly spec?: {
    readonly type: string;
    readonly controllerName?: string;
    readonly fields?: JsonObject;
    readonly parentRef?: {
      readonly group?: string;
      readonly kind?: string;
      readonly namespace?: string;
      readonly name: string;
    };
  };
}

export interface KongServiceFacade extends KubernetesObject {
  readonly kind: 'KongServiceFacade';
  readonly spec?: { readonly backendRef: { readonly name: string; readonly port?: number } };
}

export type FacadeBackend = NonNullable<IngressBackend['resource']>;

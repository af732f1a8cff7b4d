import type { KubernetesObject } from './resources.ts';

/** Types of the Gateway API's resources: only the fields that translation reads. */

export interface GatewayClass extends KubernetesObject {
  readonly kind: 'GatewayClass';
  readonly spec?: { readonly controllerName?: string };
}

interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

export interface Listener {
  readonly name: string;
  readonly protocol: string;
  readonly port: number;
  readonly hostname?: string;
  readonly tls?: {
    readonly mode?: string;
    readonly certificateRefs?: readonly {
      readonly group?: string;
      readonly kind?: string;
      readonly namespace?: string;
      readonly name: string;
    }[];
  };
  readonly allowedRoutes?: {
    readonly namespaces?: { readonly from?: string; readonly selector?: LabelSelector };
    readonly kinds?: readonly { readonly group?: string; readonly kind: string }[];
  };
}

export interface Gateway extends KubernetesObject {
  readonly kind: 'Gateway';
  readonly spec?: { readonly gatewayClassName?: string; readonly listeners?: readonly Listener[] };
}

export interface ParentRef {
  readonly group?: string;
  readonly kind?: string;
  readonly namespace?: string;
  readonly name: string;
  readonly sectionName?: string;
  readonly port?: number;
}

export interface BackendRef {
  readonly group?: string;
  readonly kind?: string;
  readonly namespace?: string;
  readonly name: string;
  readonly port?: number;
  readonly weight?: number;
}

export interface HeaderValue {
  readonly name: string;
  readonly value: string;
}

export interface HeaderModifier {
  readonly set?: readonly HeaderValue[];
  readonly add?: readonly HeaderValue[];
  readonly remove?: readonly string[];
}

export interface PathModifier {
  readonly type: string;
  readonly replaceFullPath?: string;
  readonly replacePrefixMatch?: string;
}

export interface RouteFilter {
  readonly type: string;
  readonly requestHeaderModifier?: HeaderModifier;
  readonly responseHeaderModifier?: HeaderModifier;
  readonly requestRedirect?: {
    readonly scheme?: string;
    readonly hostname?: string;
    readonly path?: PathModifier;
    readonly port?: number;
    readonly statusCode?: number;
  };
  readonly urlRewrite?: { readonly hostname?: string; readonly path?: PathModifier };
  readonly extensionRef?: { readonly group: string; readonly kind: string; readonly name: string };
}

export interface ValueMatch {
  readonly type?: string;
  readonly name: string;
  readonly value: string;
}

export interface HTTPRouteMatch {
  readonly path?: { readonly type?: string; readonly value?: string };
  readonly headers?: readonly ValueMatch[];
  readonly queryParams?: readonly ValueMatch[];
  readonly method?: string;
}

export interface HTTPBackendRef extends BackendRef {
  readonly filters?: readonly RouteFilter[];
}

export interface HTTPRouteRule {
  readonly name?: string;
  readonly matches?: readonly HTTPRouteMatch[];
  readonly filters?: readonly RouteFilter[];
  readonly backendRefs?: readonly HTTPBackendRef[];
  readonly timeouts?: { readonly request?: string; readonly backendRequest?: string };
}

interface RouteSpec<Rule> {
  readonly parentRefs?: readonly ParentRef[];
  readonly hostnames?: readonly string[];
  readonly rules?: readonly Rule[];
}

export interface HTTPRoute extends KubernetesObject {
  readonly kind: 'HTTPRoute';
  readonly spec?: RouteSpec<HTTPRouteRule>;
}

export interface GRPCRouteMatch {
  readonly method?: { readonly type?: string; readonly service?: string; readonly method?: string };
  readonly headers?: readonly ValueMatch[];
}

export interface GRPCRouteRule {
  readonly name?: string;
  readonly matches?: readonly GRPCRouteMatch[];
  readonly filters?: readonly RouteFilter[];
  readonly backendRefs?: readonly HTTPBackendRef[];
}

export interface GRPCRoute extends KubernetesObject {
  readonly kind: 'GRPCRoute';
  readonly spec?: RouteSpec<GRPCRouteRule>;
}

export interface StreamRule {
  readonly name?: string;
  readonly backendRefs?: readonly BackendRef[];
}

export interface TCPRoute extends KubernetesObject {
  readonly kind: 'TCPRoute';
  readonly spec?: RouteSpec<StreamRule>;
}

export interface UDPRoute extends KubernetesObject {
  readonly kind: 'UDPRoute';
  readonly spec?: RouteSpec<StreamRule>;
}

export interface TLSRoute extends KubernetesObject {
  readonly kind: 'TLSRoute';
  readonly spec?: RouteSpec<StreamRule>;
  readonly status?: { readonly parents?: readonly { readonly parentRef: ParentRef }[] };
}

/** Every kind of route that attaches to a Gateway. */
export type GatewayRoute = HTTPRoute | GRPCRoute | TCPRoute | UDPRoute | TLSRoute;

export interface ReferenceGrant extends KubernetesObject {
  readonly kind: 'ReferenceGrant';
  readonly spec?: {
    readonly from?: readonly { readonly group: string; readonly kind: string; readonly namespace: string }[];
    readonly to?: readonly { readonly group: string; readonly kind: string; readonly name?: string }[];
  };
}

export interface BackendTLSPolicy extends KubernetesObject {
  readonly kind: 'BackendTLSPolicy';
  readonly spec?: {
    readonly targetRefs?: readonly {
      readonly group?: string;
      readonly kind: string;
      readonly name: string;
      readonly sectionName?: string;
    }[];
    readonly validation?: {
      readonly hostname?: string;
      readonly caCertificateRefs?: readonly { readonly group?: string; readonly kind: string; readonly name: string }[];
      readonly wellKnownCACertificates?: string;
      readonly subjectAltNames?: readonly unknown[];
    };
    readonly options?: Readonly<Record<string, string>>;
  };
}

export interface Namespace extends KubernetesObject {
  readonly kind: 'Namespace';
}

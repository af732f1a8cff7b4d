import type { Kind } from './resources.ts';

/** What the API server calls a kind, and what part it has here. */
export interface KindInfo {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly namespaced: boolean;
  /** Objects of this kind can produce Kong entities (DESIGN "root"); the others are only read by roots. */
  readonly root: boolean;
  /** Built into every API server; a kind that is not may be absent (CRD not installed). */
  readonly core: boolean;
}

export const KINDS: { readonly [K in Kind]: KindInfo } = {
  Ingress: { group: 'networking.k8s.io', version: 'v1', plural: 'ingresses', namespaced: true, root: true, core: true },
  IngressClass: {
    group: 'networking.k8s.io',
    version: 'v1',
    plural: 'ingressclasses',
    namespaced: false,
    root: false,
    core: true,
  },
  IngressClassParameters: {
    group: 'configuration.konghq.com',
    version: 'v1alpha1',
    plural: 'ingressclassparameterses',
    namespaced: true,
    root: false,
    core: false,
  },
  Service: { group: '', version: 'v1', plural: 'services', namespaced: true, root: false, core: true },
  EndpointSlice: {
    group: 'discovery.k8s.io',
    version: 'v1',
    plural: 'endpointslices',
    namespaced: true,
    root: false,
    core: true,
  },
  Secret: { group: '', version: 'v1', plural: 'secrets', namespaced: true, root: false, core: true },
  ConfigMap: { group: '', version: 'v1', plural: 'configmaps', namespaced: true, root: false, core: true },
};

/** Whether these functions know a kind of this name. */
export function isKind(name: string): name is Kind {
  return Object.hasOwn(KINDS, name);
}

import type { Queries, QueryKind } from './keys.ts';

/** What part of a kind to list: a namespace (`''` for all) and a label selector. */
export interface Selection {
  readonly namespace: string;
  readonly labelSelector?: string;
}

function split(fullName: string): readonly [namespace: string, name: string] {
  const slash = fullName.indexOf('/');
  return [fullName.slice(0, Math.max(slash, 0)), fullName.slice(slash + 1)];
}

/** The part of a kind that a query's answer is in; which of its objects are the answer, `providedKeys` says. */
function wholeKind(): Selection {
  return { namespace: '' };
}

function namespaceOf({ service }: { readonly service: string }): Selection {
  return { namespace: split(service)[0] };
}

const SELECTIONS: { readonly [K in QueryKind]: (query: Queries[K]) => Selection } = {
  EndpointSlice: ({ service }) => {
    const [namespace, name] = split(service);
    return { namespace, labelSelector: `kubernetes.io/service-name=${name}` };
  },
  ReferenceGrant: ({ namespace }) => ({ namespace }),
  BackendTLSPolicy: namespaceOf,
  KongConsumer: wholeKind,
  KongConsumerGroup: wholeKind,
  Service: wholeKind,
  KongServiceFacade: wholeKind,
  Ingress: wholeKind,
  TCPIngress: wholeKind,
  UDPIngress: wholeKind,
  HTTPRoute: wholeKind,
  GRPCRoute: wholeKind,
  TCPRoute: wholeKind,
  UDPRoute: wholeKind,
  TLSRoute: wholeKind,
};

/** Kinds whose answers no selector finds, so that the whole kind has to be listed unless somebody knows the members. */
export const UNSELECTABLE: readonly string[] = Object.entries(SELECTIONS).flatMap(([kind, selection]) =>
  selection === wholeKind ? [kind] : [],
);

/** How the API server is asked for a query's answer. Pure. */
export function selectionOf<K extends QueryKind>(kind: K, query: Queries[K]): Selection {
  return SELECTIONS[kind](query);
}

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

const SELECTIONS: { readonly [K in QueryKind]: (query: Queries[K]) => Selection } = {
  EndpointSlice: ({ service }) => {
    const [namespace, name] = split(service);
    return { namespace, labelSelector: `kubernetes.io/service-name=${name}` };
  },
};

/** How the API server is asked for a query's answer. Pure. */
export function selectionOf<K extends QueryKind>(kind: K, query: Queries[K]): Selection {
  return SELECTIONS[kind](query);
}

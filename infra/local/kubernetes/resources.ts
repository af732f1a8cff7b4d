/** A column of `kubectl get`: the value is a JSONPath of Kubernetes' subset or the name of a formatter of columns.ts. */
export interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date';
  readonly path: string;
  /** 0 is always shown, more only with `-o wide`. */
  readonly priority: number;
}

/** What the server knows about a kind, whether built in or defined by a CustomResourceDefinition. */
export interface Resource {
  readonly group: string;
  /** Served versions, the preferred first; objects are stored in the first. */
  readonly versions: readonly string[];
  readonly kind: string;
  readonly plural: string;
  readonly shortNames: readonly string[];
  readonly namespaced: boolean;
  readonly categories: readonly string[];
  /** Has a `/status` subresource: status is ignored on the main path and the rest on `/status`. */
  readonly status: boolean;
  /** `metadata.generation` counts changes of everything but metadata and status. */
  readonly generation: boolean;
  /** Defined by a CRD on a real cluster: no strategic merge patch, names are DNS subdomains. */
  readonly custom: boolean;
  /** Field selectors beside metadata.name and metadata.namespace. */
  readonly fields: readonly string[];
  readonly columns: readonly Column[];
}

/** Where the objects of a kind are kept, whatever version they are asked in. */
export function storageOf(resource: Pick<Resource, 'group' | 'plural'>): string {
  return resource.group === 'events.k8s.io' ? '/events' : `${resource.group}/${resource.plural}`;
}

export function apiVersionOf(group: string, version: string): string {
  return group === '' ? version : `${group}/${version}`;
}

export function column(name: string, path: string, priority = 0, type: Column['type'] = 'string'): Column {
  return { name, path, priority, type };
}

const DEFAULTS: Omit<Resource, 'group' | 'versions' | 'kind' | 'plural'> = {
  shortNames: [],
  namespaced: true,
  categories: [],
  status: false,
  generation: false,
  custom: false,
  fields: [],
  columns: [],
};

export type Traits = Partial<typeof DEFAULTS>;

/** A kind from its four names; `rest` says where it differs from a namespaced kind without status. */
export function kindOf(group: string, versions: string, kind: string, plural: string, rest: Traits = {}): Resource {
  return { ...DEFAULTS, ...rest, group, versions: versions.split(' '), kind, plural };
}

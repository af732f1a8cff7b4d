import type { Json, JsonObject } from './json.ts';
import { apiVersionOf, type Resource } from './resources.ts';

/** What `/version` says: a version that clients understand, marked as a stand-in. */
export const VERSION = {
  major: '1',
  minor: '33',
  gitVersion: 'v1.33.0+stand-in',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: 'none',
  compiler: 'none',
  platform: 'stand-in/kubernetes',
};

const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const STATUS_VERBS = ['get', 'patch', 'update'];

/** Groups (but the core one) with their versions, in the order of the table. */
export function groupsOf(resources: readonly Resource[]): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, string[]>();
  for (const { group, versions } of resources) {
    const known = groups.get(group) ?? [];
    groups.set(group, [...known, ...versions.filter((version) => !known.includes(version))]);
  }
  return new Map([...groups].map(([group, versions]) => [group, versions.toSorted(byMaturity)]));
}

/** Orders v1 over v1beta1 over v1alpha2. */
function maturity(version: string): string {
  const match = /^v(\d+)(alpha|beta)?(\d*)$/.exec(version);
  const stage = match?.[2] === undefined ? 2 : match[2] === 'beta' ? 1 : 0;
  return `${stage}/${(match?.[1] ?? '').padStart(4, '0')}/${(match?.[3] ?? '').padStart(4, '0')}`;
}

function byMaturity(a: string, b: string): number {
  return maturity(a) < maturity(b) ? 1 : -1;
}

/** `/api`. */
export function coreVersions(): JsonObject {
  return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] };
}

function groupEntry(name: string, versions: readonly string[]): JsonObject {
  const list = versions.map((version) => ({ groupVersion: apiVersionOf(name, version), version }));
  return { name, versions: list, preferredVersion: list[0] ?? {} };
}

/** `/apis`. */
export function groupList(resources: readonly Resource[]): JsonObject {
  const groups = [...groupsOf(resources)].filter(([name]) => name !== '');
  return {
    kind: 'APIGroupList',
    apiVersion: 'v1',
    groups: groups.map(([name, versions]) => groupEntry(name, versions)),
  };
}

/** `/apis/<group>`; undefined when there is none. */
export function groupInfo(resources: readonly Resource[], name: string): JsonObject | undefined {
  const versions = name === '' ? undefined : groupsOf(resources).get(name);
  return versions === undefined ? undefined : { kind: 'APIGroup', apiVersion: 'v1', ...groupEntry(name, versions) };
}

function entries(resource: Resource): readonly Json[] {
  const { kind, plural, namespaced, shortNames, categories } = resource;
  const main = {
    name: plural,
    singularName: kind.toLowerCase(),
    namespaced,
    kind,
    verbs: VERBS,
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(categories.length === 0 ? {} : { categories }),
  };
  const status = { name: `${plural}/status`, singularName: '', namespaced, kind, verbs: STATUS_VERBS };
  return resource.status ? [main, status] : [main];
}

/** `/api/v1` and `/apis/<group>/<version>`; undefined when there is none. */
export function resourceList(resources: readonly Resource[], name: string, version: string): JsonObject | undefined {
  const found = resources.filter((item) => item.group === name && item.versions.includes(version));
  if (found.length === 0) return undefined;
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: apiVersionOf(name, version),
    resources: found.flatMap(entries),
  };
}

function aggregatedResource(resource: Resource, version: string): Json {
  const { group: name, kind, plural, namespaced, shortNames, categories } = resource;
  const responseKind = { group: name, version, kind };
  return {
    resource: plural,
    responseKind,
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: kind.toLowerCase(),
    verbs: VERBS,
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(categories.length === 0 ? {} : { categories }),
    ...(resource.status ? { subresources: [{ subresource: 'status', responseKind, verbs: STATUS_VERBS }] } : {}),
  };
}

/** `/api` (core) or `/apis` as one `APIGroupDiscoveryList`, in `v2` or `v2beta1`. */
export function aggregated(resources: readonly Resource[], core: boolean, version: string): JsonObject {
  const groups = [...groupsOf(resources)].filter(([name]) => (name === '') === core);
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: groups.map(([name, versions]) => ({
      metadata: name === '' ? {} : { name },
      versions: versions.map((item) => ({
        version: item,
        resources: resources
          .filter((resource) => resource.group === name && resource.versions.includes(item))
          .map((resource) => aggregatedResource(resource, item)),
        freshness: 'Current',
      })),
    })),
  };
}

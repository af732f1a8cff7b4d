import type { Admission } from './admission.ts';
import { apiVersionOf, storageOf, type Resource } from './resources.ts';
import type { Registry } from './registry.ts';
import type { ResourcePath } from './request.ts';
import type { Store } from './store.ts';

/** Who sent a request. */
export interface User {
  readonly username: string;
  readonly groups: readonly string[];
}

/** What every request works on. */
export interface Cluster {
  readonly store: Store;
  readonly registry: Registry;
  readonly admission: Admission;
  /** Most items in a page, whatever `limit` asks for; undefined for no bound. */
  readonly pageLimit: number | undefined;
  readonly now: () => Date;
  /** Does something a moment later, as a controller would; not any more once the server stops. */
  readonly defer: (work: () => void) => void;
}

/** One request to a resource. */
export interface Call {
  readonly cluster: Cluster;
  readonly resource: Resource;
  readonly path: ResourcePath;
  readonly query: URLSearchParams;
  readonly user: User;
  /** The field manager: `fieldManager`, or the product in `User-Agent`. */
  readonly manager: string;
  /** Texts for `Warning` headers; filled while the request is worked on. */
  readonly warnings: string[];
}

export function storage(call: Call): string {
  return storageOf(call.resource);
}

export function apiVersion(call: Call): string {
  return apiVersionOf(call.resource.group, call.path.version);
}

export function isDryRun(call: Call): boolean {
  return call.query.getAll('dryRun').includes('All');
}

/** The current time as RFC 3339 with seconds, as metadata has it. */
export function timestamp(cluster: Cluster): string {
  return cluster
    .now()
    .toISOString()
    .replace(/\.\d+Z$/, 'Z');
}

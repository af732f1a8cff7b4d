import { AppError } from '../errors.ts';
import { isRecord } from '../json.ts';
import { KINDS } from './kinds.ts';
import { groupPath } from './path.ts';
import type { Kind } from './resources.ts';
import { type ApiResponse, type Transport, describe } from './transport.ts';

/** A 404 that does not speak of an object: a version that is not served, an absent kind, or no API server at all. */
export class NotServed extends AppError {
  constructor(method: string, path: string, response: ApiResponse) {
    super('KUBERNETES_ANSWER_INVALID', `${method} ${path}: ${describe(response)}`);
  }
}

/** In which version to read a kind. */
export interface Versions {
  /** The version found last, or the preferred one. Asks nobody: the requests themselves tell when it is not served. */
  current(kind: Kind): string;
  /**
   * The preferred version of those that the API server says it serves, after `refused` answered NotServed; `refused`
   * itself when that is what should be served, undefined when the kind is absent.
   * Rejects with KUBERNETES_DISCOVERY_FAILED and the transport's errors.
   */
  served(kind: Kind, refused: string): Promise<string | undefined>;
}

function records(path: string, response: ApiResponse, field: string): Record<string, unknown>[] {
  const list = isRecord(response.body) ? response.body[field] : undefined;
  if (response.status !== 200 || !Array.isArray(list)) {
    throw new AppError('KUBERNETES_DISCOVERY_FAILED', `GET ${path}: ${describe(response)}`);
  }
  const entries: unknown[] = list;
  return entries.filter(isRecord);
}

/** The versions of a group in the server's list of groups; none when the group is not there. */
function versionsOf(groups: readonly Record<string, unknown>[], group: string): readonly unknown[] {
  const versions: unknown = groups.find((entry) => entry['name'] === group)?.['versions'];
  return Array.isArray(versions) ? versions.filter(isRecord).map((entry) => entry['version']) : [];
}

/**
 * A 404 alone is no proof that a CRD is not installed (a wrong address answers that too): the server's list of groups
 * must leave the versions out, or the documents of those that it lists must leave the kind out.
 */
async function discover(send: Transport, kind: Kind): Promise<string | undefined> {
  const { group, versions, plural } = KINDS[kind];
  const listed = versionsOf(records('/apis', await send({ method: 'GET', path: '/apis' }), 'groups'), group);
  for (const version of versions) {
    if (!listed.includes(version)) continue;
    const path = groupPath({ group, version });
    const resources = records(path, await send({ method: 'GET', path }), 'resources');
    if (resources.some((entry) => entry['name'] === plural)) return version;
  }
  return undefined;
}

/**
 * Remembers the version of each kind that is not served in its preferred one. That a kind is absent is remembered only
 * where it has one version: there, what is remembered cannot hide a CRD that is installed later, as that version is
 * always asked first.
 */
export function discoveredVersions(send: Transport): Versions {
  const found = new Map<Kind, string>();
  const absent = new Set<Kind>();
  return {
    current: (kind) => found.get(kind) ?? KINDS[kind].versions[0],
    async served(kind, refused) {
      if (KINDS[kind].core) return refused;
      if (absent.has(kind)) return undefined;
      const version = await discover(send, kind);
      if (version !== undefined) found.set(kind, version);
      else if (KINDS[kind].versions.length === 1) absent.add(kind);
      return version;
    },
  };
}

/**
 * What `read` gives in a version that the API server serves, or undefined when it serves the kind in none. No discovery
 * unless `read` rejects with NotServed; rejects with that when discovery says that the version should be served.
 */
export async function inServedVersion<T>(
  versions: Versions,
  kind: Kind,
  read: (version: string) => Promise<T>,
): Promise<T | undefined> {
  const version = versions.current(kind);
  try {
    return await read(version);
  } catch (error) {
    if (!(error instanceof NotServed)) throw error;
    const other = await versions.served(kind, version);
    if (other === version) throw error;
    return other === undefined ? undefined : read(other);
  }
}

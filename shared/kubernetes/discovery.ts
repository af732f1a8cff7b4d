import { AppError } from '../errors.ts';
import { isRecord } from '../json.ts';
import { KINDS } from './kinds.ts';
import { groupPath } from './path.ts';
import type { Kind } from './resources.ts';
import { type ApiResponse, type Transport, describe } from './transport.ts';

function failed(path: string, response: ApiResponse): AppError {
  return new AppError('KUBERNETES_DISCOVERY_FAILED', `GET ${path}: ${describe(response)}`);
}

/** The names in a discovery document's list: `resources` of a group version, `groups` of the server. */
function names(path: string, response: ApiResponse, field: string): Set<string> {
  const list = isRecord(response.body) ? response.body[field] : undefined;
  if (response.status !== 200 || !Array.isArray(list)) throw failed(path, response);
  const entries: unknown[] = list;
  return new Set(entries.filter(isRecord).map((entry) => String(entry['name'])));
}

function versionsOf(response: ApiResponse, group: string): Set<string> {
  const groups: unknown = isRecord(response.body) ? response.body['groups'] : undefined;
  const found = Array.isArray(groups) ? groups.filter(isRecord).find((entry) => entry['name'] === group) : undefined;
  const versions: unknown = found?.['versions'];
  return new Set(Array.isArray(versions) ? versions.filter(isRecord).map((entry) => String(entry['version'])) : []);
}

/**
 * Whether the API server serves a kind. A 404 alone is no proof that a CRD is not installed (a wrong address answers
 * that too): the group's own document must leave the kind out, or the server's list of groups must leave the version
 * out. Kinds built into every API server always count as served. Throws KUBERNETES_DISCOVERY_FAILED and the transport's errors.
 */
export async function isServed(send: Transport, kind: Kind): Promise<boolean> {
  const info = KINDS[kind];
  if (info.core) return true;
  const path = groupPath(info);
  const response = await send({ method: 'GET', path });
  if (response.status !== 404) return names(path, response, 'resources').has(info.plural);
  const groups = await send({ method: 'GET', path: '/apis' });
  names('/apis', groups, 'groups');
  if (versionsOf(groups, info.group).has(info.version)) throw failed(path, response);
  return false;
}

/**
 * `isServed` that remembers which kinds are absent. Only asked after a 404 that a served kind never gives, so what it
 * remembers cannot hide a CRD that is installed later.
 */
export function servedKinds(send: Transport): (kind: Kind) => Promise<boolean> {
  const absent = new Set<Kind>();
  return async (kind) => {
    if (absent.has(kind)) return false;
    const served = await isServed(send, kind);
    if (!served) absent.add(kind);
    return served;
  };
}

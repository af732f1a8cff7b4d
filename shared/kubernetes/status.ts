import type { JsonRecord } from '../json.ts';
import { isRecord } from '../json.ts';
import { type Versions, inServedVersion } from './discovery.ts';
import { refused } from './list.ts';
import { objectPath } from './path.ts';
import type { Kind } from './resources.ts';
import { type Transport, describe } from './transport.ts';

/** What became of a write to a status. */
export type StatusWrite =
  | { readonly outcome: 'written' }
  /** Somebody else has changed the object since it was read. */
  | { readonly outcome: 'conflict' }
  /** The object, or the kind's status, is not there. */
  | { readonly outcome: 'absent' }
  /** The API server does not take this status, and will not take it later. */
  | { readonly outcome: 'invalid'; readonly reason: string };

/** Fields of a status to set, on an object as it was read. */
export interface StatusPatch {
  readonly kind: Kind;
  readonly namespace: string;
  readonly name: string;
  readonly resourceVersion: string;
  /** Each field whole; others stay. */
  readonly status: JsonRecord;
}

const MERGE = 'application/merge-patch+json';

/**
 * Sets fields of an object's status, if the object is still as it was read: lists that several controllers share are
 * whole fields, so that a write must not go over another's. Throws KUBERNETES_* errors.
 */
export async function patchStatus(send: Transport, versions: Versions, patch: StatusPatch): Promise<StatusWrite> {
  const { kind, namespace, name, resourceVersion, status } = patch;
  const answer = await inServedVersion(versions, kind, async (version): Promise<StatusWrite> => {
    const path = `${objectPath(kind, namespace, name, version)}/status`;
    const body = { metadata: { resourceVersion }, status };
    const response = await send({ method: 'PATCH', path, body, contentType: MERGE });
    if (response.status >= 200 && response.status < 300) return { outcome: 'written' };
    if (response.status === 409) return { outcome: 'conflict' };
    if (response.status === 404 && isRecord(response.body)) return { outcome: 'absent' };
    if (response.status === 422 || response.status === 400) return { outcome: 'invalid', reason: describe(response) };
    throw refused('PATCH', path, response);
  });
  return answer ?? { outcome: 'absent' };
}

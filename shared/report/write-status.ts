import type { Queryable } from '../index/database.ts';
import { refOfKey } from '../index/refs.ts';
import { statusesOf, type StatusMark, type StatusRow } from '../index/reports.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { Key } from '../kubernetes/keys.ts';
import { isKind } from '../kubernetes/kinds.ts';
import { isGone } from '../kubernetes/object.ts';
import type { KubernetesObject } from '../kubernetes/resources.ts';
import { mergeStatus, statusHash } from '../status/merge.ts';
import { render, type Published } from '../status/render.ts';
import type { DesiredStatus, Progress } from '../status/types.ts';

/** What writing statuses needs. */
export interface StatusTools {
  readonly index: Queryable;
  readonly kubernetes: Pick<KubernetesClient, 'get' | 'patchStatus'>;
  /** Marks the entries that are ours in lists that several controllers share. */
  readonly controller: string;
  /** Where Kong is reached; asked only when a status shows it. */
  published(): Promise<Published>;
  /** How it is known that data planes run a revision, for people. */
  proof(revision: string): string;
  /** ms since the epoch. */
  now(): number;
  /** Told of a status that the API server does not take. */
  onInvalid(object: Key, reason: string): void;
}

/** How often a status is begun anew because its object changed meanwhile. */
const ATTEMPTS = 5;
const NOWHERE: Published = {
  addresses: undefined,
  udpAddresses: undefined,
  ports: undefined,
  gateway: () => undefined,
};
const SHOW_ADDRESSES = ['Ingress', 'TCPIngress', 'UDPIngress', 'Gateway'];

function kindOf(key: Key): string {
  return key.slice(0, key.indexOf('/'));
}

/** Whether everything that was written for an object is proven; where nothing was, the adopted state has to be. */
function progressOf({ own, revision, converged }: StatusRow, tools: StatusTools): Progress {
  if (own?.family === 'gateway' && own.empty && revision === '0') {
    return { state: 'proven', proof: 'Nothing of it has to be in Kong.' };
  }
  if (converged === null || BigInt(revision) > BigInt(converged))
    return { state: 'pending', adopted: revision === '0' };
  return { state: 'proven', proof: tools.proof(converged) };
}

/** RFC 3339 in whole seconds. */
function timestamp(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

async function desiredOf(row: StatusRow, progress: Progress, tools: StatusTools): Promise<DesiredStatus> {
  const published = SHOW_ADDRESSES.includes(kindOf(row.object)) ? await tools.published() : NOWHERE;
  return render({ object: row.object, own: row.own ?? undefined, others: row.others, progress }, published);
}

type Written = 'done' | 'gone' | 'again';

/** Brings the object's status to what is wanted, if it is there and still as it was read. */
async function writeOnce(
  key: Key,
  desired: DesiredStatus,
  known: KubernetesObject | undefined,
  tools: StatusTools,
): Promise<Written> {
  const { kind, namespace, name } = refOfKey('', key);
  if (!isKind(kind)) return 'gone';
  const object = known ?? (await tools.kubernetes.get(kind, namespace, name));
  if (object === undefined || isGone(object)) return 'gone';
  const status = mergeStatus(object, desired, { now: timestamp(tools.now()), controller: tools.controller });
  if (status === undefined) return 'done';
  const { resourceVersion = '' } = object.metadata;
  const answer = await tools.kubernetes.patchStatus({ kind, namespace, name, resourceVersion, status });
  if (answer.outcome === 'conflict') return 'again';
  // A kind whose CRD has no status has nothing to be told.
  if (answer.outcome === 'absent') return known === undefined ? 'gone' : 'again';
  if (answer.outcome === 'invalid') tools.onInvalid(key, answer.reason);
  return 'done';
}

/**
 * Writes one status, begun anew whenever its object or what is to be said changes meanwhile. Gives what to remember;
 * undefined when it is left to whoever comes next. `known`: the object as it was read a moment ago. Rejects with
 * KUBERNETES_* and INDEX_* errors.
 */
export async function writeStatus(
  row: StatusRow,
  known: KubernetesObject | undefined,
  tools: StatusTools,
): Promise<StatusMark | undefined> {
  let current: StatusRow | undefined = row;
  let object = known;
  for (let attempt = 0; attempt < ATTEMPTS && current !== undefined; attempt += 1) {
    const progress = progressOf(current, tools);
    const desired = await desiredOf(current, progress, tools);
    const reported = statusHash(desired);
    const mark = {
      object: current.object,
      version: current.version,
      reported,
      waiting: progress.state === 'pending' ? current.revision : undefined,
    };
    if (reported === current.reported || Object.keys(desired).length === 0) return { ...mark, gone: false };
    const written = await writeOnce(current.object, desired, object, tools);
    if (written !== 'again') return { ...mark, gone: written === 'gone' };
    object = undefined;
    [current] = await statusesOf(tools.index, [row.object]);
  }
  return undefined;
}

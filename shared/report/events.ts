import { AppError } from '../errors.ts';
import type { Queryable } from '../index/database.ts';
import { guarded } from '../index/guarded.ts';
import { refOfKey } from '../index/refs.ts';
import { countTold, findingsAfter, forgetTold, type Told } from '../index/told.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import {
  eventName,
  eventNamespace,
  eventObject,
  eventSeries,
  noticeOf,
  recovery,
  type Notice,
  type Regarded,
} from '../kubernetes/events.ts';
import { keyOfRef, type Key } from '../kubernetes/keys.ts';
import { isKind } from '../kubernetes/kinds.ts';
import { isGone } from '../kubernetes/object.ts';
import type { KubernetesObject, ObjectRef } from '../kubernetes/resources.ts';
import { describe, type ApiResponse } from '../kubernetes/transport.ts';
import { inParallel } from '../parallel.ts';
import type { SliceResult } from '../slice.ts';
import type { Reporter } from './report.ts';

/** What Events are written with. */
export interface EventParts {
  readonly index: Queryable;
  readonly kubernetes: Pick<KubernetesClient, 'get' | 'send'>;
  readonly cluster: string;
  /** ms since the epoch. */
  readonly now?: () => number;
}

/** Of one object in one run; who has more to correct begins with these. */
const MOST_OF_ONE = 10;
/** In one run; what is left is told when the object is worked off again. */
const MOST = 200;
const AT_ONCE = 8;
/** After this time no further Event is begun, ms: slices wait for nobody to be told. */
const ENOUGH_MS = 5_000;

/** A notice with what tells its object from namesakes. */
interface Addressed {
  readonly notice: Notice;
  readonly regarded: Regarded;
  readonly name: string;
}

/** What slices have to say, a line each, in their order. */
function noticesOf(slices: readonly SliceResult[], cluster: string): readonly Notice[] {
  return slices.flatMap(({ findings, recovered }) => [
    ...findings.map(noticeOf),
    ...recovered.map((key) => recovery(refOfKey(cluster, key))),
  ]);
}

/** The object as it is now: the one that a slice read, or one that is read for its sake. Undefined when it is gone, or cannot be read. */
async function find(
  on: ObjectRef,
  known: ReadonlyMap<Key, KubernetesObject>,
  { kubernetes }: EventParts,
): Promise<KubernetesObject | undefined> {
  const met = known.get(keyOfRef(on));
  if (met !== undefined || !isKind(on.kind)) return met;
  try {
    const object = await kubernetes.get(on.kind, on.namespace, on.name);
    return object === undefined || isGone(object) ? undefined : object;
  } catch (error) {
    if (error instanceof AppError) return undefined;
    throw error;
  }
}

/** Every notice once, with its object; those of objects that are gone are left out. */
async function addressed(
  notices: readonly Notice[],
  known: ReadonlyMap<Key, KubernetesObject>,
  parts: EventParts,
): Promise<readonly Addressed[]> {
  const objects = [...Map.groupBy(notices, ({ on }) => keyOfRef(on)).values()];
  const found = await inParallel(AT_ONCE, objects.slice(0, MOST), async (group): Promise<readonly Addressed[]> => {
    const [first] = group;
    const object = first === undefined ? undefined : await find(first.on, known, parts);
    if (object === undefined) return [];
    const { uid, generation, resourceVersion } = object.metadata;
    const regarded: Regarded = {
      ...(uid === undefined ? {} : { uid }),
      ...(generation === undefined ? {} : { generation }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    };
    const named = group.map((notice) => ({ notice, regarded, name: eventName(notice, regarded) }));
    return [...new Map(named.map((one) => [one.name, one])).values()].slice(0, MOST_OF_ONE);
  });
  return found.flat().slice(0, MOST);
}

/** Sends an Event, or counts one that is there already. */
async function send({ notice, regarded, name }: Addressed, { count }: Told, parts: EventParts): Promise<ApiResponse> {
  const { kubernetes, now = Date.now } = parts;
  const path = `/apis/events.k8s.io/v1/namespaces/${encodeURIComponent(eventNamespace(notice.on))}/events`;
  const create = async (): Promise<ApiResponse> =>
    kubernetes.send({ method: 'POST', path, body: eventObject(notice, regarded, now()) });
  const again = async (): Promise<ApiResponse> =>
    kubernetes.send({
      method: 'PATCH',
      path: `${path}/${encodeURIComponent(name)}`,
      body: eventSeries(count, now()),
      contentType: 'application/merge-patch+json',
    });
  // The cluster forgets Events after an hour, and the index may have been dropped.
  const first = await (count === 1 ? create() : again());
  if (count === 1) return first.status === 409 ? again() : first;
  return first.status === 404 ? create() : first;
}

/** Why an Event is not there: also when its namespace is going, or the API server does not let us. */
async function failureOf(one: Addressed, told: Told, parts: EventParts): Promise<string | undefined> {
  try {
    const response = await send(one, told, parts);
    return response.status < 300 ? undefined : describe(response);
  } catch (error) {
    if (error instanceof AppError) return error.message;
    throw error;
  }
}

async function tellAll(
  notices: readonly Notice[],
  known: ReadonlyMap<Key, KubernetesObject>,
  parts: EventParts,
): Promise<void> {
  if (notices.length === 0) return;
  const { now = Date.now } = parts;
  const until = now() + ENOUGH_MS;
  const all = await addressed(notices, known, parts);
  if (all.length === 0) return;
  const told = await guarded(() =>
    countTold(
      parts.index,
      all.map((one) => one.name),
    ),
  );
  const failed: string[] = [];
  let reason: string | undefined;
  await inParallel(AT_ONCE, all, async (one) => {
    const mark = told.get(one.name);
    if (mark?.tell !== true) return;
    const failure = now() < until ? await failureOf(one, mark, parts) : 'there was no time left';
    if (failure === undefined) return;
    failed.push(one.name);
    reason ??= failure;
  });
  await guarded(() => forgetTold(parts.index, failed));
  if (reason !== undefined) {
    throw new AppError('EVENTS_NOT_CREATED', `${failed.length} of ${all.length} Events: ${reason}`);
  }
}

/** The cluster forgets Events after an hour unless they are counted. */
const REMIND_MS = 30 * 60_000;

/** Says again what is still wrong, a part of the roots at a time, and then nothing for a while. */
function reminder(parts: EventParts): () => Promise<void> {
  const { index, now = Date.now } = parts;
  let [last, restUntil] = ['', 0];
  return async () => {
    if (now() < restUntil) return;
    const rows = await guarded(() => findingsAfter(index, last, MOST));
    if (rows.length < MOST) restUntil = now() + REMIND_MS;
    last = rows.length < MOST ? '' : (rows.at(-1)?.root ?? '');
    await tellAll(
      rows.flatMap(({ findings }) => findings.map(noticeOf)),
      new Map(),
      parts,
    );
  };
}

/**
 * Makes Events (events.k8s.io/v1) of findings and recoveries. The same thing said of the same generation of an object is
 * one Event, which is counted at most every five minutes. Costs nothing for slices that have nothing to say; an object
 * that is gone has none. Rejects with EVENTS_NOT_CREATED, INDEX_* and KUBERNETES_* errors.
 */
export function eventReporter(parts: EventParts): Reporter {
  return {
    name: 'events',
    tell: (slices) =>
      tellAll(noticesOf(slices, parts.cluster), new Map(slices.flatMap((slice) => [...slice.objects])), parts),
    remind: reminder(parts),
  };
}

import { AppError } from '../errors.ts';
import { type JsonRecord, isRecord } from '../json.ts';
import { NotServed, type Versions, inServedVersion } from './discovery.ts';
import { parseObject } from './object.ts';
import { listPath } from './path.ts';
import type { Kind, KubernetesObject } from './resources.ts';
import type { Selection } from './selection.ts';
import { type ApiResponse, type Transport, describe } from './transport.ts';

/** Objects a page; what kubectl asks for too. */
export const PAGE_SIZE = 500;

/** How often a list is begun again after its continue token expired. */
const RESTARTS = 3;

/** Where lists come from. */
export interface Source {
  readonly send: Transport;
  readonly versions: Versions;
}

/** Every object of a selection at one resourceVersion. */
export interface ObjectList {
  readonly objects: readonly KubernetesObject[];
  /** Of the list as a whole; `''` when the kind is absent. */
  readonly resourceVersion: string;
  /** The kind's CRD is not installed, by discovery. */
  readonly absent: boolean;
}

const ABSENT: ObjectList = { objects: [], resourceVersion: '', absent: true };

/** Turns a refusal into an error: nothing that could not be read may look like nothing there. */
export function refused(method: string, path: string, response: ApiResponse): AppError {
  const message = `${method} ${path}: ${describe(response)}`;
  if (response.status === 401) return new AppError('KUBERNETES_UNAUTHENTICATED', message);
  if (response.status === 403) return new AppError('KUBERNETES_FORBIDDEN', message);
  if (response.status === 410) return new AppError('KUBERNETES_LIST_EXPIRED', message);
  return new AppError('KUBERNETES_ANSWER_INVALID', message);
}

interface Page {
  readonly objects: readonly KubernetesObject[];
  readonly next: string;
  readonly resourceVersion: string;
}

function text(record: JsonRecord, field: string): string {
  const value = record[field];
  return typeof value === 'string' ? value : '';
}

function parsePage(kind: Kind, path: string, response: ApiResponse): Page {
  const { body } = response;
  const items: unknown = isRecord(body) ? body['items'] : undefined;
  const metadata: unknown = isRecord(body) ? body['metadata'] : undefined;
  // A list without items is null in Go's JSON; a list without metadata is no list.
  if (!isRecord(metadata) || !(items === null || Array.isArray(items))) {
    throw new AppError('KUBERNETES_ANSWER_INVALID', `GET ${path}: the answer is not a list`);
  }
  return {
    objects: (items ?? []).map((item: unknown) => parseObject(kind, item)),
    next: text(metadata, 'continue'),
    resourceVersion: text(metadata, 'resourceVersion'),
  };
}

/** All pages, or undefined when the continue token expired on the way. */
async function readPages(
  send: Transport,
  kind: Kind,
  path: string,
  labelSelector: string | undefined,
): Promise<ObjectList | undefined> {
  const objects: KubernetesObject[] = [];
  for (let next = ''; ;) {
    const query = {
      limit: String(PAGE_SIZE),
      ...(labelSelector === undefined ? {} : { labelSelector }),
      ...(next === '' ? {} : { continue: next }),
    };
    const response = await send({ method: 'GET', path, query });
    if (response.status === 410 && next !== '') return undefined;
    if (response.status === 404 && next === '') throw new NotServed('GET', path, response);
    if (response.status !== 200) throw refused('GET', path, response);
    const page = parsePage(kind, path, response);
    for (const object of page.objects) objects.push(object);
    if (page.next === '') return { objects, resourceVersion: page.resourceVersion, absent: false };
    next = page.next;
  }
}

/** All pages of one version, begun again while the continue token expires. */
async function readList(send: Transport, kind: Kind, selection: Selection, version: string): Promise<ObjectList> {
  const path = listPath(kind, selection.namespace, version);
  for (let restarts = 0; restarts <= RESTARTS; restarts += 1) {
    const list = await readPages(send, kind, path, selection.labelSelector);
    if (list !== undefined) return list;
  }
  throw new AppError('KUBERNETES_LIST_EXPIRED', `GET ${path}: its continue token expired ${RESTARTS + 1} times`);
}

/**
 * Lists a selection of a kind in pages, in the version that the API server serves. A page that fails fails the list; a
 * list whose continue token expired (410) is begun again from its first page, three times at most. A kind whose CRD is
 * not installed gives an empty list that says so. Throws KUBERNETES_FORBIDDEN, KUBERNETES_UNAUTHENTICATED,
 * KUBERNETES_LIST_EXPIRED, KUBERNETES_DISCOVERY_FAILED, KUBERNETES_ANSWER_INVALID and the transport's errors.
 */
export async function listAll({ send, versions }: Source, kind: Kind, selection: Selection): Promise<ObjectList> {
  const list = await inServedVersion(versions, kind, (version) => readList(send, kind, selection, version));
  return list ?? ABSENT;
}

import { Readable } from 'node:stream';
import { NotServed, type Versions, inServedVersion } from '../kubernetes/discovery.ts';
import { isRecord } from '../json.ts';
import { refused } from '../kubernetes/list.ts';
import { listPath } from '../kubernetes/path.ts';
import type { Kind } from '../kubernetes/resources.ts';
import type { Transport } from '../kubernetes/transport.ts';
import { type Told, type WatchEvent, toldOf, watchEvents } from './events.ts';

/** Names and versions only: no content of any object, Secrets among them, leaves the API server. */
const METADATA = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
const METADATA_LIST = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
const PAGE_SIZE = 500;

/** How a cluster is listed and watched. */
export interface WatchSource {
  readonly send: Transport;
  /** As `send`, with a stream as the answer's body. Not repeated. */
  readonly open: (request: Parameters<Transport>[0], signal: AbortSignal) => ReturnType<Transport>;
  readonly versions: Versions;
}

interface Page {
  readonly items: readonly Told[];
  readonly next: string;
  readonly resourceVersion: string;
}

function parsePage(body: unknown): Page | undefined {
  const [items, metadata]: unknown[] = isRecord(body) ? [body['items'], body['metadata']] : [];
  if (!isRecord(metadata) || !(items === null || Array.isArray(items))) return undefined;
  const { continue: next, resourceVersion } = metadata;
  return {
    items: (items ?? []).map(toldOf),
    next: typeof next === 'string' ? next : '',
    resourceVersion: typeof resourceVersion === 'string' ? resourceVersion : '',
  };
}

async function readPages(send: Transport, path: string, each: (told: Told) => void): Promise<string> {
  for (let next = ''; ;) {
    const query = { limit: String(PAGE_SIZE), ...(next === '' ? {} : { continue: next }) };
    const response = await send({ method: 'GET', path, query, accept: METADATA_LIST });
    if (response.status === 404 && next === '') throw new NotServed('GET', path, response);
    const page = response.status === 200 ? parsePage(response.body) : undefined;
    if (page === undefined) throw refused('GET', path, response);
    for (const told of page.items) each(told);
    if (page.next === '') return page.resourceVersion;
    next = page.next;
  }
}

/**
 * Tells of every object of a kind, page by page, and gives the version of the list, or undefined when the kind's CRD is
 * not installed. Throws KUBERNETES_* errors, also when a page expired on the way: then all of it has to be done again.
 */
export function listed(
  { send, versions }: WatchSource,
  kind: Kind,
  each: (told: Told) => void,
): Promise<string | undefined> {
  return inServedVersion(versions, kind, (version) => readPages(send, listPath(kind, '', version), each));
}

/**
 * The events of a kind since `resourceVersion`, until the server ends the watch after `seconds`. Throws KUBERNETES_*
 * errors and ConnectionFailed; KUBERNETES_LIST_EXPIRED when that version is forgotten (410).
 */
export async function* watched(
  { open, versions }: WatchSource,
  kind: Kind,
  { resourceVersion, seconds, signal }: { resourceVersion: string; seconds: number; signal: AbortSignal },
): AsyncGenerator<WatchEvent> {
  const path = listPath(kind, '', versions.current(kind));
  const query = {
    watch: 'true',
    allowWatchBookmarks: 'true',
    resourceVersion,
    timeoutSeconds: String(seconds),
  };
  const response = await open({ method: 'GET', path, query, accept: METADATA }, signal);
  if (response.status !== 200 || !(response.body instanceof Readable)) throw refused('GET', path, response);
  yield* watchEvents(response.body);
}

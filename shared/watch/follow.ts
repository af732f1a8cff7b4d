import { backoffMs, type Backoff } from '../backoff.ts';
import { AppError } from '../errors.ts';
import type { ChangeEvent } from '../events.ts';
import { KINDS } from '../kubernetes/kinds.ts';
import type { Kind } from '../kubernetes/resources.ts';
import { ConnectionFailed } from '../kubernetes/transport.ts';
import { isStatusWrite, type Told } from './events.ts';
import { type WatchSource, listed, watched } from './source.ts';

/** What is counted of a process' life. */
export interface WatchCounts {
  /** Events that the API server sent, bookmarks left out. */
  events: number;
  /** Of these, those that say nothing new. */
  duplicates: number;
  /** Of these, writes of a status alone. */
  statusWrites: number;
  /** Lists, the first ones left out. */
  relists: number;
  /** Watches that ended otherwise than by their time. */
  failures: number;
}

/** Where what was seen goes. */
export interface Sink {
  change(change: ChangeEvent): void;
  /** Nobody can say what changed. */
  reconcile(): void;
}

export interface FollowTools {
  readonly source: WatchSource;
  readonly sink: Sink;
  readonly counts: WatchCounts;
  readonly cluster: string;
  readonly signal: AbortSignal;
  readonly sleep: (ms: number) => Promise<void>;
  readonly random: () => number;
  /** RFC 3339. */
  readonly now: () => string;
  /** The kind was listed, or is known to be absent. */
  readonly onReady: (kind: Kind) => void;
  /** Without a body, a token or any name of an object. */
  readonly onFailure: (kind: Kind, reason: string) => void;
}

const BACKOFF: Backoff = { baseMs: 500, capMs: 30_000 };
/** How often a kind is looked for whose CRD is not installed. */
const ABSENT_MS = 60_000;
/** How long a watch is asked for: a connection that died silently is noticed when its time is over. */
const WATCH_SECONDS = 240;
const SPREAD_SECONDS = 60;

/** The place to watch from is forgotten, or the kind is not served any more where it was. */
const LISTS_AGAIN: ReadonlySet<string> = new Set(['KUBERNETES_LIST_EXPIRED', 'KUBERNETES_ANSWER_INVALID']);

/** Of a kind: the version of every object, and where the next watch begins. */
interface Memory {
  /** Key `namespace/name` → resourceVersion; nothing else of an object is kept. */
  readonly known: Map<string, string>;
  /** `''` when a list has to come first. */
  position: string;
  first: boolean;
}

function keyOf({ namespace, name }: Told): string {
  return `${namespace}/${name}`;
}

function changeOf(kind: Kind, told: Told, operation: ChangeEvent['operation'], tools: FollowTools): ChangeEvent {
  const { group, version } = KINDS[kind];
  const { namespace, name, uid, resourceVersion } = told;
  return {
    ref: { cluster: tools.cluster, group, version, kind, namespace, name },
    operation,
    ...(uid === '' ? {} : { uid }),
    ...(operation === 'delete' || resourceVersion === '' ? {} : { resourceVersion }),
    observedAt: tools.now(),
  };
}

/** Lists a kind, and tells of what differs from what is known; of a first list, that nobody knows what it missed. */
async function relist(kind: Kind, memory: Memory, tools: FollowTools): Promise<boolean> {
  const found = new Map<string, string>();
  const differing: ChangeEvent[] = [];
  const position = await listed(tools.source, kind, (told) => {
    const before = memory.known.get(keyOf(told));
    found.set(keyOf(told), told.resourceVersion);
    if (!memory.first && before !== told.resourceVersion) {
      differing.push(changeOf(kind, told, before === undefined ? 'create' : 'update', tools));
    }
  });
  if (position === undefined && memory.first) return false;
  for (const key of memory.known.keys()) {
    const [namespace = '', name = ''] = key.split('/');
    const gone = { namespace, name, uid: '', resourceVersion: '', managedFields: [] };
    if (!found.has(key)) differing.push(changeOf(kind, gone, 'delete', tools));
  }
  memory.known.clear();
  for (const [key, version] of found) memory.known.set(key, version);
  if (memory.first) tools.sink.reconcile();
  else tools.counts.relists += 1;
  for (const change of differing) tools.sink.change(change);
  memory.first = position === undefined;
  memory.position = position ?? '';
  return position !== undefined;
}

const OPERATIONS = { ADDED: 'create', MODIFIED: 'update', DELETED: 'delete' } as const;

function see(kind: Kind, type: keyof typeof OPERATIONS, told: Told, memory: Memory, tools: FollowTools): void {
  const { counts, sink } = tools;
  const key = keyOf(told);
  const before = memory.known.get(key);
  counts.events += 1;
  memory.position = told.resourceVersion;
  if (type === 'DELETED') memory.known.delete(key);
  else memory.known.set(key, told.resourceVersion);
  const duplicate = type === 'DELETED' ? before === undefined : before === told.resourceVersion;
  if (duplicate) counts.duplicates += 1;
  else if (type === 'MODIFIED' && isStatusWrite(told)) counts.statusWrites += 1;
  else sink.change(changeOf(kind, told, OPERATIONS[type], tools));
}

/** One watch, until its time is over. */
async function watchOnce(kind: Kind, memory: Memory, tools: FollowTools): Promise<void> {
  const seconds = WATCH_SECONDS + Math.floor(tools.random() * SPREAD_SECONDS);
  const { position: resourceVersion } = memory;
  for await (const event of watched(tools.source, kind, { resourceVersion, seconds, signal: tools.signal })) {
    if (event.type === 'ERROR') {
      const code = event.code === 410 ? 'KUBERNETES_LIST_EXPIRED' : 'KUBERNETES_UNAVAILABLE';
      throw new AppError(code, `the watch of ${KINDS[kind].plural} ended with ${event.code}`);
    }
    if (event.type === 'BOOKMARK') memory.position = event.resourceVersion;
    else see(kind, event.type, event.object, memory, tools);
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof AppError) return `${error.code} ${error.message}`;
  return error instanceof ConnectionFailed ? error.message : error instanceof Error ? error.name : 'unknown';
}

/**
 * Follows a kind until `signal` aborts: lists it once, then watches from where it was, over disconnections too. When the
 * API server has forgotten that place (410) it lists again and tells of what differs by resourceVersion. Failures are
 * repeated with growing pauses.
 */
export async function follow(kind: Kind, tools: FollowTools): Promise<void> {
  const { signal, sleep, counts } = tools;
  const memory: Memory = { known: new Map(), position: '', first: true };
  for (let failures = 0; !signal.aborted;) {
    const before = memory.position;
    try {
      const present = memory.position !== '' || (await relist(kind, memory, tools));
      tools.onReady(kind);
      if (present) await watchOnce(kind, memory, tools);
      else await sleep(ABSENT_MS);
      failures = 0;
    } catch (error) {
      if (signal.aborted) return;
      // What came before the failure came.
      failures = memory.position === before ? failures + 1 : 1;
      counts.failures += 1;
      if (error instanceof AppError && LISTS_AGAIN.has(error.code)) memory.position = '';
      tools.onFailure(kind, reasonOf(error));
      await sleep(backoffMs(BACKOFF, failures - 1, tools.random()));
    }
  }
}

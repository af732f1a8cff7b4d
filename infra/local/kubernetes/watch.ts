import type { ServerResponse } from 'node:http';
import { apiVersion, storage, type Call } from './call.ts';
import { metadataOnly, servedJson, toServed } from './convert.ts';
import type { JsonObject } from './json.ts';
import { include, matches, select, selection, type Selection } from './reads.ts';
import { flag, type Representation } from './request.ts';
import { badRequest, expired } from './status.ts';
import type { Change, Stored } from './store.ts';
import { table } from './table.ts';

const BOOKMARK_MS = 30_000;
const DEFAULT_TIMEOUT_SECONDS = 1800;
/** A client that does not read is cut off before it fills the memory, bytes. */
const MAX_BUFFERED = 64 * 1024 * 1024;

type EventType = Change['type'];

/** A client's watch: writes one JSON line per event until the client goes, the time is over or the server stops. */
class Watcher {
  readonly #call: Call;
  readonly #chosen: Selection;
  readonly #form: Representation;
  readonly #response: ServerResponse;
  #headed = true;
  /** The resourceVersion up to which the client knows everything. */
  #seen: number;

  constructor(call: Call, chosen: Selection, form: Representation, response: ServerResponse) {
    this.#call = call;
    this.#chosen = chosen;
    this.#form = form;
    this.#response = response;
    this.#seen = call.cluster.store.resourceVersion;
  }

  write(line: string): void {
    this.#response.write(`${line}\n`);
    if (this.#response.writableLength > MAX_BUFFERED) this.#response.destroy();
  }

  event(type: EventType, stored: Stored): void {
    this.write(`{"type":"${type}","object":${this.#json(stored)}}`);
  }

  /** Passes a change on as this client sees it: with selectors, objects come into view and leave it. */
  change(change: Change): void {
    const { previous, current } = change;
    const before = previous !== undefined && matches(this.#call, this.#chosen, previous);
    const after = change.type !== 'DELETED' && matches(this.#call, this.#chosen, current);
    this.#seen = Math.max(this.#seen, change.resourceVersion);
    if (before) this.event(after ? 'MODIFIED' : 'DELETED', current);
    else if (after) this.event('ADDED', current);
  }

  /** Tells the client up to where it has seen everything. */
  bookmark(initial: boolean): void {
    const annotations = initial ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {};
    const resourceVersion = Math.max(this.#seen, this.#call.cluster.store.resourceVersion);
    const metadata = { resourceVersion: String(resourceVersion), ...annotations };
    const object: JsonObject = { kind: this.#call.resource.kind, apiVersion: apiVersion(this.#call), metadata };
    const shown = this.#form === 'table' ? { ...this.#table([]), metadata } : object;
    this.write(JSON.stringify({ type: 'BOOKMARK', object: shown }));
  }

  #table(objects: readonly JsonObject[]): JsonObject {
    const { resource, cluster } = this.#call;
    const result = table(resource, objects, {}, include(this.#call), cluster.now().getTime(), this.#headed);
    this.#headed = false;
    return result;
  }

  #json(stored: Stored): string {
    const { resource, path } = this.#call;
    if (this.#form === 'object') return servedJson(resource, path.version, stored);
    const object = toServed(resource, path.version, stored.object);
    return JSON.stringify(this.#form === 'table' ? this.#table([object]) : metadataOnly(object));
  }
}

interface Start {
  /** Objects that exist, told as ADDED first. */
  readonly existing: readonly Stored[];
  /** Changes after the asked resourceVersion; undefined when they are forgotten (410). */
  readonly missed: readonly Change[] | undefined;
}

function start(call: Call, chosen: Selection): Start {
  const { store } = call.cluster;
  const asked = call.query.get('resourceVersion') ?? '';
  if (!/^\d*$/.test(asked)) throw badRequest(`invalid resource version ${JSON.stringify(asked)}`);
  const initial = flag(call.query, 'sendInitialEvents');
  if (initial && call.query.get('resourceVersionMatch') !== 'NotOlderThan') {
    throw badRequest('sendInitialEvents requires setting resourceVersionMatch to NotOlderThan');
  }
  if (initial || asked === '' || asked === '0') return { existing: select(call, chosen), missed: [] };
  return { existing: [], missed: store.since(storage(call), Number(asked)) };
}

/**
 * Answers a watch. Resolves when it is over; `stopped` ends it early.
 * A resourceVersion that is too old is told as an ERROR event with a 410 Status, as a real server does.
 */
export function watch(call: Call, form: Representation, response: ServerResponse, stopped: AbortSignal): Promise<void> {
  const chosen = selection(call);
  const { existing, missed } = start(call, chosen);
  const bookmarks = flag(call.query, 'allowWatchBookmarks');
  const watcher = new Watcher(call, chosen, form, response);
  response.writeHead(200, { 'content-type': 'application/json' });
  response.flushHeaders();
  if (missed === undefined) {
    const { resourceVersion } = call.cluster.store;
    const status = expired(`too old resource version: ${call.query.get('resourceVersion') ?? ''} (${resourceVersion})`);
    watcher.write(JSON.stringify({ type: 'ERROR', object: status.toStatus() }));
    response.end();
    return Promise.resolve();
  }
  for (const stored of existing) watcher.event('ADDED', stored);
  for (const change of missed) watcher.change(change);
  if (flag(call.query, 'sendInitialEvents') && bookmarks) watcher.bookmark(true);
  return follow(call, watcher, bookmarks, response, stopped);
}

function follow(
  call: Call,
  watcher: Watcher,
  bookmarks: boolean,
  response: ServerResponse,
  stopped: AbortSignal,
): Promise<void> {
  const seconds = Number(call.query.get('timeoutSeconds') ?? DEFAULT_TIMEOUT_SECONDS) || DEFAULT_TIMEOUT_SECONDS;
  const own = storage(call);
  return new Promise((resolve) => {
    const unsubscribe = call.cluster.store.subscribe((change) => {
      if (change.storage === own) watcher.change(change);
    });
    const beat = bookmarks ? setInterval(() => watcher.bookmark(false), BOOKMARK_MS) : undefined;
    const finish = (): void => {
      unsubscribe();
      clearInterval(beat);
      clearTimeout(timer);
      stopped.removeEventListener('abort', end);
      resolve();
    };
    const end = (): void => {
      if (bookmarks && !stopped.aborted) watcher.bookmark(false);
      response.end();
    };
    const timer = setTimeout(end, seconds * 1000);
    response.once('close', finish);
    stopped.addEventListener('abort', end, { once: true });
    if (stopped.aborted) end();
  });
}

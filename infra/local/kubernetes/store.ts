import type { Entry, Journal } from './journal.ts';
import { textAt, withAt, type JsonObject } from './json.ts';

/** A stored object. It is never changed; a write makes a new one. */
export class Stored {
  readonly object: JsonObject;
  readonly namespace: string;
  readonly name: string;
  readonly resourceVersion: number;
  #json: string | undefined;

  constructor(object: JsonObject, resourceVersion: number) {
    this.object = object;
    this.namespace = textAt(object, 'metadata', 'namespace');
    this.name = textAt(object, 'metadata', 'name');
    this.resourceVersion = resourceVersion;
  }

  /** The object as JSON text, made once: lists and watches join these. */
  get json(): string {
    return (this.#json ??= JSON.stringify(this.object));
  }
}

/** A write in the order of resourceVersions. `previous` is what it replaced or removed. */
export interface Change {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly storage: string;
  readonly resourceVersion: number;
  readonly current: Stored;
  readonly previous: Stored | undefined;
}

/** Label whose values are indexed: looking up a Service's slices must not cost a scan. */
export const INDEXED_LABEL = 'kubernetes.io/service-name';
const HISTORY = 10_000;

interface Bucket {
  readonly objects: Map<string, Stored>;
  readonly byLabel: Map<string, Set<string>>;
  /** Sorted by namespace and name; undefined after objects came or went. */
  sorted: Stored[] | undefined;
}

const keyOf = (namespace: string, name: string): string => `${namespace}/${name}`;

function labelKey(stored: Stored): string | undefined {
  const value = textAt(stored.object, 'metadata', 'labels', INDEXED_LABEL);
  return value === '' ? undefined : keyOf(stored.namespace, value);
}

function byKey(a: Stored, b: Stored): number {
  if (a.namespace !== b.namespace) return a.namespace < b.namespace ? -1 : 1;
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

/** Every object of the cluster, by storage (`group/plural`), namespace and name, with a bounded history for watches. */
export class Store {
  readonly #journal: Journal;
  readonly #buckets = new Map<string, Bucket>();
  readonly #listeners = new Set<(change: Change) => void>();
  #history: Change[] = [];
  #forgotten: number;
  #resourceVersion: number;

  /** Reads what the journal holds. Throws when it is damaged. */
  constructor(journal: Journal) {
    const { resourceVersion, entries } = journal.read();
    this.#journal = journal;
    for (const entry of entries) this.#load(entry);
    this.#resourceVersion = Math.max(resourceVersion, 1);
    this.#forgotten = this.#resourceVersion;
    journal.begin(this.#resourceVersion, this.#entries());
  }

  /** The last resourceVersion given out. */
  get resourceVersion(): number {
    return this.#resourceVersion;
  }

  get(storage: string, namespace: string, name: string): Stored | undefined {
    return this.#buckets.get(storage)?.objects.get(keyOf(namespace, name));
  }

  /** Objects of a kind, of one namespace unless it is undefined, sorted by namespace and name. */
  list(storage: string, namespace?: string): readonly Stored[] {
    const bucket = this.#buckets.get(storage);
    if (bucket === undefined) return [];
    bucket.sorted ??= [...bucket.objects.values()].toSorted(byKey);
    return namespace === undefined ? bucket.sorted : bucket.sorted.filter((item) => item.namespace === namespace);
  }

  /** Objects of a namespace whose indexed label has this value, sorted by name. */
  listByLabel(storage: string, namespace: string, value: string): readonly Stored[] {
    const bucket = this.#buckets.get(storage);
    const keys = bucket?.byLabel.get(keyOf(namespace, value)) ?? [];
    return [...keys].flatMap((key) => bucket?.objects.get(key) ?? []).toSorted(byKey);
  }

  /** The storages that hold objects. */
  storages(): readonly string[] {
    return [...this.#buckets.keys()];
  }

  /** Stores an object under the next resourceVersion. */
  put(storage: string, object: JsonObject): Stored {
    const resourceVersion = ++this.#resourceVersion;
    const current = new Stored(
      withAt(object, ['metadata', 'resourceVersion'], String(resourceVersion)),
      resourceVersion,
    );
    const previous = this.get(storage, current.namespace, current.name);
    this.#journal.append(resourceVersion, { storage, object: current.object });
    this.#set(storage, current);
    this.#publish({ type: previous === undefined ? 'ADDED' : 'MODIFIED', storage, resourceVersion, current, previous });
    return current;
  }

  /** Removes an object; watchers see its last state under the resourceVersion of the removal. */
  remove(storage: string, stored: Stored): Stored {
    const resourceVersion = ++this.#resourceVersion;
    const object = withAt(stored.object, ['metadata', 'resourceVersion'], String(resourceVersion));
    const current = new Stored(object, resourceVersion);
    this.#journal.append(resourceVersion, { storage, removed: { namespace: stored.namespace, name: stored.name } });
    this.#unset(storage, stored);
    this.#publish({ type: 'DELETED', storage, resourceVersion, current, previous: stored });
    return current;
  }

  /** The changes of a kind after a resourceVersion; undefined when they are no longer all known. */
  since(storage: string, resourceVersion: number): readonly Change[] | undefined {
    if (resourceVersion < this.#forgotten) return undefined;
    return this.#history.filter((change) => change.resourceVersion > resourceVersion && change.storage === storage);
  }

  /** Calls the listener for every later change, until the returned function is called. */
  subscribe(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#journal.close();
  }

  #publish(change: Change): void {
    this.#history.push(change);
    if (this.#history.length > 2 * HISTORY) {
      this.#history = this.#history.slice(-HISTORY);
      this.#forgotten = (this.#history[0]?.resourceVersion ?? 1) - 1;
    }
    for (const listener of this.#listeners) listener(change);
  }

  #bucket(storage: string): Bucket {
    const found = this.#buckets.get(storage);
    if (found !== undefined) return found;
    const made: Bucket = { objects: new Map(), byLabel: new Map(), sorted: undefined };
    this.#buckets.set(storage, made);
    return made;
  }

  #set(storage: string, stored: Stored): void {
    const previous = this.get(storage, stored.namespace, stored.name);
    if (previous !== undefined) this.#unset(storage, previous);
    const bucket = this.#bucket(storage);
    const key = keyOf(stored.namespace, stored.name);
    bucket.objects.set(key, stored);
    bucket.sorted = undefined;
    const label = labelKey(stored);
    if (label !== undefined) bucket.byLabel.set(label, (bucket.byLabel.get(label) ?? new Set()).add(key));
  }

  #unset(storage: string, stored: Stored): void {
    const bucket = this.#bucket(storage);
    const key = keyOf(stored.namespace, stored.name);
    bucket.objects.delete(key);
    bucket.sorted = undefined;
    const label = labelKey(stored);
    if (label === undefined) return;
    bucket.byLabel.get(label)?.delete(key);
    if (bucket.byLabel.get(label)?.size === 0) bucket.byLabel.delete(label);
  }

  #load(entry: Entry): void {
    if ('object' in entry) {
      const resourceVersion = Number(textAt(entry.object, 'metadata', 'resourceVersion'));
      this.#set(entry.storage, new Stored(entry.object, resourceVersion));
      return;
    }
    const stored = this.get(entry.storage, entry.removed.namespace, entry.removed.name);
    if (stored !== undefined) this.#unset(entry.storage, stored);
  }

  #entries(): readonly Entry[] {
    return [...this.#buckets].flatMap(([storage, bucket]) =>
      [...bucket.objects.values()].map((stored): Entry => ({ storage, object: stored.object })),
    );
  }
}

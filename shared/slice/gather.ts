import {
  affected,
  dependents,
  load,
  type Affected,
  type ChangedObject,
  type Intent,
  type Loaded,
  type Lock,
  type Pending,
  type SharedTargets,
} from '../index/index.ts';
import { learntSince } from '../index/freshness.ts';
import { keyOf, keyOfRef, providedKeys, type Key } from '../kubernetes/keys.ts';
import { liveLookup } from '../kubernetes/live.ts';
import type { ChangeEvent } from '../events.ts';
import type { KubernetesObject } from '../kubernetes/resources.ts';
import { inParallel } from '../parallel.ts';
import { joins, type Joins } from '../plan/joins.ts';
import type { Resolution } from '../plan/resolve.ts';
import { isRoot } from '../translate/index.ts';
import type { Proposal, Slot } from '../translate/types.ts';
import { isEarly } from './early.ts';
import { fromEndpoints } from './endpoints.ts';
import { indexedMembers } from './members.ts';
import { observed, overlay, type ObservedLookup } from './lookups.ts';
import { resolveLoaded } from './resolve.ts';
import { read, translateKey, type Translated } from './translate.ts';
import type { SliceDependencies, SliceRequest } from './types.ts';

/** Roots translated at a time; each may have several requests under way. */
const ROOTS_AT_ONCE = 8;

/** All that a slice knows before it looks at Kong. */
export interface Gathered {
  readonly changes: readonly ChangeEvent[];
  readonly early: readonly ChangeEvent[];
  /** Keys that changed; their objects' provided keys included. */
  readonly changedKeys: readonly Key[];
  /** Changed objects and what they provide now. */
  readonly changedObjects: ReadonlyMap<Key, KubernetesObject | undefined>;
  readonly translated: ReadonlyMap<Key, Translated>;
  readonly remaining: readonly Key[];
  /** The same, by the objects whose change reached them. */
  readonly pending: readonly Pending[];
  /** Targets that were made anew without translating the roots that propose them. */
  readonly endpoints: readonly SharedTargets[];
  /** What slices that died left behind. */
  readonly intents: readonly Intent[];
  readonly loaded: Loaded;
  readonly resolution: Resolution;
  /** Objects that were in the answers to queries. */
  readonly provides: ReadonlyMap<Key, readonly Key[]>;
  /** Keys that were read from the cluster in spite of a snapshot; undefined without a snapshot. */
  readonly dirty: ReadonlySet<Key> | undefined;
}

const NOTHING: Loaded = { old: [], slots: new Map(), quarantine: new Map(), failing: new Set() };

interface Reading {
  readonly lookup: ObservedLookup;
  readonly dirty: ReadonlySet<Key> | undefined;
}

async function openLookup(lock: Lock, request: SliceRequest, dependencies: SliceDependencies): Promise<Reading> {
  const live = liveLookup(dependencies.kubernetes, indexedMembers(lock, request.changes ?? []));
  if (request.snapshot === undefined) return { lookup: observed(live), dirty: undefined };
  const dirty = await learntSince(lock, request.snapshot.asOf);
  return { lookup: observed(overlay(request.snapshot.lookup, live, dirty)), dirty };
}

async function readChanges(
  changes: readonly ChangeEvent[],
  lookup: ObservedLookup,
): Promise<ReadonlyMap<Key, KubernetesObject | undefined>> {
  const refs = new Map(changes.map((change) => [keyOfRef(change.ref), change.ref]));
  const found = await inParallel(
    ROOTS_AT_ONCE,
    [...refs],
    async ([key, ref]) => [key, await read(lookup, ref)] as const,
  );
  return new Map(found);
}

/** Every slot that matters for these proposals: their own, and those that they refer to. */
export function slotsOf(proposals: readonly Proposal[]): readonly Slot[] {
  return proposals.flatMap((item) => [
    item.slot,
    ...Object.values(item.refs).map((ref) => ref.slot),
    ...(item.gate === undefined ? [] : [item.gate]),
  ]);
}

/** The proposals at hand. */
export function proposalsOf(translated: ReadonlyMap<Key, Translated>): readonly Proposal[] {
  return [...translated.values()].flatMap((item) => item.proposals ?? []);
}

/** The slice's roots that take part in elections; one that could not be translated stays outside as it was. */
function insideKeys(translated: ReadonlyMap<Key, Translated>): readonly Key[] {
  return [...translated].filter(([, item]) => item.proposals !== undefined).map(([key]) => key);
}

/** Tells an object's state from every other one; of one that is gone, by what its events said. */
function versionOf(key: Key, object: KubernetesObject | undefined, changes: readonly ChangeEvent[]): string {
  const version = object?.metadata.resourceVersion;
  if (version !== undefined) return version;
  const events = changes.filter((change) => keyOfRef(change.ref) === key);
  return JSON.stringify(events.map(({ uid, resourceVersion, observedAt }) => [uid, resourceVersion, observedAt]));
}

function changedObjectsOf(
  found: ReadonlyMap<Key, KubernetesObject | undefined>,
  changes: readonly ChangeEvent[],
): readonly ChangedObject[] {
  return [...found].map(([key, object]) => ({
    object: key,
    version: versionOf(key, object, changes),
    provides: object === undefined ? [] : providedKeys(object),
  }));
}

function pendingOf(changed: readonly ChangedObject[], touched: Affected, remaining: readonly Key[]): Pending[] {
  const left = new Set(remaining);
  return changed.flatMap(({ object, version }) =>
    (touched.reached.get(object) ?? []).filter((root) => left.has(root)).map((root) => ({ object, version, root })),
  );
}

/** Whether endpoints are all that changed, and nothing else is asked for. */
function isAboutEndpoints({ changes = [], roots, orphans, snapshot }: SliceRequest, touched: Affected): boolean {
  const others = [...(roots ?? []), ...(orphans ?? []), ...touched.intents];
  return snapshot === undefined && others.length === 0 && changes.every(({ ref }) => ref.kind === 'EndpointSlice');
}

async function joining(lock: Lock, wanted: Joins, inside: readonly Key[]): Promise<readonly Key[]> {
  if (wanted.dependentsOf.length === 0 && wanted.ownersOf.length === 0) return wanted.roots;
  return [...wanted.roots, ...(await dependents(lock, wanted.dependentsOf, wanted.ownersOf, inside))];
}

/** What every way to gather has in common. */
type Common = Pick<Gathered, 'changes' | 'early' | 'changedObjects' | 'intents' | 'dirty'>;

/** Works off endpoints that changed, without their roots where that can be. */
async function gatherEndpoints(
  lock: Lock,
  common: Common,
  touched: Affected,
  lookup: ObservedLookup,
  dependencies: SliceDependencies,
): Promise<Gathered | undefined> {
  const keys = touched.keys.filter((key) => key.startsWith('EndpointSlice?'));
  const made = await fromEndpoints(lock, keys, lookup, dependencies);
  if (made === undefined) return undefined;
  const { keys: asked, ...rest } = made;
  const nothing = { translated: new Map(), remaining: [], pending: [] };
  return {
    ...common,
    ...nothing,
    ...rest,
    changedKeys: [...new Set([...touched.keys, ...asked])],
    provides: lookup.provides(),
  };
}

type Roots = Pick<Gathered, 'translated' | 'loaded' | 'resolution'>;

/** Translates roots, and those that this concerns, until nothing joins. */
async function gatherRoots(
  lock: Lock,
  first: readonly Key[],
  intents: readonly Intent[],
  lookup: ObservedLookup,
  { options, kong, translate }: SliceDependencies,
): Promise<Roots> {
  let next = first;
  const translated = new Map<Key, Translated>();
  for (;;) {
    const results = await inParallel(ROOTS_AT_ONCE, next, (key) => translateKey(key, lookup, options, translate));
    next.forEach((key, index) => {
      const result = results[index];
      if (result !== undefined) translated.set(key, result);
    });
    const inside = insideKeys(translated);
    const proposals = proposalsOf(translated);
    const slots = [...new Set([...slotsOf(proposals), ...intents.map((intent) => intent.slot)])];
    const nothing = inside.length === 0 && slots.length === 0;
    const loaded = nothing ? NOTHING : await load(lock, options.cluster, inside, slots);
    const resolution = resolveLoaded(proposals, loaded, kong.filterTags);
    const wanted = await joining(lock, joins(resolution, loaded.slots, new Set(inside)), inside);
    next = [...new Set(wanted)].filter((key) => !translated.has(key));
    if (next.length === 0) return { translated, loaded, resolution };
  }
}

/**
 * Steps 1 to 3 of DESIGN §5: which roots the changes touch, what they want now, who wins the slots, and which other
 * roots that concerns, until nothing joins. Everything is read inside the lock.
 */
export async function gather(lock: Lock, request: SliceRequest, dependencies: SliceDependencies): Promise<Gathered> {
  const { lookup, dirty } = await openLookup(lock, request, dependencies);
  const changes = request.changes ?? [];
  const changedObjects = await readChanges(changes, lookup);
  const changed = changedObjectsOf(changedObjects, changes);
  const touched = await affected(lock, dependencies.options.cluster, changed);
  const { intents } = touched;
  const early = changes.filter((change) => isEarly(change, changedObjects.get(keyOfRef(change.ref))));
  const common: Common = { changes, early, changedObjects, intents, dirty };
  if (touched.reached.size > 0 && isAboutEndpoints(request, touched)) {
    const gathered = await gatherEndpoints(lock, common, touched, lookup, dependencies);
    if (gathered !== undefined) return gathered;
  }
  const first = [
    ...new Set([
      ...intents.flatMap((intent) => intent.root ?? []),
      ...[...changedObjects.values()]
        .filter((object) => object !== undefined)
        .filter(isRoot)
        .map(keyOf),
      ...(request.roots ?? []),
      ...[...touched.reached.values()].flat(),
    ]),
  ];
  const limit = Math.max(dependencies.settings.maxRoots, intents.length);
  const roots = await gatherRoots(lock, first.slice(0, limit), intents, lookup, dependencies);
  const remaining = first.slice(limit).filter((key) => !roots.translated.has(key));
  return {
    ...common,
    ...roots,
    changedKeys: touched.keys,
    remaining,
    pending: pendingOf(changed, touched, remaining),
    endpoints: [],
    provides: lookup.provides(),
  };
}

import { affected, dependents, load, type Intent, type Loaded, type Lock } from '../index/index.ts';
import { learntSince } from '../index/freshness.ts';
import { keyOf, keyOfRef, providedKeys, type Key } from '../kubernetes/keys.ts';
import { liveLookup } from '../kubernetes/live.ts';
import type { ChangeEvent } from '../events.ts';
import type { KubernetesObject } from '../kubernetes/resources.ts';
import { inParallel } from '../parallel.ts';
import { joins, type Joins } from '../plan/joins.ts';
import { resolve, type Adoption, type Resolution } from '../plan/resolve.ts';
import { isRoot } from '../translate/index.ts';
import type { Proposal, Slot } from '../translate/types.ts';
import { isEarly } from './early.ts';
import { indexedMembers } from './members.ts';
import { observed, overlay, type ObservedLookup } from './lookups.ts';
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
  /** What slices that died left behind. */
  readonly intents: readonly Intent[];
  readonly loaded: Loaded;
  readonly resolution: Resolution;
  /** Objects that were in the answers to queries. */
  readonly provides: ReadonlyMap<Key, readonly Key[]>;
  /** Keys that were read from the cluster in spite of a snapshot; undefined without a snapshot. */
  readonly dirty: ReadonlySet<Key> | undefined;
}

const NOTHING: Loaded = { old: [], slots: new Map(), quarantine: new Map() };

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
function slotsOf(proposals: readonly Proposal[]): readonly Slot[] {
  return proposals.flatMap((item) => [
    item.slot,
    ...Object.values(item.refs).map((ref) => ref.slot),
    ...(item.gate === undefined ? [] : [item.gate]),
  ]);
}

/** Adoptions that the index remembers, and those that were found just now. */
export function adoptions(loaded: Loaded, found: ReadonlyMap<Slot, Adoption> = new Map()): ReadonlyMap<Slot, Adoption> {
  const known = [...loaded.slots.values()].flatMap((state) =>
    state.known === undefined || state.known.id === state.known.proposedId
      ? []
      : [[state.slot, { proposedId: state.known.proposedId, id: state.known.id }] as const],
  );
  return new Map([...known, ...found]);
}

/** Elects the slots that a slice touches. */
export function resolveLoaded(
  proposals: readonly Proposal[],
  loaded: Loaded,
  filterTags: readonly string[],
  found?: ReadonlyMap<Slot, Adoption>,
): Resolution {
  return resolve(proposals, {
    filterTags,
    outside: [...loaded.slots.values()].flatMap((state) => state.outside ?? []),
    adopted: adoptions(loaded, found),
  });
}

/** The proposals at hand. */
export function proposalsOf(translated: ReadonlyMap<Key, Translated>): readonly Proposal[] {
  return [...translated.values()].flatMap((item) => item.proposals ?? []);
}

/** The slice's roots that take part in elections; one that could not be translated stays outside as it was. */
function insideKeys(translated: ReadonlyMap<Key, Translated>): readonly Key[] {
  return [...translated].filter(([, item]) => item.proposals !== undefined).map(([key]) => key);
}

async function joining(lock: Lock, wanted: Joins, inside: readonly Key[]): Promise<readonly Key[]> {
  if (wanted.dependentsOf.length === 0 && wanted.ownersOf.length === 0) return wanted.roots;
  return [...wanted.roots, ...(await dependents(lock, wanted.dependentsOf, wanted.ownersOf, inside))];
}

/**
 * Steps 1 to 3 of DESIGN §5: which roots the changes touch, what they want now, who wins the slots, and which other
 * roots that concerns, until nothing joins. Everything is read inside the lock.
 */
export async function gather(lock: Lock, request: SliceRequest, dependencies: SliceDependencies): Promise<Gathered> {
  const { options, settings, kong } = dependencies;
  const { lookup, dirty } = await openLookup(lock, request, dependencies);
  const changes = request.changes ?? [];
  const changedObjects = await readChanges(changes, lookup);
  const present = [...changedObjects.values()].filter((object) => object !== undefined);
  const touched = await affected(lock, options.cluster, [
    ...new Set([...changedObjects.keys(), ...present.flatMap(providedKeys)]),
  ]);
  const first = new Set([
    ...touched.intents.flatMap((intent) => intent.root ?? []),
    ...present.filter(isRoot).map(keyOf),
    ...(request.roots ?? []),
    ...touched.roots,
  ]);
  const limit = Math.max(settings.maxRoots, touched.intents.length);
  let next: readonly Key[] = [...first].slice(0, limit);
  const translated = new Map<Key, Translated>();
  for (;;) {
    const results = await inParallel(ROOTS_AT_ONCE, next, (key) =>
      translateKey(key, lookup, options, dependencies.translate),
    );
    next.forEach((key, index) => {
      const result = results[index];
      if (result !== undefined) translated.set(key, result);
    });
    const inside = insideKeys(translated);
    const proposals = proposalsOf(translated);
    const slots = [...new Set([...slotsOf(proposals), ...touched.intents.map((intent) => intent.slot)])];
    const nothing = inside.length === 0 && slots.length === 0;
    const loaded = nothing ? NOTHING : await load(lock, options.cluster, inside, slots);
    const resolution = resolveLoaded(proposals, loaded, kong.filterTags);
    const wanted = await joining(lock, joins(resolution, loaded.slots, new Set(inside)), inside);
    next = [...new Set(wanted)].filter((key) => !translated.has(key));
    if (next.length > 0) continue;
    return {
      changes,
      early: changes.filter((change) => isEarly(change, changedObjects.get(keyOfRef(change.ref)))),
      changedKeys: touched.keys,
      changedObjects,
      translated,
      remaining: [...first].slice(limit).filter((key) => !translated.has(key)),
      intents: touched.intents,
      loaded,
      resolution,
      provides: lookup.provides(),
      dirty,
    };
  }
}

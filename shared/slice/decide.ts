import { display, finding } from '../findings.ts';
import type { Quarantine } from '../index/index.ts';
import { ownersOf } from '../index/owned.ts';
import type { Queryable } from '../index/database.ts';
import { refOfKey } from '../index/refs.ts';
import { keyOfRef, type Key } from '../kubernetes/keys.ts';
import type { ActualState, Version } from '../kong/actual.ts';
import type { AdminClient } from '../kong/admin.ts';
import { compare, type Comparison } from '../kong/compare.ts';
import { ENTITIES } from '../kong/entities.ts';
import { parentsOf, plan } from '../plan/plan.ts';
import type { Adoption, Resolution } from '../plan/resolve.ts';
import type { Change, Desired, EntityRef, KnownSlot, Plan } from '../plan/types.ts';
import type { Finding, Slot } from '../translate/types.ts';
import { proposalsOf, type Gathered } from './gather.ts';
import { resolveLoaded } from './resolve.ts';
import type { SliceRequest } from './types.ts';

type Current = Extract<Change, { action: 'delete' }>['current'];

/** What a slice has found out about Kong, and what it will do. */
export interface Decision {
  readonly resolution: Resolution;
  readonly comparisons: readonly Comparison[];
  readonly plan: Plan;
  /** Entities that nobody proposes any more and that Kong does not have, or that are not ours. */
  readonly vanished: readonly Current[];
  readonly findings: readonly Finding[];
}

export interface Kong {
  readonly actual: ActualState;
  readonly admin: AdminClient;
}

/** What nobody wants any more: lost slots, ids that a slot gave up, writes that a slice which died announced. */
function unwanted(gathered: Gathered, resolution: Resolution, cluster: string): readonly Current[] {
  const wanted = new Set([...resolution.winners.values()].map((winner) => winner.id));
  const known = [...gathered.loaded.slots.values()].flatMap((state) => state.known ?? []);
  const announced = gathered.intents.map(({ type, id, slot, root }): Current => {
    return { type, id, slot, ...(root === undefined ? {} : { root: refOfKey(cluster, root) }) };
  });
  const all = [...known.map(({ type, id, slot, root }): Current => ({ type, id, slot, root })), ...announced];
  return [
    ...new Map(all.filter(({ id }) => !wanted.has(id)).map((item) => [`${item.type}/${item.id}`, item])).values(),
  ];
}

/** Orphans are looked up again: since they were found, a slice may have given them to somebody. */
async function orphans(database: Queryable, cluster: string, refs: readonly EntityRef[]): Promise<readonly Current[]> {
  const owners = await ownersOf(
    database,
    refs.map((ref) => ref.id),
  );
  return refs.flatMap(({ type, id }): Current[] => {
    const owner = owners.get(id);
    if (owner === undefined) return [{ type, id, slot: `${type}/${id}` }];
    return owner.proposed ? [] : [{ type, id, slot: owner.slot, root: refOfKey(cluster, owner.root) }];
  });
}

function knownById(gathered: Gathered): ReadonlyMap<string, KnownSlot> {
  return new Map(
    [...gathered.loaded.slots.values()].flatMap(({ known }) => (known === undefined ? [] : [[known.id, known]])),
  );
}

interface Compared {
  readonly resolution: Resolution;
  readonly comparisons: readonly Comparison[];
  readonly versions: ReadonlyMap<string, Version>;
}

/** Compares once, and once more when entities were found that are there under other ids. */
async function compareAll(
  gathered: Gathered,
  deletes: readonly EntityRef[],
  kong: Kong,
  filterTags: readonly string[],
): Promise<Compared> {
  let resolution = gathered.resolution;
  const adopted = new Map<Slot, Adoption>();
  const known = knownById(gathered);
  for (;;) {
    const wanted = resolution.desired.map((item) => item.entity);
    const versions = await kong.actual.versions([...wanted, ...deletes]);
    // compare() asks for a part of what is at hand already.
    const actual: ActualState = { ...kong.actual, versions: async () => versions };
    const comparisons = await compare(resolution.desired, known, actual, kong.admin);
    const before = adopted.size;
    const taken = new Set([...resolution.winners.values()].map((winner) => winner.id));
    for (const item of comparisons) {
      if (item.state !== 'moved' || !item.adopt || adopted.has(item.desired.slot) || taken.has(item.holder.id))
        continue;
      taken.add(item.holder.id);
      const proposedId = resolution.winners.get(item.desired.slot)?.proposedId ?? item.desired.entity.id;
      adopted.set(item.desired.slot, { proposedId, id: item.holder.id });
    }
    if (adopted.size === before) return { resolution, comparisons, versions };
    resolution = resolveLoaded(proposalsOf(gathered.translated), gathered.loaded, filterTags, adopted);
  }
}

interface Sorted {
  readonly creates: Desired[];
  readonly updates: Desired[];
  readonly after: Map<string, string>;
  readonly withheld: Plan['withheld'][number][];
  readonly findings: Finding[];
  /** Ids of entities that Kong does not have and will not get now. */
  readonly blocked: Set<string>;
}

const PAUSED = 'Kong rejected it before, and it is not time to try again';

/** A rejected entity that is as it was waits, unless its own root changed. */
function isPaused(desired: Desired, quarantine: ReadonlyMap<Slot, Quarantine>, changed: ReadonlySet<Key>): boolean {
  const entry = quarantine.get(desired.slot);
  return entry !== undefined && entry.hash === desired.hash && !entry.due && !changed.has(keyOfRef(desired.root));
}

function sortOne(sorted: Sorted, item: Comparison, isGoing: (id: string) => boolean, paused: boolean): void {
  const { desired } = item;
  if (item.state === 'unchanged' || item.state === 'adopt') return;
  const exists = item.state === 'changed' || item.state === 'drift';
  const change: Change = { action: exists ? 'update' : 'create', desired };
  const block = (reason: string): void => {
    sorted.withheld.push({ change, reason });
    if (!exists) sorted.blocked.add(desired.entity.id);
  };
  if (item.state === 'foreign') {
    sorted.findings.push(item.finding);
    return block(item.finding.reason);
  }
  if (parentsOf(desired.entity).some((id) => sorted.blocked.has(id))) return block('what it refers to is not in Kong');
  if (paused) return block(PAUSED);
  if (item.state === 'moved') {
    if (!isGoing(item.holder.id)) {
      const detail = `${desired.entity.type} ${desired.entity.id} needs a name or key that ${item.holder.type} ${item.holder.id} has`;
      sorted.findings.push(finding(desired.root, 'KongKeyHeld', detail));
      return block('KongKeyHeld');
    }
    sorted.after.set(desired.entity.id, item.holder.id);
  }
  (exists ? sorted.updates : sorted.creates).push(desired);
}

function sortAll(gathered: Gathered, comparisons: readonly Comparison[], deletes: readonly Current[]): Sorted {
  const sorted: Sorted = { creates: [], updates: [], after: new Map(), withheld: [], findings: [], blocked: new Set() };
  const deleting = new Set(deletes.map((item) => item.id));
  const writing = new Set(
    comparisons
      .filter((item) => item.state === 'changed' || item.state === 'drift')
      .map((item) => item.desired.entity.id),
  );
  const isGoing = (id: string): boolean => deleting.has(id) || writing.has(id);
  const changed = new Set(gathered.changedObjects.keys());
  const parentsFirst = comparisons.toSorted(
    (a, b) => ENTITIES[a.desired.entity.type].level - ENTITIES[b.desired.entity.type].level,
  );
  for (const item of parentsFirst)
    sortOne(sorted, item, isGoing, isPaused(item.desired, gathered.loaded.quarantine, changed));
  return sorted;
}

interface Deletes {
  readonly deletes: readonly Current[];
  readonly vanished: readonly Current[];
  readonly findings: readonly Finding[];
}

/** Only what carries our tags is deleted; what does not, but did when we wrote it, is a finding. */
function judgeDeletes(
  candidates: readonly Current[],
  versions: ReadonlyMap<string, Version>,
  written: ReadonlySet<string>,
): Deletes {
  const deletes = candidates.filter(({ id }) => versions.get(id)?.managed === true);
  const vanished = candidates.filter(({ id }) => versions.get(id)?.managed !== true);
  const findings = vanished.flatMap(({ type, id, root }) => {
    if (root === undefined || !versions.has(id) || !written.has(id)) return [];
    return [
      finding(
        root,
        'KongEntityNotOurs',
        `${type} ${id} of ${display(root)} is left in Kong: it has lost the filter tag`,
      ),
    ];
  });
  return { deletes, vanished, findings };
}

/** Steps 4 and 5 of DESIGN §5 up to the plan: what Kong has, and what has to be written. */
export async function decide(
  gathered: Gathered,
  request: SliceRequest,
  kong: Kong,
  context: { readonly database: Queryable; readonly cluster: string; readonly filterTags: readonly string[] },
): Promise<Decision> {
  const lost = unwanted(gathered, gathered.resolution, context.cluster);
  const stray = await orphans(context.database, context.cluster, request.orphans ?? []);
  const candidates = [...new Map([...stray, ...lost].map((item) => [`${item.type}/${item.id}`, item])).values()];
  const nothing = gathered.resolution.desired.length === 0 && candidates.length === 0;
  const compared = nothing
    ? { resolution: gathered.resolution, comparisons: [], versions: new Map<string, Version>() }
    : await compareAll(gathered, candidates, kong, context.filterTags);
  const taken = new Set([...compared.resolution.winners.values()].map((winner) => winner.id));
  const written = new Set(
    [...knownById(gathered).values()].filter((item) => item.hash !== undefined).map((item) => item.id),
  );
  const judged = judgeDeletes(
    candidates.filter(({ id }) => !taken.has(id)),
    compared.versions,
    written,
  );
  const held = request.withholdDeletes;
  const deletes = held === undefined ? judged.deletes : [];
  const sorted = sortAll(gathered, compared.comparisons, deletes);
  const kept =
    held === undefined
      ? []
      : judged.deletes.map((current) => ({ change: { action: 'delete' as const, current }, reason: held }));
  return {
    resolution: compared.resolution,
    comparisons: compared.comparisons,
    plan: plan({
      creates: sorted.creates,
      updates: sorted.updates,
      deletes,
      after: sorted.after,
      withheld: [...sorted.withheld, ...kept],
    }),
    vanished: judged.vanished,
    findings: [...sorted.findings, ...judged.findings],
  };
}

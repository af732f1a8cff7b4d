import type { Clock, Memory, Rejected, RootRecord } from '../index/index.ts';
import { keyOfRef, providedKeys, type Key } from '../kubernetes/keys.ts';
import { isGone, isResource } from '../kubernetes/object.ts';
import { subject } from '../plan/plan.ts';
import type { Winner } from '../plan/resolve.ts';
import type { Change, KnownSlot, Outcome, StoredProposal } from '../plan/types.ts';
import type { EntityType } from '../kong/entities.ts';
import { describe, type DescribeOptions } from '../status/describe.ts';
import { classReports } from '../status/gateway.ts';
import type { StatusReport } from '../status/types.ts';
import type { Finding, Proposal, Slot } from '../translate/types.ts';
import type { Decision } from './decide.ts';
import type { Gathered } from './gather.ts';
import { targetHashes, translationHash, type Translated } from './translate.ts';

/** What a slice did to Kong. */
export interface Done {
  readonly outcome: Outcome;
  /** Entity id → xmin after the write, of what is not left to the commit to read. */
  readonly written: ReadonlyMap<string, string>;
  readonly readBack: Memory['readBack'];
  readonly intents: Memory['intents'];
  readonly clock: Clock | undefined;
  /** What the canary says since then; undefined: nothing was written, or it is off, or Kong refused it. */
  readonly epoch?: number | undefined;
}

function slotOf(change: Change): Slot {
  return change.action === 'delete' ? change.current.slot : change.desired.slot;
}

/** Slot → hash and xmin of what Kong has now, as far as the slice knows. */
function marks(decision: Decision, done: Done): ReadonlyMap<Slot, Pick<KnownSlot, 'id' | 'hash' | 'xmin'>> {
  const result = new Map<Slot, Pick<KnownSlot, 'id' | 'hash' | 'xmin'>>();
  for (const item of decision.comparisons) {
    if (item.state !== 'adopt' && item.state !== 'unchanged') continue;
    result.set(item.desired.slot, { id: item.desired.entity.id, hash: item.desired.hash, xmin: item.xmin });
  }
  for (const change of done.outcome.applied) {
    if (change.action === 'delete') continue;
    const { desired } = change;
    const xmin = done.written.get(desired.entity.id);
    // A row that is gone again right after its write is somebody else's doing: the next run finds it missing.
    result.set(desired.slot, { id: desired.entity.id, hash: desired.hash, xmin });
  }
  return result;
}

/** A slot's holder as it is remembered. What was not written keeps its earlier marks, and a body hash that never matches. */
function holder(
  winner: Winner,
  known: KnownSlot | undefined,
  mark: Pick<KnownSlot, 'id' | 'hash' | 'xmin'> | undefined,
  settled: boolean,
): KnownSlot {
  const { slot, type, root, proposedId } = winner;
  if (mark !== undefined) return { slot, type, root, proposedId, bodyHash: winner.bodyHash, ...mark };
  if (settled && known !== undefined) return { ...known, root, bodyHash: winner.bodyHash };
  const earlier = known?.id === winner.id ? known : undefined;
  return { slot, type, root, proposedId, id: winner.id, bodyHash: '', hash: earlier?.hash, xmin: earlier?.xmin };
}

function entities(gathered: Gathered, decision: Decision, done: Done): readonly KnownSlot[] {
  const marked = marks(decision, done);
  const compared = new Set(decision.comparisons.map((item) => item.desired.slot));
  const proposed = new Set(decision.resolution.stored.map((item) => item.slot));
  return [...decision.resolution.winners.values()].flatMap((winner) => {
    const known = gathered.loaded.slots.get(winner.slot)?.known;
    // A slot that the slice only refers to, or whose holder outside is as it was.
    if (!compared.has(winner.slot) && (known === undefined || !proposed.has(winner.slot))) return [];
    return [holder(winner, known, marked.get(winner.slot), !compared.has(winner.slot))];
  });
}

/** Slots that nobody holds now and whose entity is gone. */
function dropped(gathered: Gathered, decision: Decision, done: Done): readonly Slot[] {
  const deleted = done.outcome.applied.filter((change) => change.action === 'delete').map(slotOf);
  const vanished = decision.vanished.map((current) => current.slot);
  return [...new Set([...deleted, ...vanished])].filter((slot) => !decision.resolution.winners.has(slot));
}

function rejected(done: Done): readonly Rejected[] {
  const all = done.outcome.rejected.map(({ change, finding }): Rejected => {
    const root = change.action === 'delete' ? change.current.root : change.desired.root;
    return {
      type: subject(change).type,
      id: subject(change).id,
      slot: slotOf(change),
      root: root === undefined ? undefined : keyOfRef(root),
      hash: change.action === 'delete' ? undefined : change.desired.hash,
      finding,
    };
  });
  return [...new Map(all.map((item) => [item.slot, item])).values()];
}

/** Slots whose rejection is over: everything that the slice settled. */
function released(gathered: Gathered, decision: Decision, done: Done): readonly Slot[] {
  const still = new Set([
    ...done.outcome.rejected.map(({ change }) => slotOf(change)),
    ...decision.plan.withheld.map(({ change }) => slotOf(change)),
  ]);
  return [...gathered.loaded.quarantine.keys()].filter((slot) => !still.has(slot));
}

function findingsOf(all: readonly Finding[]): ReadonlyMap<Key, readonly Finding[]> {
  return Map.groupBy(all, (finding) => keyOfRef(finding.object));
}

/** An upstream's proposal with the hash of its targets. */
function hashed(stored: readonly StoredProposal[], proposals: readonly Proposal[]): readonly StoredProposal[] {
  const hashes = targetHashes(proposals);
  return stored.map((item) => {
    const targets = hashes.get(item.slot);
    return targets === undefined ? item : { ...item, targets };
  });
}

/** Slot → type of what this slice wrote, or a slice before it that died. */
function writtenSlots(gathered: Gathered, done: Done): ReadonlyMap<Slot, EntityType> {
  const applied = done.outcome.applied.map((change) => [slotOf(change), subject(change).type] as const);
  return new Map([...gathered.intents.map(({ slot, type }) => [slot, type] as const), ...applied]);
}

/** Whether a slice wrote something that a root wants, or wanted before. */
function wroteFor(slots: readonly Slot[], written: ReadonlyMap<Slot, EntityType>): RootRecord['wrote'] {
  const types = slots.flatMap((slot) => written.get(slot) ?? []);
  return { any: types.length > 0, configuration: types.some((type) => type !== 'targets') };
}

/** Root → why something that it wants is not written, or not yet. */
function withheldOf(decision: Decision): ReadonlyMap<Key, string> {
  return new Map(
    decision.plan.withheld.flatMap(({ change, reason }) => {
      const root = change.action === 'delete' ? change.current.root : change.desired.root;
      return root === undefined ? [] : [[keyOfRef(root), reason] as const];
    }),
  );
}

interface Outcomes {
  readonly extra: readonly Finding[];
  readonly options: DescribeOptions;
}

/** What a root says of statuses, with what became of its entities. */
function finalReports(
  item: Translated,
  more: readonly Finding[],
  withheld: string | undefined,
  options: DescribeOptions,
): readonly StatusReport[] {
  const { object, proposals, findings, seen, reports } = item;
  if (object === undefined || proposals === undefined || (more.length === 0 && withheld === undefined)) return reports;
  const facts = { seen, proposals, findings: [...findings, ...more], ...(withheld === undefined ? {} : { withheld }) };
  return describe(object, facts, options);
}

function roots(
  gathered: Gathered,
  decision: Decision,
  done: Done,
  { extra, options }: Outcomes,
  asOf: string | undefined,
): readonly RootRecord[] {
  const written = writtenSlots(gathered, done);
  const before = Map.groupBy(gathered.loaded.old, (proposal) => keyOfRef(proposal.root));
  const withheld = withheldOf(decision);
  const proposals = Map.groupBy(decision.resolution.stored, (item) => keyOfRef(item.root));
  const more = findingsOf(extra);
  return [...gathered.translated].flatMap(([root, item]) => {
    if (item.object === undefined) return [];
    const { uid, resourceVersion } = item.object.metadata;
    const read = gathered.dirty;
    const slots = [...(proposals.get(root) ?? []), ...(before.get(root) ?? [])].map((proposal) => proposal.slot);
    return [
      {
        root,
        uid,
        resourceVersion,
        translation: translationHash(item),
        findings: [...item.findings, ...(more.get(root) ?? [])],
        sources: [...new Set([root, ...item.sources])],
        proposals: item.proposals === undefined ? undefined : hashed(proposals.get(root) ?? [], item.proposals),
        reports: finalReports(item, more.get(root) ?? [], withheld.get(root), options),
        wrote: wroteFor(slots, written),
        asOf: read === undefined || item.sources.some((key) => read.has(key)) ? undefined : asOf,
      },
    ];
  });
}

function provides(gathered: Gathered): Pick<Memory, 'provides' | 'met'> {
  const changed = new Map(
    [...gathered.changedObjects].map(
      ([key, object]) => [key, object === undefined ? [] : providedKeys(object)] as const,
    ),
  );
  // Until the last root is done, a repetition of the slice has to reach the former readers again.
  if (gathered.remaining.length > 0) return { provides: new Map(), met: new Map([...gathered.provides, ...changed]) };
  return { provides: changed, met: new Map([...gathered.provides].filter(([key]) => !changed.has(key))) };
}

/** Changed classes of Gateways: they are no roots, and say themselves whether they are accepted. */
function told(gathered: Gathered, options: DescribeOptions): Memory['told'] {
  const classes = [...gathered.changedObjects].filter(([key]) => key.startsWith('GatewayClass/'));
  return new Map(
    classes.map(([key, object]) => {
      const known = object !== undefined && !isGone(object) && isResource('GatewayClass', object);
      return [key, known ? classReports(object, options) : []] as const;
    }),
  );
}

/** What the index keeps of a slice. Pure. */
export function remember(
  gathered: Gathered,
  decision: Decision,
  done: Done,
  options: DescribeOptions & { readonly cluster: string },
  asOf: string | undefined,
): Memory {
  const extra = [
    ...decision.resolution.findings,
    ...decision.findings,
    ...done.outcome.rejected.map((item) => item.finding),
  ];
  const gone = [...gathered.translated].filter(([, item]) => item.object === undefined).map(([key]) => key);
  const changes = done.outcome.applied.length + gathered.intents.length;
  return {
    cluster: options.cluster,
    roots: roots(gathered, decision, done, { extra, options }, asOf),
    gone,
    told: told(gathered, options),
    ...provides(gathered),
    pending: gathered.pending,
    endpoints: gathered.endpoints,
    changes: [...new Set([...gathered.changedKeys, ...gone])],
    entities: entities(gathered, decision, done),
    readBack: done.readBack,
    dropped: dropped(gathered, decision, done),
    released: released(gathered, decision, done),
    rejected: rejected(done),
    intents: [...gathered.intents, ...done.intents],
    revision: changes === 0 ? undefined : { changes, clock: done.clock, epoch: done.epoch },
  };
}

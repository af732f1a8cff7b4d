import { display, finding } from '../findings.ts';
import { hashOf } from '../hash.ts';
import { keyOfRef, type Key } from '../kubernetes/keys.ts';
import type { ObjectRef } from '../kubernetes/resources.ts';
import type { Body, Entity, EntityType, Json } from '../kong/entities.ts';
import type { Finding, Proposal, Slot } from '../translate/types.ts';
import { candidate, stored, type Candidate } from './candidate.ts';
import { elect, type Election } from './elect.ts';
import { compareText } from './rank.ts';
import type { Desired, StoredProposal } from './types.ts';

export interface ResolveOptions {
  /** Tags that mark what is ours; they follow the proposal's own. */
  readonly filterTags: readonly string[];
  /** Best proposal for a slot among the roots that are not translated here (DESIGN §5 step 3). */
  readonly outside?: readonly StoredProposal[];
  /** Slots whose entity was already in Kong under another id than its proposal's. */
  readonly adopted?: ReadonlyMap<Slot, Adoption>;
}

/** The id that stands for a proposed one. */
export interface Adoption {
  readonly proposedId: string;
  readonly id: string;
}

/** A slot's winner. */
export interface Winner extends Omit<Candidate, 'quiet' | 'backends' | 'targets'> {
  /** The id it proposed; `id` is the adopted one, if any. */
  readonly proposedId: string;
}

export interface Resolution {
  /** Entities of the slots whose winning body is at hand, in slot order. */
  readonly desired: readonly Desired[];
  /** Every elected slot, also those that a root outside holds. */
  readonly winners: ReadonlyMap<Slot, Winner>;
  /** What the index keeps of the proposals given. */
  readonly stored: readonly StoredProposal[];
  readonly findings: readonly Finding[];
}

/** SHA-256 of an entity as Kong gets it; the order of tags does not matter to Kong. */
export function entityHash(entity: Entity): string {
  return hashOf([entity.type, entity.body, entity.tags.toSorted(compareText)]);
}

/** A candidate that won, whose hashes are still taken when they are asked for. */
class Elected implements Winner {
  readonly slot: Winner['slot'];
  readonly type: Winner['type'];
  readonly id: string;
  readonly proposedId: string;
  readonly root: Winner['root'];
  readonly rank: Winner['rank'];
  readonly refs: Winner['refs'];
  readonly gate?: Slot;
  readonly proposal?: Proposal;
  readonly #item: Candidate;

  constructor(item: Candidate, id: string) {
    this.slot = item.slot;
    this.type = item.type;
    this.id = id;
    this.proposedId = item.id;
    this.root = item.root;
    this.rank = item.rank;
    this.refs = item.refs;
    if (item.gate !== undefined) this.gate = item.gate;
    if (item.proposal !== undefined) this.proposal = item.proposal;
    this.#item = item;
  }

  get bodyHash(): string {
    return this.#item.bodyHash;
  }

  get contentHash(): string {
    return this.#item.contentHash;
  }
}

function toWinner(item: Candidate, adopted: ReadonlyMap<Slot, Adoption> | undefined): Winner {
  const adoption = adopted?.get(item.slot);
  return new Elected(item, adoption?.proposedId === item.id ? adoption.id : item.id);
}

function resolveBody(proposal: Proposal, winners: ReadonlyMap<Slot, Winner>): Body {
  const references: Record<string, Json> = {};
  for (const [field, ref] of Object.entries(proposal.refs)) {
    const target = winners.get(ref.slot);
    if (target !== undefined) references[field] = { id: target.id };
  }
  return { ...proposal.body, ...references };
}

/** The bodies of candidates by slot and hash, for winners outside; put together when the first one is asked for. */
function bodiesOf(candidates: readonly Candidate[]): (winner: Winner) => Proposal | undefined {
  let bodies: ReadonlyMap<string, Proposal | undefined> | undefined;
  return (winner) => {
    bodies ??= new Map(candidates.map((item) => [`${item.slot} ${item.bodyHash}`, item.proposal]));
    return bodies.get(`${winner.slot} ${winner.bodyHash}`);
  };
}

/** An elected entity, and whose it is. */
interface Settled {
  readonly slot: Slot;
  readonly entity: Entity;
  readonly root: ObjectRef;
}

function settle(
  winner: Winner,
  proposal: Proposal,
  winners: ReadonlyMap<Slot, Winner>,
  tags: readonly string[],
): Settled {
  const entity: Entity = {
    type: winner.type,
    id: winner.id,
    body: resolveBody(proposal, winners),
    tags: tags.length === 0 ? proposal.tags : [...new Set([...proposal.tags, ...tags])],
  };
  return { slot: winner.slot, entity, root: winner.root };
}

/** Whether a type's slots are not for people: a credential's holds a digest of what may be secret. */
export function hidesSlot(type: EntityType): boolean {
  return /credentials$|^jwt_secrets$/.test(type);
}

function slotText({ slot, type }: Candidate): string {
  return hidesSlot(type) ? `the credential (${type})` : slot;
}

function lostSlot(item: Candidate, winner: Winner): Finding | undefined {
  if (item.quiet === true || item.root === winner.root || keyOfRef(item.root) === keyOfRef(winner.root))
    return undefined;
  if (item.contentHash === winner.contentHash && item.proposal?.exclusive !== true) return undefined;
  return finding(item.root, 'SlotLost', `${slotText(item)} belongs to ${display(winner.root)}`);
}

/** Why a candidate that did not win is not what its root wrote, or undefined. */
function loss(
  item: Candidate,
  election: Election,
  winners: ReadonlyMap<Slot, Winner>,
  proposed: ReadonlySet<Slot>,
): Finding | undefined {
  const why = election.withheld.get(item);
  if (why?.reason === 'gate') return undefined;
  const holder = winners.get(item.slot);
  const lostTo = holder === undefined ? undefined : lostSlot(item, holder);
  if (lostTo !== undefined || why === undefined) return lostTo;
  if (why.reason === 'parent')
    return finding(item.root, 'DependencyLost', `${slotText(item)} needs its own ${why.slot}`);
  // A parent that is itself withheld has its own finding.
  if (proposed.has(why.slot)) return undefined;
  return finding(item.root, 'DependencyLost', `nothing provides ${why.slot} for ${slotText(item)}`);
}

function losses(candidates: readonly Candidate[], election: Election, winners: ReadonlyMap<Slot, Winner>): Finding[] {
  const proposed = new Set<Slot>();
  for (const { slot } of candidates) proposed.add(slot);
  const findings: Finding[] = [];
  for (const item of candidates) {
    const found = loss(item, election, winners, proposed);
    if (found !== undefined) findings.push(found);
  }
  return findings;
}

/** One proposal a root and slot: the best one, as the others can never win. */
function distinct(candidates: readonly Candidate[], winners: ReadonlyMap<Slot, Winner>): readonly Candidate[] {
  if (new Set(candidates.map((item) => item.slot)).size === candidates.length) return candidates;
  const kept = new Map<Key, Candidate>();
  for (const item of candidates) {
    const key = `${keyOfRef(item.root)} ${item.slot}`;
    const current = kept.get(key);
    if (current === undefined || winners.get(item.slot)?.proposal === item.proposal) kept.set(key, item);
  }
  return [...kept.values()];
}

/** An election and what it leads to, before anything of it is hashed. */
function settleAll(proposals: readonly Proposal[], options: ResolveOptions) {
  const candidates = proposals.map(candidate);
  const election = elect(candidates, options.outside);
  const winners = new Map<Slot, Winner>();
  for (const [slot, item] of election.winners) winners.set(slot, toWinner(item, options.adopted));
  const bodyFor = bodiesOf(candidates);
  const settled: Settled[] = [];
  for (const winner of winners.values()) {
    // Its own body, or an equal one of a root that is at hand.
    const proposal = winner.proposal ?? bodyFor(winner);
    if (proposal !== undefined) settled.push(settle(winner, proposal, winners, options.filterTags));
  }
  settled.sort((a, b) => compareText(a.slot, b.slot));
  return { candidates, election, winners, settled, findings: losses(candidates, election, winners) };
}

/**
 * Elects a winner for every slot, puts the winners' ids into the references and adds the filter tags. Pure; the order
 * of proposals does not matter. Proposals whose gate, own parent or reference is lost are left out.
 */
export function resolve(proposals: readonly Proposal[], options: ResolveOptions): Resolution {
  const { candidates, election, winners, settled, findings } = settleAll(proposals, options);
  return {
    desired: settled.map(({ slot, entity, root }) => ({ slot, entity, hash: entityHash(entity), root })),
    winners,
    stored: distinct(candidates, winners).map((item) => stored(item, election.withheld.has(item))),
    findings,
  };
}

/** The entities of `resolve`, in slot order, and its findings: all that somebody needs who has no index. */
export function resolveEntities(proposals: readonly Proposal[]): {
  readonly entities: readonly Entity[];
  readonly findings: readonly Finding[];
} {
  const { settled, findings } = settleAll(proposals, { filterTags: [] });
  return { entities: settled.map(({ entity }) => entity), findings };
}

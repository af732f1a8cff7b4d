import { canonicalJson, hashOfText } from '../hash.ts';
import type { Json } from '../kong/entities.ts';
import type { Proposal, Slot } from '../translate/types.ts';
import type { StoredProposal } from './types.ts';

/** A proposal in an election, with its body when its root is in the slice. */
export interface Candidate extends Omit<StoredProposal, 'withheld'> {
  readonly proposal?: Proposal;
}

function refsJson(refs: Proposal['refs']): Json {
  return Object.fromEntries(
    Object.entries(refs).map(([field, ref]) => [
      field,
      ref.own === true ? { slot: ref.slot, own: true } : { slot: ref.slot },
    ]),
  );
}

type Hashes = Pick<Candidate, 'contentHash' | 'bodyHash'>;

/** SHA-256 of body and refs (equal ones are shared) and of body, tags and refs (equal ones make the same entity). */
function hashesOf({ type, body, tags, refs }: Proposal): Hashes {
  const head = `[${canonicalJson(type)},${canonicalJson(body)}`;
  const tail = `${canonicalJson(refsJson(refs))}]`;
  return {
    contentHash: hashOfText(`${head},${tail}`),
    bodyHash: hashOfText(`${head},${canonicalJson(tags)},${tail}`),
  };
}

/** SHA-256 of body, tags and refs: equal ones make the same entity. */
export function bodyHash(proposal: Proposal): string {
  return hashesOf(proposal).bodyHash;
}

/** What has getters is a class, as V8 makes a hidden class of its own for every object literal with one. */
class Proposed implements Candidate {
  readonly slot: Candidate['slot'];
  readonly type: Candidate['type'];
  readonly id: string;
  readonly root: Candidate['root'];
  readonly rank: Candidate['rank'];
  readonly refs: Candidate['refs'];
  readonly gate?: Slot;
  readonly quiet?: true;
  readonly backends?: NonNullable<Candidate['backends']>;
  readonly proposal: Proposal;
  #hashes: Hashes | undefined;

  constructor(proposal: Proposal) {
    this.slot = proposal.slot;
    this.type = proposal.type;
    this.id = proposal.id;
    this.root = proposal.root;
    this.rank = proposal.rank;
    this.refs = proposal.refs;
    if (proposal.gate !== undefined) this.gate = proposal.gate;
    if (proposal.quiet !== undefined) this.quiet = proposal.quiet;
    if (proposal.backends !== undefined) this.backends = proposal.backends;
    this.proposal = proposal;
  }

  get bodyHash(): string {
    return this.#taken().bodyHash;
  }

  get contentHash(): string {
    return this.#taken().contentHash;
  }

  #taken(): Hashes {
    this.#hashes ??= hashesOf(this.proposal);
    return this.#hashes;
  }
}

/** A proposal of the slice as a candidate. Its hashes are taken when they are asked for: most slots have one candidate. */
export function candidate(proposal: Proposal): Candidate {
  return new Proposed(proposal);
}

/** What the index keeps of a candidate. */
export function stored(item: Candidate, withheld: boolean): StoredProposal {
  const { slot, type, id, root, rank, refs, gate, quiet, backends, bodyHash: body, contentHash, targets } = item;
  return {
    slot,
    type,
    id,
    root,
    rank,
    refs,
    ...(gate === undefined ? {} : { gate }),
    ...(quiet === undefined ? {} : { quiet }),
    ...(backends === undefined ? {} : { backends }),
    ...(targets === undefined ? {} : { targets }),
    bodyHash: body,
    contentHash,
    withheld,
  };
}

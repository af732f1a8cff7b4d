import type { Finding, Proposal, Slot } from '../translate/types.ts';
import type { Entity, EntityType } from '../kong/entities.ts';
import type { ObjectRef } from '../kubernetes/resources.ts';

/** An entity in Kong as far as a delete needs to know it. */
export interface EntityRef {
  readonly type: EntityType;
  readonly id: string;
}

/** What the index remembers of an entity after the last write or adoption. */
export interface KnownEntity extends EntityRef {
  readonly slot: Slot;
  /** SHA-256 of the resolved body and tags; undefined after an intent that was never finished. */
  readonly hash: string | undefined;
  /** `xmin` of Kong's row after our write, the exact change mark (DB §1.2). */
  readonly xmin: string | undefined;
}

/** A proposal as the index stores it: without its body, which may hold secrets. */
export interface StoredProposal extends Pick<
  Proposal,
  'slot' | 'type' | 'id' | 'root' | 'rank' | 'refs' | 'gate' | 'quiet' | 'backends'
> {
  /** SHA-256 of the unresolved body, tags and refs. */
  readonly bodyHash: string;
  /** SHA-256 of the unresolved body and refs: proposals that share it differ in their tags at most. */
  readonly contentHash: string;
  /** Of an upstream with `backends`: SHA-256 of the targets that its root proposes. */
  readonly targets?: string;
  /** It did not count when its root was translated last: its gate or its own parent was lost, or a reference led nowhere. */
  readonly withheld: boolean;
}

/** Who holds a slot, as the index remembers it. */
export interface KnownSlot extends KnownEntity {
  /** The winner's root. */
  readonly root: ObjectRef;
  /** The id that the winner proposed; another than `id` when an entity that was already there was adopted. */
  readonly proposedId: string;
  /** The winner's `bodyHash`. */
  readonly bodyHash: string;
}

/** An entity that a slot's winner asks for, with its slot and the root to blame for a rejection. */
export interface Desired {
  readonly slot: Slot;
  readonly entity: Entity;
  /** SHA-256 of the resolved body and tags. */
  readonly hash: string;
  readonly root: ObjectRef;
}

export type Change =
  | { readonly action: 'create' | 'update'; readonly desired: Desired }
  | { readonly action: 'delete'; readonly current: EntityRef & { readonly slot: Slot; readonly root?: ObjectRef } };

/** Changes in the order of writing: a level is written in parallel, the next starts when it is done. */
export interface Plan {
  readonly levels: readonly (readonly Change[])[];
  readonly withheld: readonly { readonly change: Change; readonly reason: string }[];
}

/** What became of a plan. */
export interface Outcome {
  readonly applied: readonly Change[];
  /** Rejected by Kong (4xx), or left out because what they depend on was rejected. */
  readonly rejected: readonly { readonly change: Change; readonly finding: Finding }[];
  /** HTTP requests sent to the Admin API. */
  readonly requests: number;
}

import { keyOfRef } from '../kubernetes/keys.ts';
import type { EntityType } from '../kong/entities.ts';
import type { KnownSlot, StoredProposal } from '../plan/types.ts';
import type { PlainBackend, Slot } from '../translate/types.ts';
import { refOfKey } from './refs.ts';

/** A row of `proposals`, as PostgreSQL's JSON functions give and take it. */
export interface ProposalRow {
  readonly root: string;
  readonly slot: string;
  readonly type: EntityType;
  readonly id: string;
  readonly rank_class: number;
  readonly rank_created: string;
  readonly rank_name: string;
  readonly refs: StoredProposal['refs'];
  readonly gate: string | null;
  readonly quiet: boolean;
  readonly body_hash: string;
  readonly content_hash: string;
  readonly withheld: boolean;
  readonly backends: readonly PlainBackend[] | null;
  readonly targets: string | null;
}

/** A row of `dependents`. */
export interface DependentRow {
  readonly slot: Slot;
  readonly root: string;
  readonly own: boolean;
}

/** A row of `entities`. */
export interface EntityRow {
  readonly slot: string;
  readonly type: EntityType;
  readonly id: string;
  readonly proposed_id: string;
  readonly root: string;
  readonly body_hash: string;
  readonly hash: string | null;
  readonly row_version: string | null;
}

export function toProposalRow(item: StoredProposal): ProposalRow {
  return {
    root: keyOfRef(item.root),
    slot: item.slot,
    type: item.type,
    id: item.id,
    rank_class: item.rank.class,
    rank_created: item.rank.createdAt,
    rank_name: item.rank.name,
    refs: item.refs,
    gate: item.gate ?? null,
    quiet: item.quiet === true,
    body_hash: item.bodyHash,
    content_hash: item.contentHash,
    withheld: item.withheld,
    backends: item.backends ?? null,
    targets: item.targets ?? null,
  };
}

/** Which slots a root depends on, and how, after its proposals. */
export function toDependentRows(proposals: readonly StoredProposal[]): readonly DependentRow[] {
  const rows = new Map<string, DependentRow>();
  const add = (root: string, slot: Slot, own: boolean): void => {
    const key = `${root} ${slot}`;
    rows.set(key, { slot, root, own: own || rows.get(key)?.own === true });
  };
  for (const { root, refs, gate } of proposals) {
    for (const ref of Object.values(refs)) add(keyOfRef(root), ref.slot, ref.own === true);
    if (gate !== undefined) add(keyOfRef(root), gate, true);
  }
  return [...rows.values()];
}

export function fromProposalRow(cluster: string, row: ProposalRow): StoredProposal {
  const { backends } = row;
  return {
    slot: row.slot,
    type: row.type,
    id: row.id,
    root: refOfKey(cluster, row.root),
    rank: { class: row.rank_class, createdAt: row.rank_created, name: row.rank_name },
    refs: row.refs,
    ...(row.gate === null ? {} : { gate: row.gate }),
    ...(row.quiet ? { quiet: true as const } : {}),
    bodyHash: row.body_hash,
    contentHash: row.content_hash,
    withheld: row.withheld,
    ...(backends === null ? {} : { backends }),
    ...(row.targets === null ? {} : { targets: row.targets }),
  };
}

export function toEntityRow(known: KnownSlot): EntityRow {
  return {
    slot: known.slot,
    type: known.type,
    id: known.id,
    proposed_id: known.proposedId,
    root: keyOfRef(known.root),
    body_hash: known.bodyHash,
    hash: known.hash ?? null,
    row_version: known.xmin ?? null,
  };
}

export function fromEntityRow(cluster: string, row: EntityRow): KnownSlot {
  return {
    slot: row.slot,
    type: row.type,
    id: row.id,
    proposedId: row.proposed_id,
    root: refOfKey(cluster, row.root),
    bodyHash: row.body_hash,
    hash: row.hash ?? undefined,
    xmin: row.row_version ?? undefined,
  };
}

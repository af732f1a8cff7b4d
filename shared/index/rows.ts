import { keyOfRef } from '../kubernetes/keys.ts';
import type { EntityType } from '../kong/entities.ts';
import type { KnownSlot, StoredProposal } from '../plan/types.ts';
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
  readonly ref_slots: readonly string[];
  readonly own_slots: readonly string[];
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
  const refs = Object.values(item.refs);
  const gate = item.gate === undefined ? [] : [item.gate];
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
    ref_slots: [...new Set([...refs.map((ref) => ref.slot), ...gate])],
    own_slots: [...new Set([...refs.filter((ref) => ref.own === true).map((ref) => ref.slot), ...gate])],
  };
}

export function fromProposalRow(cluster: string, row: ProposalRow): StoredProposal {
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

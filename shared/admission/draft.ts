import type { Body, EntityType } from '../kong/entities.ts';
import type { ObjectRef } from '../kubernetes/resources.ts';
import type { Finding, Proposal } from '../translate/types.ts';

/** A body for Kong's schema to look at, without references. */
export interface SchemaCheck {
  readonly type: EntityType;
  readonly body: Body;
  /** The object that it comes from, and what the finding is on. */
  readonly on: ObjectRef;
  /** Every value comes from that object, so that Kong's words, which may repeat values, tell its author nothing new. */
  readonly inline: boolean;
}

/** What a write would give Kong, from the cluster alone. */
export interface Draft {
  readonly findings: readonly Finding[];
  /** Of the object itself, if it is a root. */
  readonly proposals: readonly Proposal[];
  readonly checks: readonly SchemaCheck[];
}

export const NOTHING: Draft = { findings: [], proposals: [], checks: [] };

/** Several drafts as one. */
export function together(drafts: readonly Draft[]): Draft {
  return {
    findings: drafts.flatMap((draft) => draft.findings),
    proposals: drafts.flatMap((draft) => draft.proposals),
    checks: drafts.flatMap((draft) => draft.checks),
  };
}

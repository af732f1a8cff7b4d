import type { AppError } from '../errors.ts';
import type { JsonRecord } from '../json.ts';
import type { Kind } from '../kubernetes/resources.ts';

/** A create or an update as an admission review describes it; what the objects hold is not checked yet. */
export interface AdmissionWrite {
  readonly kind: Kind;
  /** `''` for kinds without namespaces. */
  readonly namespace: string;
  /** `''` with generateName, before the name is made. */
  readonly name: string;
  readonly object: JsonRecord;
  /** What is stored now; undefined for a create. */
  readonly before: JsonRecord | undefined;
}

/** Whether a write may be stored. */
export interface Verdict {
  readonly allowed: boolean;
  /** Why it is refused and what to do, for whoever writes; `''` when it is allowed. */
  readonly message: string;
  /** HTTP status of the refusal. */
  readonly code: number;
  /** For whoever writes, one line each. */
  readonly warnings: readonly string[];
  /** For the log: reasons of findings and codes of errors, no texts. */
  readonly reasons: readonly string[];
  /** Why parts of it could not be looked at. */
  readonly unchecked: readonly AppError[];
}

/** How a write is judged: rejects when it cannot be. */
export type Judge = (write: AdmissionWrite) => Promise<Verdict>;

export const ALLOWED: Verdict = { allowed: true, message: '', code: 200, warnings: [], reasons: [], unchecked: [] };

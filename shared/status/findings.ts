import type { Finding } from '../translate/types.ts';
import type { Failure } from './types.ts';

/** What went into the description of a root's statuses besides what it looked up. */
export interface Told {
  /** Findings on the root itself. */
  readonly own: readonly Finding[];
  /** Findings on the objects that it read. */
  readonly others: readonly Finding[];
}

/** Severe findings, and how many there are: the first one tells, the rest is in the Events. */
function summary(findings: readonly Finding[]): string {
  const [first] = findings;
  const more = findings.length - 1;
  return `${first?.message ?? ''}${more > 0 ? ` (and ${more} more)` : ''}`;
}

/** The findings of these reasons as one failure; undefined without any. */
export function failureOf(findings: readonly Finding[], counts: (reason: string) => boolean): Failure | undefined {
  const errors = findings.filter((item) => item.severity === 'error' && counts(item.reason));
  const [first] = errors;
  return first === undefined ? undefined : { reason: first.reason, message: summary(errors) };
}

import type { Logger } from '@aws-lambda-powertools/logger';
import { display } from './findings.ts';
import { subject } from './plan/plan.ts';
import type { Publisher } from './publish.ts';
import type { SliceResult } from './slice.ts';

/** Names in an event at most; the counts are always whole. */
const LISTED = 100;

function actions(slice: SliceResult): Readonly<Record<string, number>> {
  const groups = Map.groupBy(slice.applied, (change) => change.action);
  return Object.fromEntries([...groups].map(([action, changes]) => [action, changes.length]));
}

/** A slice in one line, without secrets: counts, the revision, what it cost. */
export function summary(slice: SliceResult): Readonly<Record<string, unknown>> {
  return {
    roots: slice.roots.length,
    ...actions(slice),
    rejected: slice.rejected.length,
    withheld: slice.withheld.length,
    drifted: slice.drifted,
    findings: slice.findings.length,
    ...(slice.revision === undefined ? {} : { revision: slice.revision }),
    ...slice.cost,
  };
}

async function publishSlice(slice: SliceResult, publisher: Publisher): Promise<void> {
  const roots = slice.roots.slice(0, LISTED);
  if (slice.applied.length > 0) {
    const entities = slice.applied
      .slice(0, LISTED)
      .map(subject)
      .map(({ type, id }) => ({ type, id }));
    await publisher.publishOutcome('ConfigurationApplied', { ...summary(slice), rootKeys: roots, entities });
  }
  if (slice.drifted > 0) await publisher.publishOutcome('DriftRepaired', { ...summary(slice), rootKeys: roots });
  const errors = slice.findings.filter((finding) => finding.severity === 'error').slice(0, LISTED);
  if (errors.length > 0) await publisher.publishOutcome('TranslationFailed', { ...summary(slice), findings: errors });
}

/**
 * Logs what slices did, with their findings, and tells whoever listens on the bus. What is done stays done when the
 * bus cannot be reached: that is only logged.
 */
export async function announce(
  slices: readonly SliceResult[],
  logger: Pick<Logger, 'info' | 'warn'>,
  publisher: Publisher,
): Promise<void> {
  for (const slice of slices) {
    logger.info('slice', summary(slice));
    for (const { object, severity, reason, message } of slice.findings) {
      logger.warn('finding', { object: display(object), severity, reason, explanation: message });
    }
  }
  try {
    for (const slice of slices) await publishSlice(slice, publisher);
  } catch (error) {
    logger.warn('outcome events were not published', { error: error instanceof Error ? error.name : 'unknown' });
  }
}

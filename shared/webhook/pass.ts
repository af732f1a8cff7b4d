import type { Publisher } from '../publish.ts';
import type { Hint, IgnoredReason } from './change.ts';

/** What became of the hints of one request. */
export interface Passed {
  /** Events on the bus, identical hints counted once. */
  readonly published: number;
  /** What was not worth an event, by reason. */
  readonly ignored: Readonly<Partial<Record<IgnoredReason, number>>>;
}

function count(hints: readonly Hint[]): Partial<Record<IgnoredReason, number>> {
  const counts: Partial<Record<IgnoredReason, number>> = {};
  for (const hint of hints) {
    if ('ignored' in hint) counts[hint.ignored] = (counts[hint.ignored] ?? 0) + 1;
  }
  return counts;
}

/** Publishes hints. Throws EVENTS_NOT_PUBLISHED unless the bus took every one. */
export async function passOn(
  hints: readonly Hint[],
  publisher: Pick<Publisher, 'publishChanges' | 'publishReconcileRequests'>,
): Promise<Passed> {
  const changes = hints.flatMap((hint) => ('change' in hint ? [hint.change] : []));
  const requests = hints.flatMap((hint) => ('reconcile' in hint ? [hint.reconcile] : []));
  const [published, requested] = await Promise.all([
    publisher.publishChanges(changes),
    publisher.publishReconcileRequests(requests),
  ]);
  return { published: published + requested, ignored: count(hints) };
}

import type { RevisionRecord } from '../../shared/convergence/revisions.ts';
import type { DataPlaneState, Verdict } from '../../shared/convergence/types.ts';
import { NOTHING_RECORDED, type Recorded } from '../../shared/page/status.ts';

/** ms; when the samples are looked at. */
export const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);

/** The last verdict on a data plane, which it has had for a minute. */
export function judged(
  name: string,
  state: DataPlaneState,
  proven: string | undefined,
  more: Partial<Verdict> = {},
): Recorded['verdicts'][number] {
  const isProven = state === 'converged';
  const verdict: Verdict = {
    node: `id-of-${name}`,
    name,
    state,
    revision: proven,
    evidence: 'agreement',
    proof: isProven ? 'stored' : undefined,
    marginMs: isProven ? 1_500 : undefined,
    sinceWriteMs: 2_000,
    reason: `it is ${state}`,
    ...more,
  };
  return { verdict, since: NOW - 60_000 };
}

/** A revision written so many seconds before `NOW`, and proven 4 s later unless it is open. */
export function revision(id: string, secondsAgo: number, open = false): RevisionRecord {
  const writtenAt = NOW - secondsAgo * 1_000;
  return { id, changes: 2, startedAt: writtenAt - 500, writtenAt, convergedAt: open ? undefined : writtenAt + 4_000 };
}

/** What the index holds when two data planes were proven to have the newest of two revisions, four seconds ago. */
export function recorded(more: Partial<Recorded> = {}): Recorded {
  return {
    ...NOTHING_RECORDED,
    now: NOW,
    cluster: 'production',
    checkedAt: NOW - 4_000,
    topology: 'hybrid',
    reconciledAt: NOW - 100_000,
    entities: 20,
    roots: 6,
    revisions: [revision('8', 20), revision('7', 90)],
    verdicts: [judged('dp1', 'converged', '8'), judged('dp2', 'converged', '8')],
    ...more,
  };
}

import { CONVERGENCE_PENDING } from '../events.ts';
import type { Queryable } from '../index/database.ts';
import type { Publisher } from '../publish.ts';
import type { Converged } from './converge.ts';
import type { DataPlaneState } from './types.ts';

/** Which of the two queues of delayed checks (infra/queue.yml) a check goes through: 1 s or 5 s. */
type Pause = 'short' | 'long';

/** Younger revisions than this are looked at again after the short pause, ms. */
const SHORT_UNTIL_MS = 10_000;
/** Those that are older than this are left to the schedule, ms. */
const LONG_UNTIL_MS = 60_000;
/** Somewhat less than the queues' delays, so that a check that comes in time may ask for the next one, ms. */
const DUE_MS: Readonly<Record<Pause, number>> = { short: 800, long: 4_500 };

/** What may pass by itself, but not within seconds. */
const SLOW: readonly DataPlaneState[] = ['partitioned', 'unknown'];

/** How long to wait before looking again; undefined: the schedule is soon enough. `ageMs` is since the newest write. Pure. */
export function pauseAfter(verdicts: Converged['verdicts'], ageMs: number | undefined): Pause | undefined {
  if (ageMs === undefined || ageMs > LONG_UNTIL_MS) return undefined;
  if (ageMs < SHORT_UNTIL_MS && verdicts.some(({ state }) => state === 'applying')) return 'short';
  return verdicts.some(({ state }) => state === 'applying' || SLOW.includes(state)) ? 'long' : undefined;
}

async function ageOf(index: Queryable, revision: string): Promise<number | undefined> {
  const { rows } = await index.query<{ age: number }>(
    `SELECT (extract(epoch FROM clock_timestamp() - written_at) * 1000)::float8 AS age
     FROM kong_ingress.revisions WHERE id = $1::bigint`,
    [revision],
  );
  return rows[0]?.age;
}

/** Notes the next check; false when another one is due already, so that checks never multiply. */
async function claim(index: Queryable, pause: Pause): Promise<boolean> {
  const { rows } = await index.query(
    `INSERT INTO kong_ingress.next_check AS n (at) VALUES (clock_timestamp() + make_interval(secs => $1))
     ON CONFLICT (single) DO UPDATE SET at = excluded.at WHERE n.at <= clock_timestamp() RETURNING 1`,
    [DUE_MS[pause] / 1000],
  );
  return rows.length > 0;
}

/**
 * Asks for another check while a young revision is not on every data plane: through a delayed queue, after a second at
 * first and after five later, or where one was lost. From a minute on the schedule does it. Throws EVENTS_NOT_PUBLISHED.
 */
export async function checkAgain(
  index: Queryable,
  { newest, verdicts }: Converged,
  publisher: Publisher,
): Promise<void> {
  const pause = newest === undefined ? undefined : pauseAfter(verdicts, await ageOf(index, newest.id));
  if (pause === undefined || !(await claim(index, pause))) return;
  await publisher.publishOutcome(CONVERGENCE_PENDING, { pause, revision: newest?.id });
}

import { randomUUID } from 'node:crypto';
import { ACCOUNT, REGION } from './wiring.ts';

/** The event of a scheduled rule at `now` (ms since the epoch). */
export function scheduledEvent(name: string, now: number): Record<string, unknown> {
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': 'Scheduled Event',
    source: 'aws.events',
    account: ACCOUNT,
    time: new Date(now).toISOString().replace(/\.\d+Z$/, 'Z'),
    region: REGION,
    resources: [`arn:aws:events:${REGION}:${ACCOUNT}:rule/${name}`],
    detail: {},
  };
}

/** Runs `tick` every `intervalMs`, but not while the last one still runs. Gives what ends it. */
export function startSchedule(intervalMs: number, tick: () => Promise<unknown>): () => void {
  let busy = false;
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    void tick()
      .catch(() => undefined)
      .finally(() => {
        busy = false;
      });
  }, intervalMs);
  return () => clearInterval(timer);
}

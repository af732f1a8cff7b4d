import type { KongRoot } from '../kong/root.ts';

/** A data plane connects again after 5 to 10 s, and is sent the whole configuration then (DB §6 row 6). */
const RECONNECT_MS = 10_000;
/** A ping follows a stored configuration within a second (DB §2.3), a poll is a query. */
const PING_MS = 1_000;
/** Export and apply of an empty configuration, and what 1,000 entities add: three times what was measured (DB §7, §8). */
const EXPORT_APPLY_MS = 2_000;
const EXPORT_APPLY_MS_PER_1000 = 500;
/** Rebuild of the router likewise. */
const REBUILD_MS = 1_500;
const REBUILD_MS_PER_1000 = 150;

function ms(seconds: number): number {
  return Math.ceil(seconds * 1000);
}

/** What decides how long a new hash must be held. */
export interface HoldInput {
  readonly settings: Pick<KongRoot, 'dbUpdateFrequency' | 'dbUpdatePropagation'>;
  /** Control planes that share the database; a second one hears of a write by polling. */
  readonly controlPlanes: number;
  /** Rows in Kong's big tables. */
  readonly entities: number;
  /** The control plane that announced the write is not the one that runs now. */
  readonly restarted: boolean;
}

/**
 * How long all data planes must hold a new hash, ms: until then a control plane may still push the rest of the change
 * (DB §2.7 H3): its pause, another one's poll, export, apply and ping. After a restart also the reconnection.
 */
export function holdMs({ settings, controlPlanes, entities, restarted }: HoldInput): number {
  const pauses = ms(settings.dbUpdateFrequency) * (controlPlanes > 1 ? 2 : 1) + ms(settings.dbUpdatePropagation);
  const work = EXPORT_APPLY_MS + Math.ceil((entities / 1000) * EXPORT_APPLY_MS_PER_1000);
  return pauses + work + PING_MS + (restarted ? RECONNECT_MS : 0);
}

/** A stored configuration is served this much later, beyond what the report of it takes: twice what rows led by (DB §7). */
const MARGIN_MS = 500;
const MARGIN_MS_PER_1000 = 50;

/** What a proof that a configuration is stored waits for, until every worker has rebuilt, ms (CV §2, DB §7 row 13). */
export function marginMs(entities: number): number {
  return MARGIN_MS + Math.ceil((entities / 1000) * MARGIN_MS_PER_1000);
}

/** Longest time from a cluster event until every worker of a traditional node serves the change, ms (DB §3.2). */
export function boundMs(
  settings: Pick<KongRoot, 'dbUpdateFrequency' | 'dbUpdatePropagation' | 'workerStateUpdateFrequency'>,
  entities: number,
): number {
  const timers = settings.dbUpdateFrequency + settings.dbUpdatePropagation + settings.workerStateUpdateFrequency;
  return ms(timers) + PING_MS + REBUILD_MS + Math.ceil((entities / 1000) * REBUILD_MS_PER_1000);
}

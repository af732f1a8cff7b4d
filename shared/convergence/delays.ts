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

/** What decides how long the pushes of a write may take. */
export interface HoldInput {
  readonly settings: Pick<KongRoot, 'dbUpdateFrequency' | 'dbUpdatePropagation'>;
  /** Control planes that share the database; a second one hears of a write by polling. */
  readonly controlPlanes: number;
  /** Rows in Kong's big tables. */
  readonly entities: number;
}

/** From the begin of an export until the data planes that store it have reported that, ms, at the longest. */
export function reportMs(entities: number): number {
  return EXPORT_APPLY_MS + Math.ceil((entities / 1000) * EXPORT_APPLY_MS_PER_1000) + PING_MS;
}

/**
 * After so long, ms, everything that a write caused is pushed, stored and reported (DB §2.7 H3): the pause of its
 * control plane, another one's poll, and a last export. With several control planes a data plane may also have to move
 * from one that restarts to another one meanwhile.
 */
export function holdMs({ settings, controlPlanes, entities }: HoldInput): number {
  const pauses = ms(settings.dbUpdateFrequency) * (controlPlanes > 1 ? 2 : 1) + ms(settings.dbUpdatePropagation);
  return pauses + reportMs(entities) + (controlPlanes > 1 ? RECONNECT_MS : 0);
}

/** A stored configuration is served this much later, beyond what the report of it takes: twice what rows led by (DB §7). */
const MARGIN_MS = 500;
const MARGIN_MS_PER_1000 = 50;

/** What a proof that a configuration is stored waits for, until every worker has rebuilt, ms (CV §2, DB §7 row 13). */
export function marginMs(entities: number): number {
  return MARGIN_MS + Math.ceil((entities / 1000) * MARGIN_MS_PER_1000);
}

/** Longest time from an outdated cache to every worker serving the change, ms: its timer, and the rebuild (CV §4). */
export function rebuildMs(settings: Pick<KongRoot, 'workerStateUpdateFrequency'>, entities: number): number {
  return ms(settings.workerStateUpdateFrequency) + REBUILD_MS + Math.ceil((entities / 1000) * REBUILD_MS_PER_1000);
}

/** Longest time from a cluster event until every worker of a traditional node serves the change, ms (DB §3.2). */
export function boundMs(
  settings: Pick<KongRoot, 'dbUpdateFrequency' | 'dbUpdatePropagation' | 'workerStateUpdateFrequency'>,
  entities: number,
): number {
  return ms(settings.dbUpdateFrequency + settings.dbUpdatePropagation) + PING_MS + rebuildMs(settings, entities);
}

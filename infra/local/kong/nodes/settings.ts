import type { NodeSettings as AdminSettings } from '../admin/settings.ts';

/** Kong's settings and delays that decide when a change is served. Seconds may be fractions, as in kong.conf. */
export interface NodeSettings {
  /** `db_update_frequency`: pause between pushes of a control plane, and between looks at cluster_events. */
  readonly dbUpdateFrequencySeconds: number;
  /** `worker_state_update_frequency`: how often a traditional node's worker looks whether it must rebuild. */
  readonly workerStateUpdateFrequencySeconds: number;
  /** Workers of each node that proxies. */
  readonly workers: number;
  /** Time a data plane takes to store a configuration, ms. */
  readonly applyDelayMs: number;
  /** Time each worker takes to rebuild, ms; the last value holds for further workers. */
  readonly rebuildDelaysMs: readonly number[];
  /** How often a data plane without news pings. */
  readonly pingSeconds: number;
  /** How often a data plane looks whether it has news to ping, ms. */
  readonly pingTickMs: number;
  /** Pause of a data plane before it connects again. */
  readonly reconnectSeconds: number;
  /** `cluster_data_plane_purge_delay`: time to live of a data plane's row. */
  readonly dataPlanePurgeDelaySeconds: number;
}

/** Kong 3.9's defaults; the delays are of the size measured on a real one with a small configuration. */
export const DEFAULT_SETTINGS: NodeSettings = {
  dbUpdateFrequencySeconds: 5,
  workerStateUpdateFrequencySeconds: 5,
  workers: 2,
  applyDelayMs: 20,
  rebuildDelaysMs: [100, 400],
  pingSeconds: 30,
  pingTickMs: 1000,
  reconnectSeconds: 5,
  dataPlanePurgeDelaySeconds: 14 * 86_400,
};

/** The rebuild delay of one worker, ms. */
export function rebuildDelay(settings: NodeSettings, worker: number): number {
  return settings.rebuildDelaysMs[worker] ?? settings.rebuildDelaysMs.at(-1) ?? 0;
}

/** The same under the names of kong.conf, for the Admin API. */
export function adminSettings(settings: NodeSettings): Partial<AdminSettings> {
  return {
    db_update_frequency: settings.dbUpdateFrequencySeconds,
    worker_state_update_frequency: settings.workerStateUpdateFrequencySeconds,
    cluster_data_plane_purge_delay: settings.dataPlanePurgeDelaySeconds,
  };
}

/** Settings of a node that others read from `GET /` and that change how it behaves. Times in seconds. */
export interface NodeSettings {
  readonly db_update_frequency: number;
  readonly worker_state_update_frequency: number;
  readonly db_update_propagation: number;
  readonly router_flavor: 'traditional' | 'traditional_compatible' | 'expressions';
  readonly worker_consistency: 'eventual' | 'strict';
  readonly cluster_data_plane_purge_delay: number;
  /** Bytes. */
  readonly cluster_max_payload: number;
  readonly db_cache_ttl: number;
}

/** Kong 3.9's defaults. */
export const DEFAULT_SETTINGS: NodeSettings = {
  db_update_frequency: 5,
  worker_state_update_frequency: 5,
  db_update_propagation: 0,
  router_flavor: 'traditional_compatible',
  worker_consistency: 'eventual',
  cluster_data_plane_purge_delay: 14 * 86_400,
  cluster_max_payload: 16 * 1024 * 1024,
  db_cache_ttl: 0,
};

export type Role = 'traditional' | 'control_plane';

/** The Kong whose behaviour the stand-in has. */
export const KONG_VERSION = '3.9.3';

import type pg from 'pg';
import type { ClusterEvent } from '../admin/events.ts';

export const PUSH_CHANNEL = 'clustering:push_config';
export const INVALIDATION_CHANNELS = ['invalidations', 'invalidations_kong_core_db_cache'];
export const UPSTREAMS_CHANNEL = 'balancer:upstreams';
export const TARGETS_CHANNEL = 'balancer:targets';

/**
 * Events may become visible in another order than their times say. Kong looks back 1 ms (plus db_update_propagation);
 * a bit more costs nothing and keeps the stand-in from losing one on a busy machine.
 */
const LOOK_BACK_SECONDS = 0.1;

interface EventRow {
  readonly id: string;
  readonly channel: string;
  readonly data: string;
  /** Seconds since 1970. */
  readonly at: number;
}

/** Reads events that other nodes wrote to some channels since the last look. */
export class ClusterEvents {
  readonly #pool: pg.Pool;
  readonly #nodeId: string;
  readonly #channels: readonly string[];
  #last: number | undefined;
  #seen = new Map<string, number>();

  constructor(pool: pg.Pool, nodeId: string, channels: readonly string[]) {
    this.#pool = pool;
    this.#nodeId = nodeId;
    this.#channels = channels;
  }

  /** Notes the present, from which the first `poll` looks on. */
  async start(): Promise<void> {
    const result = await this.#pool.query<{ now: number }>('SELECT extract(epoch FROM now())::float8 AS now');
    this.#last = result.rows[0]?.now ?? 0;
  }

  /** Events of other nodes, oldest first, each once. */
  async poll(): Promise<readonly ClusterEvent[]> {
    if (this.#last === undefined) await this.start();
    const from = (this.#last ?? 0) - LOOK_BACK_SECONDS;
    const result = await this.#pool.query<EventRow>(
      `SELECT id, channel, data, extract(epoch FROM at)::float8 AS at FROM cluster_events
        WHERE channel = ANY($1) AND node_id <> $2 AND at > to_timestamp($3) AND (nbf IS NULL OR nbf <= now()) ORDER BY at`,
      [this.#channels, this.#nodeId, from],
    );
    const fresh = result.rows.filter((row) => !this.#seen.has(row.id));
    this.#last = Math.max(this.#last ?? 0, ...result.rows.map((row) => row.at));
    this.#seen = new Map(result.rows.map((row) => [row.id, row.at]));
    return fresh.map(({ channel, data }) => ({ channel, data }));
  }
}

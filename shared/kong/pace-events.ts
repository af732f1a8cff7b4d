import type { Queryable } from '../index/database.ts';
import type { EntityRef } from '../plan/types.ts';
import { select } from './database.ts';
import type { EntityType } from './entities.ts';
import type { KongRoot } from './root.ts';

/** A write that Kong took. */
export interface SentWrite extends EntityRef {
  /** When it was sent, ms of the caller's clock. */
  readonly at: number;
}

/** Finds out which writes Kong has announced in `cluster_events`. */
export interface EventReader {
  /** Those of `writes` (oldest first) whose event is there. Rejects with KONG_DATABASE_UNAVAILABLE. */
  announced(writes: readonly SentWrite[], now: number): Promise<ReadonlySet<SentWrite>>;
  /** Begins anew: what was not announced is not waited for any more. */
  forget(): void;
}

/** Types whose every write makes an event that names the type, in hybrid mode, or the id, in traditional mode (DB §8.c2). */
export const ANNOUNCED_TYPES: ReadonlySet<EntityType> = new Set(['services', 'routes', 'upstreams', 'consumers']);

/** How far the clocks' readings may be apart: an event is never older than its write by more, ms. */
const SLACK_MS = 5;

/** Traditional nodes name the entity: `routes:<id>:::::<workspace>`. */
function byId(pool: Queryable): EventReader {
  return {
    announced: async (writes, now) => {
      const age = now - (writes[0]?.at ?? now) + SLACK_MS;
      const rows = await select<{ id: string }>(
        pool,
        'cluster_events',
        `SELECT DISTINCT split_part(data, ':', 2) AS id FROM cluster_events
         WHERE at >= clock_timestamp() - $1 * interval '1 millisecond' AND split_part(data, ':', 2) = ANY($2::text[])`,
        [age, writes.map(({ id }) => id)],
      );
      const ids = new Set(rows.map(({ id }) => id));
      return new Set(writes.filter(({ id }) => ids.has(id)));
    },
    forget: () => undefined,
  };
}

/**
 * A control plane names the type alone (`routes:create`), in the order of the writes: as many writes of a type as there
 * are events since the first one. Events of somebody else's writes can make ours look announced too early.
 */
function byCount(pool: Queryable): EventReader {
  let since: number | undefined;
  let used = new Map<string, number>();
  const forget = (): void => {
    [since, used] = [undefined, new Map()];
  };
  return {
    forget,
    announced: async (writes, now) => {
      const age = now - (writes[0]?.at ?? now) + SLACK_MS;
      const rows = await select<{ since: number; type: string | null; events: number }>(
        pool,
        'cluster_events',
        `WITH start AS (SELECT coalesce(to_timestamp($1::float8 / 1000), clock_timestamp() - $2 * interval '1 millisecond') AS at)
         SELECT (extract(epoch FROM start.at) * 1000)::float8 AS since, split_part(e.data, ':', 1) AS type, count(e.id)::int AS events
         FROM start LEFT JOIN cluster_events e ON e.channel = 'clustering:push_config' AND e.at >= start.at
         GROUP BY start.at, split_part(e.data, ':', 1)`,
        [since ?? null, age],
      );
      const events = new Map(rows.map((row) => [row.type, row.events]));
      const found = [...Map.groupBy(writes, ({ type }) => type)].flatMap(([type, group]) => {
        const fresh = group.slice(0, Math.max(0, (events.get(type) ?? 0) - (used.get(type) ?? 0)));
        used.set(type, (used.get(type) ?? 0) + fresh.length);
        return fresh;
      });
      since = rows[0]?.since;
      // Nothing is waited for any more: what comes from now on belongs to later writes.
      if (found.length === writes.length) forget();
      return new Set(found);
    },
  };
}

/** A reader for nodes of this role. It remembers what it has counted: one for each pacer. */
export function eventReader(pool: Queryable, role: KongRoot['role']): EventReader {
  return role === 'control_plane' ? byCount(pool) : byId(pool);
}

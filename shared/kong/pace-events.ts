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
  announced(writes: readonly SentWrite[]): Promise<ReadonlySet<SentWrite>>;
  /** Begins anew: what was not announced is not waited for any more. */
  forget(): void;
}

/** Types whose every write makes an event that names the type, in hybrid mode, or the id, in traditional mode (DB §8.c2). */
export const ANNOUNCED_TYPES: ReadonlySet<EntityType> = new Set(['services', 'routes', 'upstreams', 'consumers']);

/** Both clocks are rounded to milliseconds. */
const ROUNDING_MS = 2;

/**
 * What to add to a time of ours for PostgreSQL's clock, ms: never too much, and too little by no more than the answer
 * took, so that no event of a write lies before the time of the write.
 */
async function clockOffset(pool: Queryable, clock: () => number): Promise<number> {
  const [row] = await select<{ now: number }>(
    pool,
    "the database's clock",
    'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now',
    [],
  );
  return (row?.now ?? 0) - clock() - ROUNDING_MS;
}

/** Traditional nodes name the entity: `routes:<id>:::::<workspace>`. */
async function announcedById(pool: Queryable, writes: readonly SentWrite[], since: number): Promise<SentWrite[]> {
  const rows = await select<{ id: string }>(
    pool,
    'cluster_events',
    `SELECT DISTINCT split_part(data, ':', 2) AS id FROM cluster_events
     WHERE at >= to_timestamp($1::float8 / 1000) AND split_part(data, ':', 2) = ANY($2::text[])`,
    [since, writes.map(({ id }) => id)],
  );
  const ids = new Set(rows.map(({ id }) => id));
  return writes.filter(({ id }) => ids.has(id));
}

/**
 * A control plane names the type alone (`routes:create`), in the order of the writes: as many writes of a type as there
 * are events since the first one, less those that were found before (`used`, which is updated). Events of somebody else's
 * writes can make ours look announced too early.
 */
async function announcedByCount(
  pool: Queryable,
  writes: readonly SentWrite[],
  since: number,
  used: Map<EntityType, number>,
): Promise<SentWrite[]> {
  const rows = await select<{ type: string; events: number }>(
    pool,
    'cluster_events',
    `SELECT split_part(data, ':', 1) AS type, count(*)::int AS events FROM cluster_events
     WHERE channel = 'clustering:push_config' AND at >= to_timestamp($1::float8 / 1000) GROUP BY 1`,
    [since],
  );
  const events = new Map(rows.map((row) => [row.type, row.events]));
  return [...Map.groupBy(writes, ({ type }) => type)].flatMap(([type, group]) => {
    const before = used.get(type) ?? 0;
    const fresh = group.slice(0, Math.max(0, (events.get(type) ?? 0) - before));
    used.set(type, before + fresh.length);
    return fresh;
  });
}

function idReader(pool: Queryable, clock: () => number): EventReader {
  let offset: number | undefined;
  return {
    forget: () => {
      offset = undefined;
    },
    announced: async (writes) => {
      const [oldest] = writes;
      if (oldest === undefined) return new Set();
      offset ??= await clockOffset(pool, clock);
      return new Set(await announcedById(pool, writes, oldest.at + offset));
    },
  };
}

function countReader(pool: Queryable, clock: () => number): EventReader {
  let since: number | undefined;
  const used = new Map<EntityType, number>();
  const forget = (): void => {
    since = undefined;
    used.clear();
  };
  return {
    forget,
    announced: async (writes) => {
      const [oldest] = writes;
      if (oldest === undefined) return new Set();
      since ??= oldest.at + (await clockOffset(pool, clock));
      const found = await announcedByCount(pool, writes, since, used);
      // Nothing is waited for any more: what comes from now on belongs to later writes.
      if (found.length === writes.length) forget();
      return new Set(found);
    },
  };
}

/** A reader for nodes of this role, one for each pacer, as it remembers what it has counted. `clock` is that of the writes, ms. */
export function eventReader(pool: Queryable, role: KongRoot['role'], clock: () => number): EventReader {
  return role === 'control_plane' ? countReader(pool, clock) : idReader(pool, clock);
}

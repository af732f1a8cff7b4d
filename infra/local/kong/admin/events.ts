import type { Pool } from 'pg';
import { randomUUID } from 'node:crypto';
import type { Write } from './dao/dao.ts';
import { cacheKey } from './entities/definition.ts';
import { foreignId, text } from './json.ts';
import type { JsonObject } from './json.ts';

/** A row of `cluster_events`: how a node tells the others what it wrote. */
export interface ClusterEvent {
  readonly channel: string;
  readonly data: string;
}

const CORE = 'invalidations_kong_core_db_cache';
const OTHER = 'invalidations';

/** A control plane only says that something of this type changed: its data planes get everything anyway. */
export function controlPlaneEvents({ definition, operation }: Write): readonly ClusterEvent[] {
  return [{ channel: 'clustering:push_config', data: `${definition.name}:${operation}` }];
}

/** What a traditional node says: the cache keys that are out of date, and balancer changes (Kong 3.9). */
export function traditionalEvents(write: Write, workspace: string): readonly ClusterEvent[] {
  const { definition, entity, before } = write;
  const channel = definition.core ? CORE : OTHER;
  const keys = [cacheKey(definition, before ?? entity, workspace), cacheKey(definition, entity, workspace)];
  return [...new Set(keys)]
    .map((data) => ({ channel, data }))
    .concat(FOLLOWING[definition.name]?.(write, workspace) ?? []);
}

type Following = (write: Write, workspace: string) => ClusterEvent[];

const core = (data: string): ClusterEvent => ({ channel: CORE, data });

/** What follows beside the entity's own key. */
const FOLLOWING: Readonly<Record<string, Following>> = {
  // A new service is not in the router yet, and one that may be deleted is not any more.
  services: ({ operation }) => (operation === 'update' ? [core('router:version')] : []),
  routes: () => [core('router:version')],
  plugins: () => [core('plugins_iterator:version')],
  snis: ({ entity, before }) =>
    [...new Set([...serverNames(before), ...serverNames(entity)])].map((name) => core(`snis:${name}`)),
  consumers: ({ entity, before, definition }, workspace) => {
    const byUsername = { ...definition, cacheKey: ['username'] };
    const usernames = new Set([text(before?.['username']), text(entity['username'])].filter((name) => name !== ''));
    return [...usernames].map((username) => ({ channel: OTHER, data: cacheKey(byUsername, { username }, workspace) }));
  },
  upstreams: ({ operation, entity }, workspace) => [
    { channel: 'balancer:upstreams', data: `${operation}:${workspace}:${text(entity['id'])}:${text(entity['name'])}` },
  ],
  targets: ({ operation, entity }) => [
    { channel: 'balancer:targets', data: `${operation}:${foreignId(entity['upstream'])}` },
  ],
};

/** A server name with the wildcards under which it may be looked up. */
function serverNames(sni: JsonObject | undefined): string[] {
  const name = text(sni?.['name']);
  if (name === '' || name.includes('*')) return name === '' ? [] : [name];
  const labels = name.split('.');
  if (labels.length < 2) return [name];
  return [name, ['*', ...labels.slice(1)].join('.'), [...labels.slice(0, -1), '*'].join('.')];
}

/** Writes events in order, after the request's answer and in their own commit, as Kong's timers do. */
export interface EventWriter {
  add(events: readonly ClusterEvent[]): void;
  /** When all that was added is written. Rejects when some of it could not be. */
  settled(): Promise<void>;
}

const HOUR_S = 3600;

/** Kong writes its events one by one; those that wait here are written together, each with a time of its own. */
const BATCH = 100;

export function createEventWriter(pool: Pool, nodeId: string): EventWriter {
  const waiting: ClusterEvent[] = [];
  let queue = Promise.resolve();
  let failure: unknown;
  const write = async (): Promise<void> => {
    const events = waiting.splice(0, BATCH);
    if (events.length === 0) return;
    await pool.query(
      `INSERT INTO cluster_events (id, node_id, at, expire_at, channel, data)
       SELECT event.id, $1, now, now + $5 * interval '1 second', event.channel, event.data
       FROM unnest($2::uuid[], $3::text[], $4::text[]) WITH ORDINALITY AS event (id, channel, data, place),
            LATERAL (SELECT date_trunc('milliseconds', clock_timestamp()) AS now WHERE place > 0) AS clock
       ORDER BY place`,
      [
        nodeId,
        events.map(() => randomUUID()),
        events.map(({ channel }) => channel),
        events.map(({ data }) => data),
        HOUR_S,
      ],
    );
  };
  return {
    add(events) {
      waiting.push(...events);
      queue = queue.then(write).catch((error: unknown) => {
        failure = error;
      });
    },
    async settled() {
      await queue;
      if (failure === undefined) return;
      const error = failure;
      failure = undefined;
      throw error;
    },
  };
}

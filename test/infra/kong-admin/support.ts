import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { startAdmin } from '../../../infra/local/kong/admin/server.ts';
import type { AdminOptions, RunningAdmin } from '../../../infra/local/kong/admin/server.ts';
import { migrate } from '../../../infra/local/kong/database/migrate.ts';
import { temporaryPostgres } from '../../support/postgres.ts';
import type { TemporaryPostgres } from '../../support/postgres.ts';

export type Body = { readonly [field: string]: unknown };

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The JSON of the answer; `{}` when it has none. */
  readonly body: Body;
}

/** Sends JSON (or nothing) and reads JSON (or nothing). */
export async function call(url: string, method: string, path: string, body?: unknown): Promise<Answer> {
  const response = await fetch(`${url}${path}`, {
    method,
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const json = response.headers.get('content-type')?.startsWith('application/json') === true && text !== '';
  const parsed: Body = json ? JSON.parse(text) : {};
  return { status: response.status, headers: response.headers, body: parsed };
}

export interface StandIn extends RunningAdmin {
  readonly pool: pg.Pool;
  readonly nodeId: string;
}

/** Stand-in nodes, each on a fresh database of one PostgreSQL. */
export interface StandIns {
  start(options?: Partial<AdminOptions>): Promise<StandIn>;
  stop(): Promise<void>;
}

export async function standIns(): Promise<StandIns> {
  const postgres: TemporaryPostgres = await temporaryPostgres();
  const running: StandIn[] = [];
  return {
    async start(options = {}) {
      const connectionString = await postgres.createDatabase(`kong_${running.length}`);
      const pool = new pg.Pool({ connectionString });
      await migrate(pool);
      const nodeId = randomUUID();
      const admin = await startAdmin({ role: 'traditional', nodeId, ...options, pool });
      const standIn = { ...admin, pool, nodeId };
      running.push(standIn);
      return standIn;
    },
    async stop() {
      for (const standIn of running) {
        await standIn.stop();
        await standIn.pool.end();
      }
      await postgres.stop();
    },
  };
}

/** The entities of a list answer. */
export function rows(answer: Answer): readonly Body[] {
  const { data } = answer.body;
  return Array.isArray(data) ? data : [];
}

import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startPostgres } from '../../infra/local/postgres.ts';

export interface TemporaryPostgres {
  /** DSN of the superuser on database `postgres`. */
  readonly url: string;
  /** Makes an empty database and gives its DSN. */
  createDatabase(name: string): Promise<string>;
  /** Ends the server and removes its directory. */
  stop(): Promise<void>;
}

/** A PostgreSQL of its own for one test file. */
export async function temporaryPostgres(): Promise<TemporaryPostgres> {
  const directory = await mkdtemp(join(tmpdir(), 'kong-ingress-test-'));
  // PostgreSQL's own account must get in when the tests run as root.
  await chmod(directory, 0o755);
  const server = await startPostgres({ directory });
  return {
    url: server.url,
    createDatabase: async (name) => {
      const client = new pg.Client({ connectionString: server.url });
      await client.connect();
      try {
        await client.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}`);
      } finally {
        await client.end();
      }
      const url = new URL(server.url);
      url.pathname = `/${encodeURIComponent(name)}`;
      return url.href;
    },
    stop: async () => {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

import pg from 'pg';

const CONNECT_TIMEOUT_MS = 5_000;

/** A pool of at most `max` connections that does not keep the process alive; no statement takes longer than `statementTimeoutMs`. */
export function openPool(connectionString: string, max: number, statementTimeoutMs: number): pg.Pool {
  const pool = new pg.Pool({
    connectionString,
    max,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: statementTimeoutMs,
    keepAlive: true,
    allowExitOnIdle: true,
  });
  // The server may close an idle connection, the next run opens another; one in use fails its next statement.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

import type pg from 'pg';
import { AppError } from '../errors.ts';
import type { Database, Meter, Queryable } from './database.ts';
import { sqlState } from './migrate.ts';
import { inSchema, schemaOf } from './schema.ts';

/** PostgreSQL's code for a lock that was not given within lock_timeout. */
const LOCK_NOT_AVAILABLE = '55P03';
/** A proof of holding the lock counts for this long, ms. */
const PROOF_MS = 5_000;

export interface LockOptions {
  /** What is locked, for instance `control-plane/` and the workspace. */
  readonly name: string;
  /** How long to wait for the present holder, ms. */
  readonly waitMs: number;
}

/**
 * The right to write: a transaction that holds an advisory lock on a connection of its own. The index is committed in
 * that same transaction, so who lost the lock cannot commit. Being bound to the transaction it also works behind a
 * transaction pooler.
 */
export interface Lock extends Queryable {
  /** Resolves while the lock is surely held; throws LOCK_LOST otherwise. */
  check(): Promise<void>;
  /** Runs a last statement with one JSON parameter (`$1`) and commits in the same request; gives its rows. */
  commit(text: string, parameter: unknown): Promise<readonly unknown[]>;
  /** Gives the lock up; what was not committed is undone. */
  release(): Promise<void>;
}

function lost(cause?: unknown): AppError {
  return new AppError('LOCK_LOST', 'The connection that holds the lock broke', { cause });
}

/** A text as an SQL literal, whatever the server's settings. What a long slice commits has megabytes, which the driver's own function takes apart sign by sign. */
export function literal(text: string): string {
  return ` E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

/** The rows of the first of several results. */
function firstRows(results: unknown): readonly unknown[] {
  const first: unknown = Array.isArray(results) ? results[0] : results;
  if (typeof first !== 'object' || first === null || !('rows' in first) || !Array.isArray(first.rows)) return [];
  return first.rows;
}

async function begin(client: pg.PoolClient, options: LockOptions): Promise<void> {
  const name = client.escapeLiteral(`kong-ingress-functions/${options.name}`);
  // One request: the timeout must not outlive the transaction, and a server that ends idle transactions must spare this one.
  await client.query(
    `BEGIN; SET LOCAL lock_timeout = ${Math.max(1, Math.trunc(options.waitMs))};` +
      ' SET LOCAL idle_in_transaction_session_timeout = 0;' +
      ` SELECT pg_advisory_xact_lock(hashtextextended(${name}, 0))`,
  );
}

/** Takes the lock. Throws LOCK_BUSY when another holds it for longer than `waitMs`. */
export async function acquire(database: Database, meter: Meter, options: LockOptions): Promise<Lock> {
  const client = await database.connect();
  meter.statements += 1;
  try {
    await begin(client, options);
  } catch (error) {
    client.release(true);
    if (sqlState(error) !== LOCK_NOT_AVAILABLE) throw error;
    throw new AppError('LOCK_BUSY', `Another run held the lock for over ${options.waitMs} ms`, { cause: error });
  }
  return hold(client, meter, schemaOf(database));
}

function hold(client: pg.PoolClient, meter: Meter, schema: string): Lock {
  let broken: unknown;
  let ended = false;
  let provenAt = Date.now();
  const onError = (error: Error): void => {
    broken = error;
  };
  const onEnd = (): void => {
    broken ??= new Error('The connection ended');
  };
  client.on('error', onError);
  client.on('end', onEnd);
  const end = (destroy: boolean): void => {
    if (ended) return;
    ended = true;
    client.off('error', onError);
    client.off('end', onEnd);
    client.release(destroy);
  };
  /** One statement at a time: roots that are translated at once ask at once, and a connection takes them in turn. */
  let busy: Promise<unknown> = Promise.resolve();
  const inOrder = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = busy.then(work);
    busy = turn.catch(() => undefined);
    return turn;
  };
  const send = <Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<pg.QueryResult<Row>> =>
    inOrder(async () => {
      if (broken !== undefined || ended) throw lost(broken);
      meter.statements += 1;
      const result = await client.query<Row>(text, values);
      provenAt = Date.now();
      return result;
    });
  return {
    query: (text, values) => send(inSchema(text, schema), values),
    check: async () => {
      if (broken !== undefined || ended) throw lost(broken);
      if (Date.now() - provenAt <= PROOF_MS) return;
      await send('SELECT 1').catch((error: unknown) => Promise.reject(lost(error)));
    },
    commit: async (text, parameter) => {
      const json = literal(JSON.stringify(parameter));
      const results: unknown = await send(`${inSchema(text, schema).replace('$1', () => json)}; COMMIT`);
      end(false);
      return firstRows(results);
    },
    release: async () => {
      if (ended) return;
      if (broken !== undefined) return end(true);
      meter.statements += 1;
      await inOrder(() => client.query('ROLLBACK')).then(
        () => end(false),
        () => end(true),
      );
    },
  };
}

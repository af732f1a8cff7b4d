import type pg from 'pg';

/** Runs one SQL statement. Rows are what the caller says they are: the statements and their types stand side by side. */
export interface Queryable {
  query<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<pg.QueryResult<Row>>;
}

/** A connection pool, as far as the index needs it. */
export interface Database extends Queryable {
  /** The index's schema; `kong_ingress` unless it says another. */
  readonly schema?: string;
  connect(): Promise<pg.PoolClient>;
}

/** Counts the requests that went to PostgreSQL. */
export interface Meter {
  statements: number;
}

/** The same pool with its `query` calls counted; whoever takes a connection from it counts there. */
export function metered(pool: pg.Pool, meter: Meter): pg.Pool {
  return new Proxy(pool, {
    get: (target, property) => {
      if (property === 'query') meter.statements += 1;
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

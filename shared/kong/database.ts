import type { QueryResultRow } from 'pg';
import type { Queryable } from '../index/database.ts';
import { AppError } from '../errors.ts';
import { isRecord } from '../json.ts';
import { text } from './json.ts';

/**
 * Runs one statement on Kong's PostgreSQL. Throws KONG_DATABASE_UNAVAILABLE with PostgreSQL's error code alone: its
 * messages can repeat values.
 */
export async function select<Row extends QueryResultRow>(
  pool: Queryable,
  what: string,
  statement: string,
  values: readonly unknown[],
): Promise<readonly Row[]> {
  try {
    return (await pool.query<Row>(statement, [...values])).rows;
  } catch (error) {
    const code = (isRecord(error) ? text(error.code) : undefined) ?? 'no connection';
    throw new AppError('KONG_DATABASE_UNAVAILABLE', `reading ${what} failed: ${code}`);
  }
}

/** Collects the values of a statement and gives their placeholders. */
export class Values {
  readonly list: unknown[] = [];

  /** `$n` for a value; a cast such as `uuid[]` follows it. */
  add(value: unknown, cast: string): string {
    this.list.push(value);
    return `$${this.list.length}::${cast}`;
  }
}

import type { Json } from '../../../../shared/kong/entities.ts';

/** A row of one of Kong's tables as PostgreSQL's `to_jsonb` gives it. */
export type Row = { readonly [column: string]: Json };

/** Rows of Kong's tables by table name, each table ordered by primary key. */
export type Tables = { readonly [table: string]: readonly Row[] };

export function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Parses one row's JSON text; undefined when it is not an object. */
export function parseRow(json: string): Row | undefined {
  const value: unknown = JSON.parse(json);
  return isRow(value) ? value : undefined;
}

/** The column as text, undefined for NULL or another type. */
export function text(row: Row, column: string): string | undefined {
  const value = row[column];
  return typeof value === 'string' ? value : undefined;
}

export function number(row: Row, column: string): number | undefined {
  const value = row[column];
  return typeof value === 'number' ? value : undefined;
}

export function flag(row: Row, column: string): boolean | undefined {
  const value = row[column];
  return typeof value === 'boolean' ? value : undefined;
}

/** The strings of an array column; empty for NULL. */
export function texts(row: Row, column: string): readonly string[] {
  const value = row[column];
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

/** An object column; empty for NULL. */
export function object(row: Row, column: string): Row {
  const value = row[column];
  return isRow(value) ? value : {};
}

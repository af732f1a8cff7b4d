import { createHash } from 'node:crypto';
import type pg from 'pg';

/** The schema that all SQL here names; `inSchema` puts another one in its place. */
const WRITTEN = 'kong_ingress';
const NAMED = /\bkong_ingress\b(?![/-])/g;

/** Longest part of a schema's name that is for people: PostgreSQL cuts names at 63 bytes. */
const READABLE = 41;

/**
 * The schema of the index for a cluster and a workspace of Kong (`''` for none): `kong_ingress` for the cluster
 * `default` without a workspace, otherwise with both names and a digest, as names may differ in what SQL does not show.
 * Needs no quotes.
 */
export function indexSchema(cluster: string, workspace: string): string {
  if (cluster === 'default' && workspace === '') return WRITTEN;
  const names = [cluster, workspace].filter((name) => name !== '').join('_');
  const readable = names
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .slice(0, READABLE);
  const digest = createHash('sha256')
    .update(JSON.stringify([cluster, workspace]))
    .digest('hex')
    .slice(0, 8);
  return `${WRITTEN}_${readable}_${digest}`;
}

/** A statement that names `kong_ingress`, for another schema. Never give it a text with values in it. */
export function inSchema(text: string, schema: string): string {
  return schema === WRITTEN ? text : text.replaceAll(NAMED, schema);
}

/** PostgreSQL of the index. A pool that names no schema has `kong_ingress`. */
export type IndexPool = pg.Pool & { readonly schema?: string; readonly base?: pg.Pool };

/** The schema of a pool's index. */
export function schemaOf({ schema = WRITTEN }: { readonly schema?: string }): string {
  return schema;
}

/** Whether both are connections of one pool, whichever index they are for. */
export function samePool(a: IndexPool, b: IndexPool): boolean {
  return (a.base ?? a) === (b.base ?? b);
}

/**
 * The same pool for the index in `schema`. Its `query` takes statements that name `kong_ingress`; no setting of a session
 * is needed, which a transaction pooler would lose. Connections taken from it are left as they are.
 */
export function indexPool(pool: pg.Pool, schema: string): IndexPool {
  if (schema === WRITTEN) return pool;
  const query = <Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<pg.QueryResult<Row>> =>
    pool.query<Row>(inSchema(text, schema), values);
  return new Proxy<IndexPool>(pool, {
    get: (_target, property) => {
      if (property === 'schema') return schema;
      if (property === 'base') return pool;
      if (property === 'query') return query;
      const value: unknown = Reflect.get(pool, property, pool);
      return typeof value === 'function' ? value.bind(pool) : value;
    },
  });
}

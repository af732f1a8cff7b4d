import { createHash } from 'node:crypto';
import type { Pool } from 'pg';
import type { Definition } from '../entities/definition.ts';
import { text } from '../json.ts';
import type { JsonObject } from '../json.ts';
import { databaseError } from './database-error.ts';
import { offsetAfter } from './paging.ts';
import type { PageRequest } from './paging.ts';
import { entityExpression, rowOf, writtenColumns } from './rows.ts';

/** A condition on a column: it is the value, or, for a list, has it as an element. */
export interface Where {
  readonly column: string;
  readonly value: string;
  readonly element?: boolean;
}

export interface Page {
  readonly entities: readonly JsonObject[];
  readonly offset: string | undefined;
}

/** Kong's tables, entity by entity. Every write is one statement with its own commit, as in Kong. */
export interface Store {
  readonly workspace: string;
  first(definition: Definition, where: Where): Promise<JsonObject | undefined>;
  all(definition: Definition, where: Where): Promise<readonly JsonObject[]>;
  /** In the order of ids. */
  page(definition: Definition, request: PageRequest, where?: Where): Promise<Page>;
  /** Throws KongError 3, 4 or 5. */
  insert(definition: Definition, entity: JsonObject): Promise<JsonObject>;
  /** Inserts, or replaces all columns of the row with this id. Throws KongError 4 or 5. */
  upsert(definition: Definition, entity: JsonObject): Promise<JsonObject>;
  /** True when there was a row. Throws KongError 4. */
  remove(definition: Definition, id: string): Promise<boolean>;
}

/** The statements are few and long: prepared once a connection, they cost PostgreSQL no more planning. */
function statementName(sql: string): string {
  return `kong_${createHash('sha1').update(sql).digest('hex')}`;
}

interface EntityRow {
  readonly entity: JsonObject;
}

export function createStore(pool: Pool, workspace: string): Store {
  const rows = async (definition: Definition, rest: string, values: readonly unknown[]): Promise<JsonObject[]> => {
    const sql = `SELECT ${entityExpression(definition)} AS entity FROM ${definition.table} WHERE ${scope(definition)} ${rest}`;
    const { rows: found } = await pool.query<EntityRow>({ name: statementName(sql), text: sql, values: [...values] });
    return found.map(({ entity }) => entity);
  };

  const write = async (definition: Definition, entity: JsonObject, onConflict: string): Promise<JsonObject> => {
    const columns = writtenColumns(definition).join(', ');
    const row = rowOf(definition, entity, workspace, Date.now());
    const sql = `INSERT INTO ${definition.table} (${columns})
      SELECT ${columns} FROM jsonb_populate_record(NULL::${definition.table}, $1::jsonb) ${onConflict}
      RETURNING ${entityExpression(definition)} AS entity`;
    try {
      const statement = { name: statementName(sql), text: sql, values: [JSON.stringify(row)] };
      const { rows: written } = await pool.query<EntityRow>(statement);
      return written[0]?.entity ?? entity;
    } catch (error) {
      throw databaseError(definition, entity, error);
    }
  };

  return {
    workspace,
    async first(definition, where) {
      return (await rows(definition, `AND ${condition(where, '$1')} LIMIT 1`, [where.value]))[0];
    },
    all: (definition, where) => rows(definition, `AND ${condition(where, '$1')} ORDER BY id`, [where.value]),
    async page(definition, request, where) {
      const { clause, values } = pageClause(request, where);
      const found = await rows(definition, clause, values);
      const entities = found.slice(0, request.size);
      const last = entities.at(-1)?.['id'];
      return { entities, offset: found.length > request.size ? offsetAfter(text(last)) : undefined };
    },
    insert: (definition, entity) => write(definition, entity, ''),
    upsert: (definition, entity) => write(definition, entity, replaceClause(definition)),
    async remove(definition, id) {
      try {
        const { rowCount } = await pool.query(`DELETE FROM ${definition.table} WHERE id = $1`, [id]);
        return rowCount === 1;
      } catch (error) {
        throw databaseError(definition, { id }, error);
      }
    },
  };
}

function condition({ column, element = false }: Where, parameter: string): string {
  return element ? `${parameter} = ANY ("${column}")` : `"${column}" = ${parameter}`;
}

/** Rows whose time has come are not there any more, although nothing has removed them yet. */
function scope(definition: Definition): string {
  return definition.ttl === true ? '(ttl IS NULL OR ttl > now())' : 'true';
}

function replaceClause(definition: Definition): string {
  const assignments = writtenColumns(definition)
    .filter((column) => column !== '"id"')
    .map((column) => `${column} = EXCLUDED.${column}`);
  return `ON CONFLICT (id) DO UPDATE SET ${assignments.join(', ')}`;
}

function pageClause(request: PageRequest, where: Where | undefined): { clause: string; values: unknown[] } {
  const values: unknown[] = [];
  const next = (value: unknown): string => `$${values.push(value)}`;
  let clause = '';
  if (where !== undefined) clause += `AND ${condition(where, next(where.value))} `;
  if (request.after !== undefined) clause += `AND id > ${next(request.after)} `;
  if (request.filter !== undefined)
    clause += `AND tags ${request.filter.all ? '@>' : '&&'} ${next(request.filter.tags)}::text[] `;
  return { clause: `${clause}ORDER BY id LIMIT ${next(request.size + 1)}`, values };
}

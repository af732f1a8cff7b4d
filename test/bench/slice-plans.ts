import pg from 'pg';

/** A scan of so many rows reads a table that grows with the cluster, and reads more the more there is. */
const LARGE_ROWS = 5_000;

/** One node of a plan that PostgreSQL ran, as far as it is looked at; counts are per loop. */
interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Actual Rows'?: number;
  readonly 'Actual Loops'?: number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Index Recheck'?: number;
  readonly 'Shared Hit Blocks'?: number;
  readonly 'Shared Read Blocks'?: number;
  readonly Plans?: readonly PlanNode[];
}

/** A statement that PostgreSQL ran, with the plan that it used for it. */
export interface Explained {
  readonly statement: string;
  readonly plan: PlanNode;
  readonly ms: number;
}

/** A pool whose every statement tells its plan. */
export interface ExplainingPool {
  readonly pool: pg.Pool;
  /** Gives the statements since it was asked last. */
  readonly take: () => readonly Explained[];
}

/** What `auto_explain` tells of each statement, to the client itself. */
const OPTIONS = Object.entries({
  session_preload_libraries: 'auto_explain',
  'auto_explain.log_min_duration': '0',
  'auto_explain.log_analyze': 'on',
  'auto_explain.log_buffers': 'on',
  'auto_explain.log_nested_statements': 'on',
  'auto_explain.log_format': 'json',
  client_min_messages: 'log',
})
  .map(([name, value]) => `-c ${name}=${value}`)
  .join(' ');

const NOTICE = /^duration: ([\d.]+) ms {2}plan:\n(.*)$/s;

function explained(message: string | undefined): readonly Explained[] {
  const [, ms, json] = NOTICE.exec(message ?? '') ?? [];
  if (ms === undefined || json === undefined) return [];
  const { 'Query Text': statement, Plan: plan }: { 'Query Text': string; Plan: PlanNode } = JSON.parse(json);
  return [{ statement, plan, ms: Number(ms) }];
}

/** Opens one; the caller ends its pool. The plans are those that PostgreSQL used, not what it would do. */
export function explainingPool(connectionString: string): ExplainingPool {
  const seen: Explained[] = [];
  const pool = new pg.Pool({ connectionString, max: 4, options: OPTIONS });
  pool.on('error', () => undefined);
  pool.on('connect', (client) => {
    client.on('notice', ({ message }) => seen.push(...explained(message)));
  });
  return { pool, take: () => seen.splice(0) };
}

/**
 * Takes away what PostgreSQL knows about the sizes and values of Kong's tables and the index's: so it is after a first sync,
 * until autovacuum has come by. What was put into the tables stays.
 */
export async function forgetStatistics(pool: pg.Pool): Promise<void> {
  await pool.query(`
    WITH ours AS (
      SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = 'public' OR n.nspname LIKE 'kong_ingress%'
    ), values AS (
      DELETE FROM pg_statistic WHERE starelid IN (SELECT oid FROM ours)
    )
    UPDATE pg_class SET relpages = 0, reltuples = -1, relallvisible = 0 WHERE oid IN (SELECT oid FROM ours)`);
}

function nodes(plan: PlanNode): readonly PlanNode[] {
  return [plan, ...(plan.Plans ?? []).flatMap(nodes)];
}

function rowsRead(node: PlanNode): number {
  const { 'Actual Rows': rows = 0, 'Actual Loops': loops = 0 } = node;
  return (rows + (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0)) * loops;
}

/** A scan that read so much that a slice must not do it, or undefined. */
function offence(node: PlanNode, statement: string): string | undefined {
  const of = node['Relation Name'] ?? node['Index Name'];
  if (!node['Node Type'].endsWith('Scan') || of === undefined || rowsRead(node) < LARGE_ROWS) return undefined;
  const start = statement.trim().replaceAll(/\s+/g, ' ').slice(0, 100);
  return `${node['Node Type']} on ${of} read ${rowsRead(node)} rows in ${start}`;
}

/** Scans of tables and indexes that read so much that a slice must not do it. */
export function offenders(all: readonly Explained[]): readonly string[] {
  return all.flatMap(({ statement, plan }) => nodes(plan).flatMap((node) => offence(node, statement) ?? []));
}

/** Pages of 8 KB that the statements read, from memory or not. */
export function pagesOf(all: readonly Explained[]): number {
  return all.reduce((sum, { plan }) => sum + (plan['Shared Hit Blocks'] ?? 0) + (plan['Shared Read Blocks'] ?? 0), 0);
}

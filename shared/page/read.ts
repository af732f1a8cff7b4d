import type { Verdict } from '../convergence/types.ts';
import { lastRevisions } from '../convergence/revisions.ts';
import type { Database, Queryable } from '../index/database.ts';
import { guarded } from '../index/guarded.ts';
import { hasIndex } from '../index/migrate.ts';
import { inSchema, schemaOf } from '../index/schema.ts';
import { hidesSlot } from '../plan/resolve.ts';
import type { EntityType } from '../kong/entities.ts';
import { refOfKey } from '../index/refs.ts';
import { display } from '../findings.ts';
import { NOTHING_RECORDED, type FoundProblem, type Listed, type Quarantined, type Recorded } from './status.ts';

/** Rows of each kind that are shown at most; the counts are always whole. */
const LISTED = 50;
const REVISIONS = 50;

interface Facts {
  readonly now: number;
  readonly cluster: string | null;
  readonly checkedAt: number | null;
  readonly topology: string | null;
  readonly warnings: readonly string[] | null;
  readonly reconciledAt: number | null;
  readonly withheldDeletes: number;
  readonly entities: number;
  readonly roots: number;
}

const FACTS = `
  SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now,
    (SELECT value FROM kong_ingress.meta WHERE name = 'cluster') AS cluster,
    (extract(epoch FROM c.at) * 1000)::float8 AS "checkedAt", c.report->>'topology' AS topology,
    c.report->'warnings' AS warnings,
    (extract(epoch FROM r.at) * 1000)::float8 AS "reconciledAt",
    coalesce((r.report->>'withheldDeletes')::int, 0) AS "withheldDeletes",
    (SELECT count(*)::int FROM kong_ingress.entities) AS entities,
    (SELECT count(*)::int FROM kong_ingress.roots) AS roots
  FROM (SELECT) AS one
  LEFT JOIN kong_ingress.runs c ON c.name = 'converge' LEFT JOIN kong_ingress.runs r ON r.name = 'reconcile'`;

const VERDICTS = `
  SELECT verdict, (extract(epoch FROM since) * 1000)::float8 AS since FROM kong_ingress.verdicts
  WHERE judged_at = (SELECT at FROM kong_ingress.runs WHERE name = 'converge')`;

const FINDINGS = `
  SELECT count(*) OVER ()::int AS count, root, f.severity, f.reason, f.message
  FROM kong_ingress.roots, jsonb_to_recordset(findings) AS f(severity text, reason text, message text)
  WHERE findings <> '[]'::jsonb ORDER BY f.severity, root, f.reason LIMIT $1`;

const QUARANTINE = `
  SELECT count(*) OVER ()::int AS count, slot, type, id::text AS id, attempts,
    finding->>'reason' AS reason, finding->>'message' AS message,
    (extract(epoch FROM retry_at) * 1000)::float8 AS "retryAt"
  FROM kong_ingress.quarantine ORDER BY attempts DESC, slot LIMIT $1`;

interface Counted {
  readonly count: number;
}

type FindingRow = Counted & Omit<FoundProblem, 'object'> & { readonly root: string };
type QuarantineRow = Counted &
  Omit<Quarantined, 'entity'> & { readonly slot: string; readonly type: EntityType; readonly id: string };

function listed<Row extends Counted, Item>(rows: readonly Row[], item: (row: Row) => Item): Listed<Item> {
  return { count: rows[0]?.count ?? 0, items: rows.map(item) };
}

function problem({ root, severity, reason, message }: FindingRow): FoundProblem {
  return { severity, reason, message, object: display(refOfKey('', root)) };
}

function quarantined({ slot, type, id, reason, message, attempts, retryAt }: QuarantineRow): Quarantined {
  return { entity: hidesSlot(type) ? `${type}/${id}` : slot, reason, message, attempts, retryAt };
}

async function factsOf(
  index: Queryable,
): Promise<Omit<Recorded, 'verdicts' | 'revisions' | 'findings' | 'quarantined'>> {
  const { rows } = await index.query<Facts>(FACTS);
  const facts = rows[0];
  if (facts === undefined) return { ...NOTHING_RECORDED };
  return {
    ...facts,
    cluster: facts.cluster ?? undefined,
    checkedAt: facts.checkedAt ?? undefined,
    topology: facts.topology ?? 'unknown',
    warnings: facts.warnings ?? [],
    reconciledAt: facts.reconciledAt ?? undefined,
  };
}

/** Reads in one snapshot that cannot write, whatever the role may do. */
async function inSnapshot<Result>(database: Database, work: (index: Queryable) => Promise<Result>): Promise<Result> {
  const client = await database.connect();
  const schema = schemaOf(database);
  try {
    await client.query('BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const result = await work({ query: (text, values) => client.query(inSchema(text, schema), values) });
    await client.query('COMMIT');
    client.release();
    return result;
  } catch (error) {
    client.release(true);
    throw error;
  }
}

async function read(index: Queryable): Promise<Recorded> {
  const facts = await factsOf(index);
  const verdicts = await index.query<{ verdict: Verdict; since: number }>(VERDICTS);
  const revisions = await lastRevisions(index, REVISIONS);
  const findings = await index.query<FindingRow>(FINDINGS, [LISTED]);
  const rejected = await index.query<QuarantineRow>(QUARANTINE, [LISTED]);
  return {
    ...facts,
    verdicts: verdicts.rows,
    revisions,
    findings: listed(findings.rows, problem),
    quarantined: listed(rejected.rows, quarantined),
  };
}

/** What the index holds, read in one snapshot. Without an index: nothing, at time 0. Throws INDEX_*. */
export function readRecorded(index: Database): Promise<Recorded> {
  return guarded(async () => ((await hasIndex(index)) ? inSnapshot(index, read) : NOTHING_RECORDED));
}

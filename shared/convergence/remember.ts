import type { Queryable } from '../index/database.ts';
import type { Converged } from './converge.ts';

const REMEMBER = `
  WITH run AS (
    INSERT INTO kong_ingress.runs (name, at, report) VALUES ('converge', clock_timestamp(), $2::jsonb)
    ON CONFLICT (name) DO UPDATE SET at = excluded.at, report = excluded.report
    RETURNING at
  ), said AS (
    SELECT * FROM jsonb_to_recordset($1::jsonb) AS s(node text, state text, verdict jsonb)
  ), forgotten AS (
    DELETE FROM kong_ingress.verdicts
    WHERE judged_at < now() - interval '1 day' AND node NOT IN (SELECT node FROM said)
  )
  INSERT INTO kong_ingress.verdicts AS v (node, state, verdict, since, judged_at)
  SELECT said.node, said.state, said.verdict, run.at, run.at FROM said, run ORDER BY said.node
  ON CONFLICT (node) DO UPDATE SET
    state = excluded.state, verdict = excluded.verdict, judged_at = excluded.judged_at,
    since = CASE WHEN v.state = excluded.state THEN v.since ELSE excluded.since END`;

/** Remembers what a run found, for whoever only reads the index: the verdicts, since when each state lasts, and the warnings. */
export async function rememberVerdicts(
  index: Queryable,
  { topology, verdicts, warnings }: Pick<Converged, 'topology' | 'verdicts' | 'warnings'>,
): Promise<void> {
  const byNode = new Map(verdicts.map((verdict) => [verdict.node, verdict]));
  const rows = [...byNode].map(([node, verdict]) => ({ node, state: verdict.state, verdict }));
  await index.query(REMEMBER, [JSON.stringify(rows), JSON.stringify({ topology, warnings })]);
}

import type { ConvergenceType } from '../events.ts';
import type { Queryable } from '../index/database.ts';
import type { Publisher } from '../publish.ts';
import type { Converged } from './converge.ts';
import type { DataPlaneState, Verdict } from './types.ts';

/** Names in an event at most. */
const LISTED = 100;

const TROUBLES: Partial<Readonly<Record<DataPlaneState, ConvergenceType>>> = {
  rejecting: 'DataPlaneDiverged',
  partitioned: 'DataPlaneLost',
  incompatible: 'DataPlaneIncompatible',
};

/** A data plane, and what the bus is to be told of it; undefined: nothing is wrong with it any more. */
interface Change {
  readonly verdict: Verdict;
  readonly trouble: ConvergenceType | undefined;
}

/**
 * Which data planes' troubles differ from what was announced last, by node. What is not known changes nothing: a trouble
 * that was told is not told again after a run without evidence. Pure.
 */
export function changedTroubles(
  verdicts: readonly Verdict[],
  announced: ReadonlyMap<string, string>,
): readonly Change[] {
  return verdicts
    .filter(({ state }) => state !== 'unknown')
    .map((verdict) => ({ verdict, trouble: TROUBLES[verdict.state] }))
    .filter(({ verdict, trouble }) => announced.get(verdict.node) !== trouble);
}

async function announcedTroubles(index: Queryable): Promise<ReadonlyMap<string, string>> {
  const { rows } = await index.query<{ node: string; announced: string }>(
    'SELECT node, announced FROM kong_ingress.verdicts WHERE announced IS NOT NULL',
  );
  return new Map(rows.map(({ node, announced }) => [node, announced]));
}

async function remember(index: Queryable, changes: readonly Change[]): Promise<void> {
  const parameters = [changes.map(({ verdict }) => verdict.node), changes.map(({ trouble }) => trouble ?? null)];
  await index.query(
    `UPDATE kong_ingress.verdicts v SET announced = c.trouble
     FROM unnest($1::text[], $2::text[]) AS c(node, trouble) WHERE v.node = c.node`,
    parameters,
  );
}

/** From the end of each write to the proof, s. */
async function secondsToConverge(index: Queryable, revisions: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const { rows } = await index.query<{ id: string; seconds: number }>(
    `SELECT id::text AS id, round(extract(epoch FROM converged_at - written_at), 3)::float8 AS seconds
     FROM kong_ingress.revisions WHERE id = ANY ($1::bigint[])`,
    [revisions],
  );
  return new Map(rows.map(({ id, seconds }) => [id, seconds]));
}

async function publishConverged(index: Queryable, result: Converged, publisher: Publisher): Promise<void> {
  const revisions = result.converged.slice(-LISTED);
  const seconds = await secondsToConverge(index, revisions);
  await publisher.publishOutcome('DataPlanesConverged', {
    topology: result.topology,
    revision: revisions.at(-1),
    revisions: revisions.map((id) => ({ id, seconds: seconds.get(id) })),
    dataPlanes: result.verdicts.slice(0, LISTED).map(({ name, evidence, proof }) => ({ name, evidence, proof })),
  });
}

async function publishTroubles(index: Queryable, result: Converged, publisher: Publisher): Promise<void> {
  const changes = changedTroubles(result.verdicts, await announcedTroubles(index));
  if (changes.length === 0) return;
  for (const { verdict, trouble } of changes) {
    if (trouble !== undefined) await publisher.publishOutcome(trouble, { topology: result.topology, ...verdict });
  }
  await remember(index, changes);
}

/**
 * Tells whoever listens on the bus what a run found: revisions that every data plane runs now, and what is newly wrong
 * with a data plane, each once. Throws EVENTS_NOT_PUBLISHED; the next run tells of troubles again then.
 */
export async function announceVerdicts(index: Queryable, result: Converged, publisher: Publisher): Promise<void> {
  if (result.converged.length > 0) await publishConverged(index, result, publisher);
  await publishTroubles(index, result, publisher);
}

import { completeHashes, steady } from './complete-verdict.ts';
import { unseen } from './live-verdict.ts';
import type { LiveFacts } from './live-verdict.ts';
import type { Opinion, Unavailable } from './opinion-verdict.ts';
import { blank, empty, hadBefore, heardSince, margin, reading, seconds, unusable, without } from './row-verdict.ts';
import type { Judged, RowFacts, Said } from './row-verdict.ts';
import { EVENT_GRACE_MS } from './traditional-verdict.ts';
import type { DataPlaneRow, Revision } from './types.ts';

type Facts = RowFacts & LiveFacts;

const ON_A_REPLICA: Unavailable = {
  evidence: 'agreement',
  unavailable: 'control planes read a replica (pg_ro_host), which may be late',
};

/** When everything that the revision caused has arrived, ms: from then on a configuration that all share has it. */
function due(revision: Revision, { pushes, holdMs }: Facts): number {
  const at =
    pushes?.at.filter((time) => time >= revision.startedAt && time <= revision.writtenAt + EVENT_GRACE_MS) ?? [];
  // Where Kong is so busy that it announces late, the last announcement counts.
  const inTime = at.filter((time) => time <= revision.writtenAt).length >= revision.changes;
  return Math.max(revision.writtenAt, inTime ? 0 : (at.at(-1) ?? 0)) + holdMs;
}

/** What agreement cannot see, to be said with every proof. */
function blindSpots(facts: Facts): string {
  return ['data planes that all failed alike would not be seen', unseen(facts.live)].filter(Boolean).join(', nor ');
}

/** The row can only be judged together with the others. */
function isNew(row: DataPlaneRow, revision: Revision, place: number): boolean {
  const { since } = reading(row);
  return !empty(reading(row)) && heardSince(row, place) && (since > revision.startedAt || revision.changes === 0);
}

function held(row: DataPlaneRow, facts: Facts, why: string): Said {
  const left = reading(row).since + margin(row, facts) - facts.now;
  return left <= 0
    ? { state: 'converged', reason: `${why}; ${blindSpots(facts)}` }
    : { state: 'applying', reason: `${why}; its workers get ${seconds(left)} more` };
}

/**
 * Nothing that is still on its way can change the row. A data plane that lost its control plane in between may show a
 * part of the change for long: where control planes restarted, it has to report after all pushes, and report nothing else
 * for as long as storing takes.
 */
function settled(row: DataPlaneRow, dueAt: number, { now, reportMs }: Facts): boolean {
  const last = { floor: row.rowFloor, since: row.rowSince };
  return [last, row.reportBefore].some((report) => report && report.floor >= dueAt && now - report.since >= reportMs);
}

function together(rows: readonly DataPlaneRow[], agree: boolean, revision: Revision, facts: Facts): readonly Judged[] {
  const dueAt = due(revision, facts);
  const left = dueAt - facts.now;
  const said = (row: DataPlaneRow): Said => {
    if (!agree) return { state: 'applying', reason: 'the data planes do not agree on one configuration' };
    if (left > 0)
      return {
        state: 'applying',
        reason: `all have one new configuration; the rest of the change may come for ${seconds(left)} more`,
      };
    if (!steady(revision, facts) && !rows.every((item) => settled(item, dueAt, facts))) {
      return {
        state: 'applying',
        reason: 'a control plane restarted lately; the next report of the data planes is waited for',
      };
    }
    return held(row, facts, 'all live data planes have one configuration, and no further push is due');
  };
  return rows.map((row) => ({ row, ...said(row) }));
}

/** Nobody took it: then it cannot be told from a write that does not show in the configuration. */
function withoutWitness(judged: readonly Judged[]): readonly Judged[] {
  if (judged.some(({ state }) => state === 'converged')) return judged;
  const reason = 'no data plane has another configuration than before the write';
  return judged.map((item) => (item.state === 'rejecting' ? { ...item, state: 'unknown', reason } : item));
}

/** What the row's own story says; undefined when the others are needed. */
function alone(
  row: DataPlaneRow,
  complete: ReadonlySet<string>,
  revision: Revision,
  place: number,
  facts: Facts,
): Said | undefined {
  const useless = unusable(row, facts);
  if (useless !== undefined) return useless;
  if (complete.has(reading(row).hash)) return held(row, facts, 'it has all that was pushed for the write');
  if (hadBefore(row, revision, facts))
    return { state: 'converged', reason: `it had the revision before; ${blindSpots(facts)}` };
  return isNew(row, revision, place) ? undefined : without(row, revision, place, facts);
}

function judge(rows: readonly DataPlaneRow[], revision: Revision, place: number, facts: Facts): readonly Judged[] {
  const usable = rows.filter((row) => unusable(row, facts) === undefined);
  const complete = completeHashes(usable, revision, facts);
  const said = rows.map((row) => ({ row, own: alone(row, complete, revision, place, facts) }));
  const done = said.flatMap(({ row, own }): Judged[] => (own === undefined ? [] : [{ row, ...own }]));
  const open = said.flatMap(({ row, own }) => (own === undefined ? [row] : []));
  const waitsFor = done.filter(({ state }) => state === 'applying' || state === 'rejecting');
  const has = done.filter(({ state }) => state === 'converged').map(({ row }) => row);
  const hashes = new Set([...open, ...has].map((row) => reading(row).hash));
  const agree = waitsFor.length === 0 && hashes.size === 1;
  const all = [...done, ...together(open, agree, revision, facts)];
  return open.length === 0 ? withoutWitness(all) : all;
}

/**
 * What the data planes' configurations mean together (DB §2.7 H3, CV §2), by row id: a data plane has the revision when
 * its configuration must hold it by what it had before (`mustHold`), or when all live ones share one configuration after
 * every push is over that the write can have caused. Sooner that would be false: a control plane pushes at the first write
 * of a change and again `db_update_frequency` later. Pure.
 */
export function agreement(rows: readonly DataPlaneRow[], facts: Facts): ReadonlyMap<string, Opinion | Unavailable> {
  if (facts.replica) return new Map(rows.map((row) => [row.id, ON_A_REPLICA]));
  const byRevision = facts.revisions.map((revision, place) => judge(rows, revision, place, facts));
  return new Map(
    rows.map((row) => {
      const judged = byRevision.flatMap((all) => all.find((item) => item.row === row) ?? []);
      return [row.id, { ...blank(judged, facts), evidence: row.status === undefined ? 'agreement' : 'status' }];
    }),
  );
}

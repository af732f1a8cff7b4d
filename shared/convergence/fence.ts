import type { Queryable } from '../index/database.ts';
import { select } from '../kong/database.ts';
import type { Expected } from './expected-verdict.ts';
import type { DataPlaneRow, Revision } from './types.ts';

/** Versions that are looked at; Kong keeps about a hundred (DB §2.5). */
const MOST = 500;

/** The version that a data plane says it has with sync v2 (3.9: decimal, later hexadecimal); undefined: another hash. */
export function versionOf(hash: string): number | undefined {
  if (/^0{12}\d{20}$/.test(hash) && !/^0+$/.test(hash)) return Number(hash);
  const hexadecimal = /^v02_([0-9a-f]{28})$/.exec(hash)?.[1];
  return hexadecimal === undefined ? undefined : Number.parseInt(hexadecimal, 16);
}

interface VersionRow {
  readonly version: number;
  /** Place of the oldest revision after which it was given out, counted from the newest; null: before all of them. */
  readonly after: number | null;
}

async function versions(kong: Queryable, revisions: readonly Revision[]): Promise<readonly VersionRow[]> {
  return select<VersionRow>(
    kong,
    'clustering_sync_version',
    `SELECT version::float8 AS version,
       (SELECT min(r.place)::int - 1 FROM unnest($1::text[]) WITH ORDINALITY AS r(snapshot, place)
        WHERE age(v.xmin) <= age((r.snapshot::xid8)::xid)) AS after
     FROM clustering_sync_version v ORDER BY v.version DESC LIMIT ${MOST}`,
    [revisions.map(({ snapshotXmax }) => snapshotXmax)],
  );
}

/** Which tables of sync v2 there are: none before 3.9; changes one by one in 3.9 alone. */
async function tables(kong: Queryable): Promise<{ readonly versions: boolean; readonly deltas: boolean }> {
  const [row] = await select<{ versions: boolean; deltas: boolean }>(
    kong,
    'information_schema.tables',
    `SELECT to_regclass('clustering_sync_version') IS NOT NULL AS versions,
       to_regclass('clustering_sync_delta') IS NOT NULL AS deltas`,
    [],
  );
  return row ?? { versions: false, deltas: false };
}

/**
 * The least version with which a data plane must have a revision. A version that was given out after the revision's mark
 * is a fence: everything of the revision was committed before it existed. Without one, the revision's own version will do
 * when it is the only one since the revision before: of several, a later one can be committed and fetched first, and the
 * earlier is missing then. Where Kong sends changes one by one (3.9), that gap would stay, and a fence does not help. Pure.
 */
export function fenceOf(
  rows: readonly VersionRow[],
  revision: Revision,
  place: number,
  deltas: boolean,
): number | undefined {
  const later = rows.filter(({ after }) => after !== null && after <= place).map(({ version }) => version);
  if (!deltas && later.length > 0) return Math.min(...later);
  const own = rows.filter(({ after }) => after === null || after > place);
  const latest = own.filter(({ after }) => after === place + 1 || (after === null && own.length === 1));
  const [sole, ...more] = latest;
  if (revision.changes !== 1 || sole === undefined || more.length > 0) return undefined;
  // A transaction that began earlier can take a later version.
  return own.every(({ version }) => version <= sole.version) ? sole.version : undefined;
}

/**
 * What sync v2 must have brought, by version; undefined where no data plane uses it. `workerTimerMs`: how often workers look
 * for what has come (`worker_state_update_frequency`). Throws KONG_DATABASE_UNAVAILABLE.
 */
export async function fence(
  kong: Queryable,
  revisions: readonly Revision[],
  rows: readonly Pick<DataPlaneRow, 'hash'>[],
  workerTimerMs: number,
): Promise<Expected | undefined> {
  if (!rows.some(({ hash }) => versionOf(hash) !== undefined)) return undefined;
  const found = await tables(kong);
  if (!found.versions) return undefined;
  const given = await versions(kong, revisions);
  const fences = revisions.map((revision, place) => fenceOf(given, revision, place, found.deltas));
  const holds = (hash: string): number | undefined => {
    const version = versionOf(hash);
    const place = fences.findIndex((least) => least !== undefined && version !== undefined && version >= least);
    return place === -1 ? undefined : place;
  };
  const newest = fences.findIndex((least) => least !== undefined);
  return { evidence: 'fence', holds, newest: newest === -1 ? undefined : newest, extraMarginMs: workerTimerMs };
}

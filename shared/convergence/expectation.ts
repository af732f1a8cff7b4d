import type { Queryable } from '../index/database.ts';
import type { KongRoot } from '../kong/root.ts';
import { holds } from './content.ts';
import type { Expected } from './expected-verdict.ts';
import type { Unavailable } from './opinion-verdict.ts';
import { knownConfigurations, lastConverged, rememberConfiguration } from './revisions.ts';
import { takeFrame } from './shadow.ts';
import type { ClusterConfig, Frame } from './shadow.ts';
import type { DataPlaneRow, Revision } from './types.ts';

/** What the shadow works with. */
export interface Shadowing {
  readonly kong: Queryable;
  readonly index: Queryable;
  readonly cluster: ClusterConfig;
  readonly root: Pick<KongRoot, 'version' | 'pluginVersions'>;
  /** Newest first. */
  readonly revisions: readonly Revision[];
  readonly rows: readonly DataPlaneRow[];
  /** Remembers which configurations hold what. */
  readonly remembers: boolean;
}

type Known = ReadonlyMap<string, number>;

/** Frames cost a control plane an export: they are taken only for configurations that may be new. */
function isNeeded({ revisions, rows }: Shadowing, known: Known): boolean {
  const [newest] = revisions;
  if (newest === undefined) return false;
  const has = (hash: string): boolean => (known.get(hash) ?? 0) >= Number(newest.id);
  const knew = newest.convergedAt !== undefined;
  return rows.some(({ hash, firstSeen }) => !has(hash) && !(knew && firstSeen <= (newest.convergedAt ?? 0)));
}

/** The newest revision that a frame holds. */
async function newestIn(frame: Frame, { kong, index, revisions }: Shadowing): Promise<Revision | undefined> {
  const proven = await lastConverged(index);
  for (const revision of revisions) {
    const from = proven !== undefined && Number(proven.id) < Number(revision.id) ? proven.snapshotXmax : undefined;
    if (await holds(kong, frame, from, revision.snapshotXmax)) return revision;
  }
  return undefined;
}

function expectedBy(known: Known, revisions: readonly Revision[]): Expected {
  const placeOf = (number: number | undefined): number | undefined => {
    const place = number === undefined ? -1 : revisions.findIndex(({ id }) => Number(id) <= number);
    return place === -1 ? undefined : place;
  };
  return {
    evidence: 'shadow',
    holds: (hash) => placeOf(known.get(hash)),
    newest: placeOf(Math.max(...known.values())),
    extraMarginMs: 0,
  };
}

/**
 * Asks the control planes what they push, and which revision that holds. Unavailable only when none of them answers.
 * Throws KONG_DATABASE_UNAVAILABLE.
 */
export async function expectation(shadowing: Shadowing): Promise<Expected | Unavailable> {
  const { cluster, root, index, revisions, remembers } = shadowing;
  const known = new Map(await knownConfigurations(index));
  if (!isNeeded(shadowing, known)) return expectedBy(known, revisions);
  const taken = await Promise.all(cluster.urls.map((url) => takeFrame(url, cluster, root)));
  const frames = taken.filter((item): item is Frame => 'hash' in item);
  const failed = taken.flatMap((item) => ('unavailable' in item ? [item.unavailable] : []));
  if (frames.length === 0) return { evidence: 'shadow', unavailable: failed[0] ?? 'no control plane is given' };
  for (const frame of frames) {
    const revision = await newestIn(frame, shadowing);
    if (revision === undefined) continue;
    known.set(frame.hash, Math.max(known.get(frame.hash) ?? 0, Number(revision.id)));
    if (remembers) await rememberConfiguration(index, frame.hash, revision.id);
  }
  return expectedBy(known, revisions);
}

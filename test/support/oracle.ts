import assert from 'node:assert/strict';
import { isGone } from '../../shared/kubernetes/object.ts';
import { snapshotLookup } from '../../shared/kubernetes/snapshot.ts';
import { actualState } from '../../shared/kong/actual.ts';
import { compare } from '../../shared/kong/compare.ts';
import { resolve, type Resolution } from '../../shared/plan/resolve.ts';
import { isRoot, translateRoot } from '../../shared/translate/index.ts';
import type { Proposal } from '../../shared/translate/types.ts';
import { OPTIONS, type ControlPlane } from './control-plane.ts';

/** What a translation of the whole cluster at once asks for. */
export async function fullResolution(plane: ControlPlane): Promise<Resolution> {
  const objects = plane.cluster.objects();
  const lookup = snapshotLookup(objects);
  const translate = plane.dependencies.translate ?? translateRoot;
  const proposals: Proposal[] = [];
  for (const object of objects) {
    if (!isRoot(object) || isGone(object)) continue;
    proposals.push(...(await translate(object, lookup, OPTIONS)).proposals);
  }
  return resolve(proposals, { filterTags: plane.config.filterTags });
}

/**
 * Kong holds exactly what a full translation asks for, field by field and id by id, beside what is not ours; no slice
 * has left anything unfinished.
 */
export async function assertConverged(plane: ControlPlane, message?: string): Promise<void> {
  const { desired } = await fullResolution(plane);
  const actual = actualState(plane.pool, plane.config);
  const managed = [...(await actual.managed())].flatMap(([type, rows]) => rows.map(({ id }) => `${type}/${id}`));
  const wanted = desired.map(({ entity }) => `${entity.type}/${entity.id}`);
  assert.deepEqual(managed.toSorted(), wanted.toSorted(), message);
  const compared = await compare(desired, new Map(), actual, plane.admin);
  const unequal = compared.filter((item) => item.state !== 'adopt').map((item) => `${item.desired.slot} ${item.state}`);
  assert.deepEqual(unequal, [], message);
  const { rows } = await plane.pool.query('SELECT * FROM kong_ingress.intents');
  assert.deepEqual(rows, [], message);
}

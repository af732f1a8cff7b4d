import { finding } from '../../findings.ts';
import type { ActualState } from '../../kong/actual.ts';
import type { Child } from '../../kong/children.ts';
import { blamed } from '../blame.ts';
import type { Change, Outcome } from '../types.ts';

type Rejected = Outcome['rejected'][number];

const SHOWN = 3;

/** A child that forbids the delete: one that blocks it, or one of somebody else that would go with it. */
function forbids(child: Child): boolean {
  return !child.cascades || !child.managed;
}

function inUse(change: Change, children: readonly Child[]): Rejected {
  const shown = children
    .slice(0, SHOWN)
    .map((child) => `${child.table} ${child.id}${child.managed ? '' : ' (not ours)'}`);
  const rest = children.length > SHOWN ? ` and ${children.length - SHOWN} more` : '';
  const detail = `it is not deleted from Kong because ${shown.join(', ')}${rest} ${children.length === 1 ? 'refers' : 'refer'} to it`;
  return { change, finding: finding(blamed(change), 'KongEntityInUse', detail) };
}

/**
 * Which deletes of a level must not be sent: a refused delete of a certificate has already dropped its SNIs, and a
 * service's delete would take plugins of other people with it (DB §4.2, §8.1). Children that go in the same level are
 * no hindrance only if they cascade.
 */
export async function removable(actual: ActualState, level: readonly Change[]): Promise<ReadonlyMap<string, Rejected>> {
  const deletes = level.filter((change) => change.action === 'delete');
  const children = (await actual.children(deletes.map((change) => change.current))).filter(forbids);
  const byParent = Map.groupBy(children, (child) => child.parentId);
  return new Map(
    deletes.flatMap((change): [string, Rejected][] => {
      const of = byParent.get(change.current.id);
      return of === undefined ? [] : [[change.current.id, inUse(change, of)]];
    }),
  );
}

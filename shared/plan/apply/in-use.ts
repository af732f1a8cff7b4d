import { finding } from '../../findings.ts';
import type { Child } from '../../kong/children.ts';
import type { Finding } from '../../translate/types.ts';
import { blamed } from '../blame.ts';
import { dependencyOf } from '../dependencies.ts';
import type { Change } from '../types.ts';

const SHOWN = 3;

/** What this plan has written or deleted already, by id. */
type Applied = ReadonlyMap<string, Change>;

/** Whether the child still refers to its parent, after what was written so far. */
function refers(child: Child, applied: Applied): boolean {
  const change = applied.get(child.id);
  if (change === undefined) return true;
  return change.action !== 'delete' && dependencyOf(change.desired.entity, new Set([child.parentId])) !== undefined;
}

/** A child that forbids the delete: one that blocks it, or one of somebody else that would go with it. */
function forbids(child: Child): boolean {
  return !child.cascades || !child.managed;
}

/**
 * Why a delete must not be sent, or undefined: a refused delete of a certificate has already dropped its SNIs, and a
 * service's delete would take plugins of other people with it (DB §4.2, §8.1). `children` of it were read before the plan.
 */
export function inUse(change: Change, children: readonly Child[], applied: Applied): Finding | undefined {
  if (change.action !== 'delete') return undefined;
  const found = children.filter((child) => forbids(child) && refers(child, applied));
  if (found.length === 0) return undefined;
  const shown = found.slice(0, SHOWN).map((child) => `${child.table} ${child.id}${child.managed ? '' : ' (not ours)'}`);
  const rest = found.length > SHOWN ? ` and ${found.length - SHOWN} more` : '';
  const { type, id } = change.current;
  const detail = `${type} ${id} is not deleted from Kong: ${shown.join(', ')}${rest} ${found.length === 1 ? 'refers' : 'refer'} to it`;
  return finding(blamed(change), 'KongEntityInUse', detail);
}

import type { ObjectRef } from '../kubernetes/resources.ts';
import { subject } from './plan.ts';
import type { Change } from './types.ts';

/** The object that a finding on a change belongs to: its root, or for an orphan without one Kong's entity itself. */
export function blamed(change: Change): ObjectRef {
  const root = change.action === 'delete' ? change.current.root : change.desired.root;
  if (root !== undefined) return root;
  const { type, id } = subject(change);
  return { cluster: '', group: '', version: '', kind: type, namespace: '', name: id };
}

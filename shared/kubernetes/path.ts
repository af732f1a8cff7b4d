import { KINDS, type KindInfo } from './kinds.ts';
import type { Kind } from './resources.ts';

/** `/api/v1` for the core group, `/apis/<group>/<version>` for the others. */
export function groupPath({ group, version }: Pick<KindInfo, 'group' | 'version'>): string {
  return group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
}

/** Path of a kind's list in a served version, the preferred one unless given; namespace `''` is the whole cluster. */
export function listPath(kind: Kind, namespace: string, version: string = KINDS[kind].versions[0]): string {
  const { group, plural } = KINDS[kind];
  const scope = namespace === '' ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${groupPath({ group, version })}${scope}/${plural}`;
}

/** Path of one object, in a served version. */
export function objectPath(kind: Kind, namespace: string, name: string, version?: string): string {
  return `${listPath(kind, namespace, version)}/${encodeURIComponent(name)}`;
}

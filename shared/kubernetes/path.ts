import { KINDS, type KindInfo } from './kinds.ts';
import type { Kind } from './resources.ts';

/** `/api/v1` for the core group, `/apis/<group>/<version>` for the others. */
export function groupPath({ group, version }: Pick<KindInfo, 'group' | 'version'>): string {
  return group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
}

/** Path of a kind's list; namespace `''` is the whole cluster. */
export function listPath(kind: Kind, namespace: string): string {
  const info = KINDS[kind];
  const scope = namespace === '' ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${groupPath(info)}${scope}/${info.plural}`;
}

/** Path of one object, or of a subresource of it (`status`). */
export function objectPath(kind: Kind, namespace: string, name: string, subresource?: string): string {
  const object = `${listPath(kind, namespace)}/${encodeURIComponent(name)}`;
  return subresource === undefined ? object : `${object}/${subresource}`;
}

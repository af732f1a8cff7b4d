import type { Key } from '../kubernetes/keys.ts';
import { isKind, KINDS } from '../kubernetes/kinds.ts';
import type { ObjectRef } from '../kubernetes/resources.ts';

/** The object that an object key names. No part of a Kubernetes name contains a slash. */
export function refOfKey(cluster: string, key: Key): ObjectRef {
  const [kind = '', namespace = '', name = ''] = key.split('/');
  const { group, version } = isKind(kind) ? KINDS[kind] : { group: '', version: '' };
  return { cluster, group, version, kind, namespace, name };
}

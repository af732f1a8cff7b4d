import type { KubernetesObject } from '../kubernetes/resources.ts';
import { groupVersion } from '../findings.ts';
import { type Context, findAll } from './context.ts';

/** What a reference leads to. */
export interface ReferenceTarget {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** Whether an object may refer to one of another namespace (KIC 2.8); its own namespace needs no grant. */
export function isGranted(context: Context, from: KubernetesObject, to: ReferenceTarget): boolean {
  const namespace = from.metadata.namespace ?? '';
  if (namespace === to.namespace) return true;
  const { group } = groupVersion(from.apiVersion);
  const grants = findAll(context, 'ReferenceGrant', { namespace: to.namespace });
  return grants.some(
    ({ spec }) =>
      (spec?.from ?? []).some(
        (item) => item.group === group && item.kind === from.kind && item.namespace === namespace,
      ) &&
      (spec?.to ?? []).some(
        (item) =>
          item.group === to.group && item.kind === to.kind && (item.name === undefined || item.name === to.name),
      ),
  );
}

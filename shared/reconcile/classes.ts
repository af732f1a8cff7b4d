import { isDeepStrictEqual } from 'node:util';
import type { ChangeEvent } from '../events.ts';
import { refOf } from '../findings.ts';
import type { Queryable } from '../index/database.ts';
import { classReportsOf } from '../index/reports.ts';
import { keyOf } from '../kubernetes/keys.ts';
import { isGone, isResource } from '../kubernetes/object.ts';
import type { KubernetesObject } from '../kubernetes/resources.ts';
import { classReports, type GatewayOptions } from '../status/gateway.ts';

/**
 * Classes of Gateways of which the index does not know what they say of themselves: they are no roots, so that nothing
 * else finds one whose event was lost. Asks the index only when there is a class of ours.
 */
export async function changedClasses(
  index: Queryable,
  objects: readonly KubernetesObject[],
  options: GatewayOptions & { readonly cluster: string },
): Promise<readonly ChangeEvent[]> {
  const ours = objects.flatMap((object) => {
    if (isGone(object) || !isResource('GatewayClass', object)) return [];
    return classReports(object, options).map(({ content }) => ({ object, content }));
  });
  if (ours.length === 0) return [];
  const known = await classReportsOf(index);
  return ours.flatMap(({ object, content }) => {
    if (isDeepStrictEqual(known.get(keyOf(object)), content)) return [];
    const observedAt = new Date().toISOString();
    return [{ ref: refOf(options.cluster, object), operation: 'update' as const, observedAt }];
  });
}

import type { KubernetesObject } from '../kubernetes/resources.ts';
import { type Context, objectTags } from './context.ts';
import { entityId } from './identity.ts';
import type { Bound } from './plugin.ts';
import { routeProblem } from './route-rules.ts';
import { type RouteFields, withAnnotations } from './route.ts';
import type { Slot, SlotRef } from './types.ts';

/** A Kong route before its source's annotations. */
export interface KongRoute {
  readonly name: string;
  readonly fields: RouteFields;
  readonly service: SlotRef;
  /** Names of the rules behind it. */
  readonly ruleNames?: readonly string[];
  /** The slot that it stands for election in, instead of its name's. */
  readonly elected?: Slot;
}

/**
 * Proposes a route with the annotations of its source laid over it. Undefined, with a finding, when Kong would refuse
 * the outcome.
 */
export function proposeKongRoute(context: Context, source: KubernetesObject, route: KongRoute): Bound | undefined {
  const fields = withAnnotations(context, source, route.fields);
  const problem = routeProblem(fields);
  if (problem !== undefined) {
    context.report(source, 'InvalidRoute', `route ${route.name} ${problem}`);
    return undefined;
  }
  const slot = route.elected ?? `routes/${route.name}`;
  context.propose({
    slot,
    type: 'routes',
    id: entityId('routes', route.name, context.options.workspace),
    body: { name: route.name, ...fields },
    tags: objectTags(context, source, route.ruleNames),
    refs: { service: route.service },
  });
  return { slot, name: route.name, ...(route.elected === undefined ? {} : { gate: route.elected }) };
}

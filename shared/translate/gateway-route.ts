import type { GatewayRoute, Listener } from '../kubernetes/gateway-resources.ts';
import { type PluginRef, pluginRefs } from '../kubernetes/plugin-refs.ts';
import type { Context } from './context.ts';
import { entityId, tagsOf } from './identity.ts';
import { type Bound, proposePlugins } from './plugin.ts';
import { type RouteFields, withAnnotations } from './route.ts';
import type { KongService } from './service.ts';

/** Kong protocols of the listeners, sorted; undefined when none has one (KIC 2.4.4). */
export function listenerProtocols(
  listeners: readonly Listener[],
  protocols: Readonly<Record<string, string>>,
): readonly string[] | undefined {
  const found = listeners.flatMap(({ protocol }) => protocols[protocol] ?? []);
  return found.length === 0 ? undefined : [...new Set(found)].toSorted();
}

/** A Kong route of a Gateway API route. */
export interface RouteDraft {
  readonly name: string;
  readonly fields: RouteFields;
  /** Names of the rules behind it. */
  readonly ruleNames: readonly string[];
  /** KongPlugins besides those of the annotation. */
  readonly extensions?: readonly string[];
}

/** Proposes a route with its annotations and plugins. */
export async function proposeGatewayRoute(
  context: Context,
  source: GatewayRoute,
  service: KongService,
  draft: RouteDraft,
): Promise<Bound> {
  const route = { slot: `routes/${draft.name}`, name: draft.name };
  context.propose({
    slot: route.slot,
    type: 'routes',
    id: entityId('routes', draft.name, context.options.workspace),
    body: { name: draft.name, ...withAnnotations(context, source, draft.fields) },
    tags: tagsOf(source, draft.ruleNames),
    refs: { service: { slot: service.slot } },
  });
  const namespace = source.metadata.namespace ?? '';
  const extensions = (draft.extensions ?? []).map((name): PluginRef => ({ namespace, name, remote: false }));
  await proposePlugins(context, source, [...pluginRefs(source), ...extensions], { route });
  return route;
}

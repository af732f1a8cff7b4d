import type { GatewayRoute, Listener } from '../kubernetes/gateway-resources.ts';
import { type PluginRef, pluginRefs } from '../kubernetes/plugin-refs.ts';
import type { Context } from './context.ts';
import { type Bound, proposePlugins } from './plugin.ts';
import { proposeKongRoute } from './kong-route.ts';
import type { RouteFields } from './route.ts';
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

/** Proposes a route with its annotations and plugins; undefined, with a finding, when Kong would refuse it. */
export function proposeGatewayRoute(
  context: Context,
  source: GatewayRoute,
  service: KongService,
  { name, fields, ruleNames, extensions = [] }: RouteDraft,
): Bound | undefined {
  const route = proposeKongRoute(context, source, { name, fields, ruleNames, service: { slot: service.slot } });
  if (route === undefined) return undefined;
  const namespace = source.metadata.namespace ?? '';
  const extended = extensions.map((extension): PluginRef => ({ namespace, name: extension, remote: false }));
  proposePlugins(context, source, [...pluginRefs(source), ...extended], { route });
  return route;
}

import type { KubernetesObject } from '../kubernetes/resources.ts';
import type { PluginRef } from '../kubernetes/plugin-refs.ts';
import { type Context, findAll } from './context.ts';
import type { Proposal } from './types.ts';

/** Kinds that produce Kong routes. */
const ROUTE_KINDS = [
  'Ingress',
  'HTTPRoute',
  'GRPCRoute',
  'TCPRoute',
  'UDPRoute',
  'TLSRoute',
  'TCPIngress',
  'UDPIngress',
] as const;

/** The roots whose Kong routes or services a plugin may be bound to: those that name it, or use a Service that does. */
function* related(context: Context, ref: PluginRef): Generator<KubernetesObject> {
  const plugin = `${ref.namespace}/${ref.name}`;
  for (const kind of ROUTE_KINDS) yield* findAll(context, kind, { plugin });
  for (const facade of findAll(context, 'KongServiceFacade', { plugin })) {
    const name = `${facade.metadata.namespace ?? ''}/${facade.metadata.name}`;
    yield* findAll(context, 'Ingress', { facade: name });
  }
  for (const service of findAll(context, 'Service', { plugin })) {
    const name = `${service.metadata.namespace ?? ''}/${service.metadata.name}`;
    for (const kind of ROUTE_KINDS) yield* findAll(context, kind, { service: name });
  }
}

/** What binds a plugin of this name to routes or services: the plugin proposals of the related roots, with all that they propose. */
export function* bindings(
  context: Context,
  ref: PluginRef,
  pluginName: string,
): Generator<{ readonly plugin: Proposal; readonly all: readonly Proposal[] }> {
  for (const root of related(context, ref)) {
    const all = context.translate(root, true);
    for (const plugin of all) {
      const bound = plugin.refs['route'] !== undefined || plugin.refs['service'] !== undefined;
      if (plugin.type === 'plugins' && bound && plugin.body['name'] === pluginName) yield { plugin, all };
    }
  }
}

/**
 * Whether a plugin is bound to any route or service, so that consumers and groups do not get it for themselves
 * (KIC 2.9.2): whether a root that names it, or whose Service does, has any route.
 */
export function isBound(context: Context, ref: PluginRef): boolean {
  for (const root of related(context, ref)) {
    const all = context.translate(root, false);
    if (all.some(({ type }) => type === 'routes')) return true;
  }
  return false;
}

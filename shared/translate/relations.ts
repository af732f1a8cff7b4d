import type { KubernetesObject } from '../kubernetes/resources.ts';
import type { PluginRef } from '../kubernetes/plugin-refs.ts';
import { each } from './answers.ts';
import { type Context, findAll, fullName } from './context.ts';
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

/** Asks for roots. */
type Question = () => readonly KubernetesObject[];

/** The roots whose Kong routes or services a plugin may be bound to: those that name it, or use a Service that does. */
function* questions(context: Context, ref: PluginRef): Generator<Question> {
  const plugin = `${ref.namespace}/${ref.name}`;
  for (const kind of ROUTE_KINDS) yield () => findAll(context, kind, { plugin });
  for (const facade of findAll(context, 'KongServiceFacade', { plugin })) {
    yield () => findAll(context, 'Ingress', { facade: fullName(facade) });
  }
  for (const service of findAll(context, 'Service', { plugin })) {
    for (const kind of ROUTE_KINDS) yield () => findAll(context, kind, { service: fullName(service) });
  }
}

/** A proposed plugin that is bound to something, with all that its root proposes. */
interface Binding {
  readonly plugin: Proposal;
  readonly all: readonly Proposal[];
}

/** What binds a plugin of this name to routes or services: the plugin proposals of the related roots, with all that they propose. */
export function bindings(context: Context, ref: PluginRef, pluginName: string): readonly Binding[] {
  const roots = each(questions(context, ref), (ask) => ask()).flat();
  return each(roots, (root) => {
    const all = context.translate(root, true);
    return all
      .filter(({ refs }) => refs['route'] !== undefined || refs['service'] !== undefined)
      .filter(({ type, body }) => type === 'plugins' && body['name'] === pluginName)
      .map((plugin) => ({ plugin, all }));
  }).flat();
}

/**
 * Whether a plugin is bound to any route or service, so that consumers and groups do not get it for themselves
 * (KIC 2.9.2): whether a root that names it, or whose Service does, has any route. Asks no further than the first one.
 */
export function isBound(context: Context, ref: PluginRef): boolean {
  for (const ask of questions(context, ref)) {
    for (const root of ask()) {
      if (context.translate(root, false).some(({ type }) => type === 'routes')) return true;
    }
  }
  return false;
}

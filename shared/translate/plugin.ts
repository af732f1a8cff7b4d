import { createHash } from 'node:crypto';
import type { PluginFields } from '../kubernetes/kong-resources.ts';
import { type PluginRef, pluginRefs } from '../kubernetes/plugin-refs.ts';
import type { KubernetesObject } from '../kubernetes/resources.ts';
import { each } from './answers.ts';
import { type Consumer, consumerOf } from './consumer-identity.ts';
import { type Context, type Draft, find, findAll, rankOf, objectTags } from './context.ts';
import { entityId } from './identity.ts';
import { hasOurClass } from './ingress-class.ts';
import { hasFeature } from './kong-features.ts';
import { type Config, pluginConfig } from './plugin-config.ts';
import { isGranted } from './reference-grant.ts';
import type { Slot } from './types.ts';

/** What a plugin is bound to: the slot and the name of an entity. */
export interface Bound {
  readonly slot: Slot;
  /** A service's, route's or group's name, a consumer's username or custom_id. */
  readonly name: string;
  /** The slot that must be won for the binding to exist. */
  readonly gate?: Slot;
}

/** Where a plugin applies; empty for a global one. */
export type Scope = { readonly [F in 'service' | 'route' | 'consumer' | 'consumer_group']?: Bound };

const SCOPE_FIELDS = ['service', 'route', 'consumer', 'consumer_group'] as const;

/** Plugins that a rule makes itself have the scope before one that an annotation names. */
const ANNOTATED_CLASS = 1;

/** A KongPlugin or KongClusterPlugin, ready to be bound. */
export interface PluginTemplate {
  readonly source: KubernetesObject & PluginFields;
  readonly config: Config | undefined;
}

/** The text that a plugin's id is made of (KIC 3): its name and the names of what it is bound to. */
export function pluginKey(name: string, scope: Scope): string {
  return SCOPE_FIELDS.reduce((key, field) => {
    const bound = scope[field];
    return bound === undefined ? key : `${key}:${field}/${bound.name}`;
  }, name);
}

const INSTANCE_PREFIXES = { service: '_service-', route: '_route-', consumer: '_consumer-', consumer_group: '_group-' };
const INSTANCE_HASH_LENGTH = 9;

/** An instance name that is unique for each scope (KIC 2.9.3). */
function instanceName(base: string, scope: Scope): string {
  const text = SCOPE_FIELDS.map((field) => {
    const bound = scope[field];
    return bound === undefined ? '' : INSTANCE_PREFIXES[field] + bound.name;
  }).join('');
  return `${base}-${createHash('sha256').update(text).digest('hex').slice(0, INSTANCE_HASH_LENGTH)}`;
}

/** Slot, id and references of a plugin of this name in this scope. */
export function pluginIdentity(
  context: Context,
  name: string,
  scope: Scope,
): Pick<Draft, 'slot' | 'type' | 'id' | 'refs' | 'gate'> {
  const key = pluginKey(name, scope);
  const bound = SCOPE_FIELDS.flatMap((field) => {
    const target = scope[field];
    return target === undefined ? [] : [[field, target] as const];
  });
  const gate = bound.find(([, target]) => target.gate !== undefined)?.[1].gate;
  return {
    slot: `plugins/${key}`,
    type: 'plugins',
    id: entityId('plugins', key, context.options.workspace),
    refs: Object.fromEntries(bound.map(([field, target]) => [field, { slot: target.slot }])),
    ...(gate === undefined ? {} : { gate }),
  };
}

/** Kong's community edition has no such field and would refuse the plugin. */
function orderingOf(context: Context, source: PluginTemplate['source']): PluginFields['ordering'] {
  if (source.ordering === undefined || hasFeature(context.options, 'pluginOrdering')) return source.ordering;
  context.report(source, 'UnsupportedField', 'ordering needs Kong Enterprise');
  return undefined;
}

/** Proposes a plugin in a scope. The older of two plugins of one type on one scope wins. */
export function proposePlugin(context: Context, { source, config }: PluginTemplate, scope: Scope): void {
  const global = Object.keys(scope).length === 0;
  const instance = source.instance_name;
  context.propose({
    ...pluginIdentity(context, source.plugin, scope),
    body: {
      name: source.plugin,
      config,
      enabled: source.disabled === true ? false : undefined,
      protocols: source.protocols === undefined || source.protocols.length === 0 ? undefined : source.protocols,
      ordering: orderingOf(context, source),
      instance_name:
        instance === undefined || instance === '' ? undefined : global ? instance : instanceName(instance, scope),
    },
    tags: objectTags(context, source),
    rank: rankOf(source, ANNOTATED_CLASS),
  });
}

function lookUp(context: Context, ref: PluginRef): (KubernetesObject & PluginFields) | undefined {
  const plugin = find(context, 'KongPlugin', ref.namespace, ref.name);
  if (plugin !== undefined || ref.remote) return plugin;
  const shared = find(context, 'KongClusterPlugin', '', ref.name);
  return shared !== undefined && hasOurClass(context, shared) ? shared : undefined;
}

/** The plugin that an object names, ready to be bound; undefined, with a finding, when there is none. */
export function pluginTemplate(
  context: Context,
  referrer: KubernetesObject,
  ref: PluginRef,
): PluginTemplate | undefined {
  const name = `${ref.namespace}/${ref.name}`;
  const target = { group: 'configuration.konghq.com', kind: 'KongPlugin', namespace: ref.namespace, name: ref.name };
  if (ref.remote && !isGranted(context, referrer, target)) {
    const detail = `annotation konghq.com/plugins names KongPlugin ${name}, which no ReferenceGrant there allows`;
    context.report(referrer, 'ReferenceNotGranted', detail);
    return undefined;
  }
  const source = lookUp(context, ref);
  if (source === undefined) {
    const detail = `annotation konghq.com/plugins names plugin ${ref.name}, but there is no KongPlugin ${name} or KongClusterPlugin ${ref.name}`;
    context.report(referrer, 'PluginNotFound', detail);
    return undefined;
  }
  const config = pluginConfig(context, source);
  return config === 'invalid' ? undefined : { source, config };
}

/** The consumers of our class that name the plugin and may. */
export function attachedConsumers(context: Context, ref: PluginRef): readonly Consumer[] {
  const found = findAll(context, 'KongConsumer', { plugin: `${ref.namespace}/${ref.name}` });
  const consumers: Consumer[] = [];
  for (const object of found) {
    const consumer = consumerOf(object);
    if (consumer !== undefined && mayUse(context, object, ref)) consumers.push(consumer);
  }
  return consumers;
}

/** The names of the consumer groups of our class that name the plugin and may. */
export function attachedGroups(context: Context, ref: PluginRef): readonly string[] {
  const found = findAll(context, 'KongConsumerGroup', { plugin: `${ref.namespace}/${ref.name}` });
  const groups: string[] = [];
  for (const object of found) if (mayUse(context, object, ref)) groups.push(object.metadata.name);
  return groups;
}

function mayUse(context: Context, object: KubernetesObject, ref: PluginRef): boolean {
  if (!hasOurClass(context, object)) return false;
  const target = { group: 'configuration.konghq.com', kind: 'KongPlugin', namespace: ref.namespace, name: ref.name };
  const remote = pluginRefs(object).some(
    (own) => own.remote && own.namespace === ref.namespace && own.name === ref.name,
  );
  return !remote || isGranted(context, object, target);
}

/** With whom a plugin on a route or service is combined: every consumer, else every group, else nobody (KIC 2.9.2). */
function combinations(context: Context, referrer: KubernetesObject, ref: PluginRef): readonly Scope[] {
  const consumers = attachedConsumers(context, ref);
  if (consumers.length > 0) {
    return consumers.map((consumer) => ({ consumer: { slot: consumer.slot, name: consumer.identifier } }));
  }
  const groups = attachedGroups(context, ref);
  if (groups.length > 0 && context.options.kongEdition === 'community') {
    const detail = `plugin ${ref.name} is meant for consumer groups, which need Kong Enterprise, so that it is left out`;
    context.report(referrer, 'UnsupportedByKong', detail);
    return [];
  }
  if (groups.length > 0) return groups.map((name) => ({ consumer_group: { slot: `consumer_groups/${name}`, name } }));
  return [{}];
}

/** Proposes every plugin that `referrer` names, bound to a Kong route or service, in all combinations. */
export function proposePlugins(
  context: Context,
  referrer: KubernetesObject,
  refs: readonly PluginRef[],
  scope: Scope,
): void {
  if (!context.plugins) return;
  each(refs, (ref) => {
    const template = pluginTemplate(context, referrer, ref);
    if (template === undefined) return;
    for (const who of combinations(context, referrer, ref)) proposePlugin(context, template, { ...scope, ...who });
  });
}

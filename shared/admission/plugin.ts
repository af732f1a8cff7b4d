import { refOf } from '../findings.ts';
import type { PluginFields } from '../kubernetes/kong-resources.ts';
import type { Awaitable, Lookup } from '../kubernetes/lookup.ts';
import { isResource } from '../kubernetes/object.ts';
import type { KubernetesObject, Resources } from '../kubernetes/resources.ts';
import { type Answers, answered } from '../translate/answers.ts';
import { compact, isWellFormed, newContext } from '../translate/context.ts';
import { hasOurClass } from '../translate/ingress-class.ts';
import { pluginConfig } from '../translate/plugin-config.ts';
import type { TranslateOptions } from '../translate/types.ts';
import { type Draft, NOTHING, type SchemaCheck } from './draft.ts';

type Plugin = Resources['KongPlugin'] | Resources['KongClusterPlugin'];

/** Whether an object is a plugin of either kind. */
export function isPlugin(object: KubernetesObject): object is Plugin {
  return isResource('KongPlugin', object) || isResource('KongClusterPlugin', object);
}

/** The Secrets that a plugin takes its configuration from, as `namespace/name`. */
export function pluginSecrets(plugin: KubernetesObject & PluginFields): readonly string[] {
  const refs = [
    plugin.configFrom?.secretKeyRef,
    ...(plugin.configPatches ?? []).map((one) => one.valueFrom.secretKeyRef),
  ];
  return refs.flatMap((ref) => {
    if (ref === undefined) return [];
    return [
      `${plugin.kind === 'KongClusterPlugin' ? (ref.namespace ?? '') : (plugin.metadata.namespace ?? '')}/${ref.name}`,
    ];
  });
}

/** Whether Kong would give two plugins, used on the same entity, one instance name: those of one type never meet. */
export function meets(one: PluginFields, other: PluginFields): boolean {
  const name = one.instance_name ?? '';
  return name !== '' && name === other.instance_name && one.plugin !== other.plugin;
}

/**
 * A KongPlugin or KongClusterPlugin by itself, whoever may use it: whether its configuration can be made, and what Kong's
 * schema says of it (KIC §1.7). A KongClusterPlugin of another class is nobody's business here.
 */
export function draftPlugin(object: KubernetesObject, lookup: Lookup, options: TranslateOptions): Awaitable<Draft> {
  return answered(lookup, (answers) => draftWith(object, answers, options));
}

function draftWith(object: KubernetesObject, answers: Answers, options: TranslateOptions): Draft {
  const context = newContext(object, answers, options, () => [], false);
  const kind = object.kind === 'KongPlugin' ? 'KongPlugin' : 'KongClusterPlugin';
  if (!isWellFormed(context, kind, object) || !isPlugin(object)) return { ...NOTHING, ...context.result() };
  if (kind === 'KongClusterPlugin' && !hasOurClass(context, object)) return NOTHING;
  const config = pluginConfig(context, object);
  if (config === 'invalid') return { ...NOTHING, ...context.result() };
  const { plugin: name, protocols, ordering, instance_name: instanceName } = object;
  const body = compact({
    name,
    config,
    protocols: protocols === undefined || protocols.length === 0 ? undefined : protocols,
    ordering,
    instance_name: instanceName === '' ? undefined : instanceName,
  });
  const inline = pluginSecrets(object).length === 0;
  const check: SchemaCheck = { type: 'plugins', body, on: refOf(options.cluster, object), inline };
  return { ...NOTHING, ...context.result(), checks: [check] };
}

import { refOf } from '../findings.ts';
import type { PluginFields } from '../kubernetes/kong-resources.ts';
import type { Lookup } from '../kubernetes/lookup.ts';
import { isResource } from '../kubernetes/object.ts';
import type { KubernetesObject, Resources } from '../kubernetes/resources.ts';
import { compact, isWellFormed, newContext } from '../translate/context.ts';
import { hasOurClass } from '../translate/ingress-class.ts';
import { pluginConfig } from '../translate/plugin-config.ts';
import type { TranslateOptions } from '../translate/types.ts';
import { type Draft, NOTHING } from './draft.ts';

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
export async function draftPlugin(object: KubernetesObject, lookup: Lookup, options: TranslateOptions): Promise<Draft> {
  const context = newContext(object, lookup, options, async () => [], false);
  const kind = object.kind === 'KongPlugin' ? 'KongPlugin' : 'KongClusterPlugin';
  if (!isWellFormed(context, kind, object) || !isPlugin(object)) return { ...NOTHING, findings: context.findings };
  if (kind === 'KongClusterPlugin' && !(await hasOurClass(context, object))) return NOTHING;
  const config = await pluginConfig(context, object);
  if (config === 'invalid') return { ...NOTHING, findings: context.findings };
  const { plugin: name, protocols, ordering, instance_name: instanceName } = object;
  const body = compact({
    name,
    config,
    protocols: protocols === undefined || protocols.length === 0 ? undefined : protocols,
    ordering,
    instance_name: instanceName === '' ? undefined : instanceName,
  });
  const inline = pluginSecrets(object).length === 0;
  return {
    ...NOTHING,
    findings: context.findings,
    checks: [{ type: 'plugins', body, on: refOf(options.cluster, object), inline }],
  };
}

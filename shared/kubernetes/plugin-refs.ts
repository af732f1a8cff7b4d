import type { KubernetesObject } from './resources.ts';

/** A plugin that an object names in `konghq.com/plugins`. */
export interface PluginRef {
  /** Namespace of the KongPlugin; for a KongClusterPlugin the namespace of the object that names it. */
  readonly namespace: string;
  readonly name: string;
  /** Written as `namespace:name`. */
  readonly remote: boolean;
}

/** The plugins of an annotation value: `name` or `namespace:name`, comma-separated; halves of pairs are dropped (KIC 2.9.1). */
export function parsePluginRefs(value: string, namespace: string): readonly PluginRef[] {
  return value.split(',').flatMap((item): readonly PluginRef[] => {
    const entry = item.trim();
    if (entry === '' || entry.startsWith(':') || entry.endsWith(':')) return [];
    const colon = entry.indexOf(':');
    if (colon < 0) return [{ namespace, name: entry, remote: false }];
    return [{ namespace: entry.slice(0, colon), name: entry.slice(colon + 1), remote: true }];
  });
}

/** The plugins that an object's annotation names, each once. */
export function pluginRefs(object: KubernetesObject): readonly PluginRef[] {
  const value = object.metadata.annotations?.['konghq.com/plugins'];
  if (value === undefined) return [];
  const refs = parsePluginRefs(value, object.metadata.namespace ?? '');
  return [...new Map(refs.map((ref) => [`${ref.namespace}/${ref.name}`, ref])).values()];
}

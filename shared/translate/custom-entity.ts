import { ENTITIES, type OptionalEntityType } from '../kong/entities.ts';
import type { KongCustomEntity } from '../kubernetes/kong-resources.ts';
import type { PluginRef } from '../kubernetes/plugin-refs.ts';
import { type Context, fullName } from './context.ts';
import { entityId } from './identity.ts';
import { hasFeature, isEnabled } from './kong-features.ts';
import { pluginTemplate } from './plugin.ts';
import { isGranted } from './reference-grant.ts';
import { bindings } from './relations.ts';
import type { Slot, SlotRef } from './types.ts';

/** Types that a KongCustomEntity may have. */
const CUSTOM_TYPES: ReadonlySet<string> = new Set<OptionalEntityType>([
  'key_sets',
  'keys',
  'filter_chains',
  'degraphql_routes',
  'graphql_ratelimiting_advanced_cost_decoration',
]);

/** Whether a KongCustomEntity may be of this type. */
export function isCustomType(type: string): type is OptionalEntityType {
  return CUSTOM_TYPES.has(type);
}

const FOREIGN_FIELDS = ['service', 'route', 'consumer'] as const;

type Refs = Readonly<Record<string, SlotRef>>;

/** The plugin that `spec.parentRef` names. */
function parentPlugin(entity: KongCustomEntity): PluginRef | undefined {
  const parent = entity.spec?.parentRef;
  if (parent === undefined) return undefined;
  const own = entity.metadata.namespace ?? '';
  const namespace = parent.namespace ?? own;
  return { namespace, name: parent.name, remote: namespace !== own };
}

/** Every combination of what the plugin is bound to, as far as the type has fields for it. */
function combinations(context: Context, ref: PluginRef, fields: readonly string[]): readonly Refs[] {
  const template = pluginTemplate(context, context.root, ref);
  if (template === undefined) return [];
  const found = new Map<string, Refs>();
  for (const { plugin, all } of bindings(context, ref, template.source.plugin)) {
    const route = plugin.refs['route'];
    // The plugin of a route leads to the route's service.
    const service = plugin.refs['service'] ?? all.find(({ slot }) => slot === route?.slot)?.refs['service'];
    const bound: Readonly<Record<string, SlotRef | undefined>> = { service, route, consumer: plugin.refs['consumer'] };
    const pairs = fields.flatMap((field): readonly (readonly [string, SlotRef])[] => {
      const target = bound[field];
      return target === undefined ? [] : [[field, { slot: target.slot }]];
    });
    if (pairs.length > 0)
      found.set(pairs.map(([field, { slot }]) => `${field}=${slot}`).join(), Object.fromEntries(pairs));
  }
  return [...found.values()];
}

function slotOf(type: string, entity: KongCustomEntity, refs: Refs): Slot {
  const scope = Object.entries(refs).map(([field, { slot }]) => `:${field}=${slot}`);
  return `${type}/${fullName(entity)}${scope.join('')}`;
}

/** Whether the object is for our class: `spec.controllerName`, which stands for it here. */
function isOurs(context: Context, entity: KongCustomEntity): boolean {
  const name = entity.spec?.controllerName ?? '';
  return name === '' ? context.options.raw : name === context.options.ingressClass;
}

/** KongCustomEntity → entities of its type, one for each thing that its plugin is bound to (KIC 2.15). */
export function translateCustomEntity(context: Context, entity: KongCustomEntity): void {
  const { spec } = entity;
  if (spec === undefined || !isOurs(context, entity)) return;
  if (!isEnabled(context.options, 'KongCustomEntity')) {
    context.report(entity, 'FeatureGateOff', 'kind KongCustomEntity needs the feature gate of its name');
    return;
  }
  const { type } = spec;
  if (!isCustomType(type)) {
    const detail = `spec.type is ${type.slice(0, 80)}, expected one of ${[...CUSTOM_TYPES].join(', ')}`;
    context.report(entity, 'UnsupportedByKong', detail);
    return;
  }
  if (/graphql/.test(type) && !hasFeature(context.options, 'graphql')) {
    context.report(entity, 'UnsupportedByKong', `spec.type is ${type}, which needs Kong Enterprise`);
    return;
  }
  const ref = parentPlugin(entity);
  const target = { group: 'configuration.konghq.com', kind: spec.parentRef?.kind ?? 'KongPlugin' };
  if (ref?.remote === true && !isGranted(context, entity, { ...target, ...ref })) {
    context.report(entity, 'ReferenceNotGranted', 'spec.parentRef names a plugin that no ReferenceGrant allows');
    return;
  }
  const fields = FOREIGN_FIELDS.filter((field) => Object.hasOwn(ENTITIES[type].references, field));
  const scopes = ref === undefined || fields.length === 0 ? [{}] : combinations(context, ref, fields);
  for (const refs of scopes) {
    const slot = slotOf(type, entity, refs);
    const id = entityId('customentities', slot, context.options.workspace);
    context.propose({ slot, type, id, body: { ...spec.fields }, tags: [], refs });
  }
}

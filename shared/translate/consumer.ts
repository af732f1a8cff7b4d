import type { KongClusterPlugin, KongConsumer, KongConsumerGroup } from '../kubernetes/kong-resources.ts';
import type { KubernetesObject } from '../kubernetes/resources.ts';
import { pluginRefs } from '../kubernetes/plugin-refs.ts';
import { each } from './answers.ts';
import { type Consumer, consumerOf, isForOthers } from './consumer-identity.ts';
import { type Context, find, objectTags } from './context.ts';
import { proposeCredential } from './credential.ts';
import { entityId } from './identity.ts';
import { hasOurClass } from './ingress-class.ts';
import { attachedConsumers, pluginTemplate, proposePlugin } from './plugin.ts';
import { pluginConfig } from './plugin-config.ts';
import { isBound } from './relations.ts';

function proposeMembership(context: Context, consumer: Consumer, name: string): void {
  const group = find(context, 'KongConsumerGroup', consumer.object.metadata.namespace ?? '', name);
  if (group === undefined) {
    const detail = `consumerGroups names KongConsumerGroup ${name}, which does not exist in its namespace`;
    context.report(consumer.object, 'ConsumerGroupNotFound', detail);
    return;
  }
  if (context.options.kongEdition === 'community') {
    context.report(consumer.object, 'UnsupportedByKong', 'consumerGroups needs Kong Enterprise');
    return;
  }
  const key = `${name}|${consumer.slot}`;
  context.propose({
    slot: `consumer_group_consumers/${key}`,
    type: 'consumer_group_consumers',
    id: entityId('memberships', key, context.options.workspace),
    body: {},
    tags: [],
    refs: { consumer: { slot: consumer.slot }, consumer_group: { slot: `consumer_groups/${name}` } },
    gate: consumer.slot,
  });
}

/** The consumer's own plugins: those that are bound to no route or service; the others are combined there. */
function proposeConsumerPlugins(context: Context, consumer: Consumer): void {
  for (const ref of pluginRefs(consumer.object)) {
    const template = pluginTemplate(context, consumer.object, ref);
    if (template === undefined || isBound(context, ref)) continue;
    const bound = { slot: consumer.slot, name: consumer.identifier, gate: consumer.slot };
    proposePlugin(context, template, { consumer: bound });
  }
}

/** KongConsumer → consumer, credentials, group memberships and its own plugins (KIC 2.10). */
export function translateConsumer(context: Context, object: KongConsumer): void {
  if (isForOthers(object.spec) || !hasOurClass(context, object)) return;
  const consumer = consumerOf(object);
  if (consumer === undefined) {
    context.report(object, 'InvalidConsumer', 'username and custom_id are both empty');
    return;
  }
  const { username = '', custom_id: customId = '' } = object;
  context.propose({
    slot: consumer.slot,
    type: 'consumers',
    id: entityId(consumer.plural, consumer.identifier, context.options.workspace),
    body: { username: username === '' ? undefined : username, custom_id: customId === '' ? undefined : customId },
    tags: objectTags(context, object),
    refs: {},
    exclusive: true,
  });
  each(object.credentials ?? [], (name) => proposeCredential(context, consumer, name));
  each(object.consumerGroups ?? [], (name) => proposeMembership(context, consumer, name));
  proposeConsumerPlugins(context, consumer);
}

/** KongConsumerGroup → consumer group and its own plugins; the object's name is the group's (KIC 2.10.3). */
export function translateConsumerGroup(context: Context, object: KongConsumerGroup): void {
  if (isForOthers(object.spec) || !hasOurClass(context, object)) return;
  const { name } = object.metadata;
  if (context.options.kongEdition === 'community') {
    context.report(object, 'UnsupportedByKong', 'consumer groups need Kong Enterprise');
    return;
  }
  const slot = `consumer_groups/${name}`;
  context.propose({
    slot,
    type: 'consumer_groups',
    id: entityId('consumergroups', name, context.options.workspace),
    body: { name },
    tags: objectTags(context, object),
    refs: {},
    exclusive: true,
  });
  for (const ref of pluginRefs(object)) {
    const template = pluginTemplate(context, object, ref);
    if (template === undefined) continue;
    const taken = attachedConsumers(context, ref).length > 0 || isBound(context, ref);
    if (!taken) proposePlugin(context, template, { consumer_group: { slot, name, gate: slot } });
  }
}

/** Whether a KongClusterPlugin applies to everything. */
export function isGlobal(object: KubernetesObject): boolean {
  return object.metadata.labels?.['global'] === 'true';
}

/** KongClusterPlugin with the label `global: "true"` → global plugin; the oldest of a type has it (KIC 2.9.4). */
export function translateClusterPlugin(context: Context, object: KongClusterPlugin): void {
  if (!isGlobal(object) || !hasOurClass(context, object)) return;
  const config = pluginConfig(context, object);
  if (config !== 'invalid') proposePlugin(context, { source: object, config }, {});
}

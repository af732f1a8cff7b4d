import type { KongClusterPlugin, KongConsumer, KongConsumerGroup } from '../kubernetes/kong-resources.ts';
import type { KubernetesObject } from '../kubernetes/resources.ts';
import { pluginRefs } from '../kubernetes/plugin-refs.ts';
import { type Consumer, consumerOf, isForOthers } from './consumer-identity.ts';
import { type Context, find, objectTags } from './context.ts';
import { proposeCredential } from './credential.ts';
import { entityId } from './identity.ts';
import { hasOurClass } from './ingress-class.ts';
import { attachedConsumers, pluginTemplate, proposePlugin } from './plugin.ts';
import { pluginConfig } from './plugin-config.ts';
import { isBound } from './relations.ts';

async function proposeMembership(context: Context, consumer: Consumer, name: string): Promise<void> {
  const group = await find(context, 'KongConsumerGroup', consumer.object.metadata.namespace ?? '', name);
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
async function proposeConsumerPlugins(context: Context, consumer: Consumer): Promise<void> {
  for (const ref of pluginRefs(consumer.object)) {
    const template = await pluginTemplate(context, consumer.object, ref);
    if (template === undefined || (await isBound(context, ref))) continue;
    const bound = { slot: consumer.slot, name: consumer.identifier, gate: consumer.slot };
    proposePlugin(context, template, { consumer: bound });
  }
}

/** KongConsumer → consumer, credentials, group memberships and its own plugins (KIC 2.10). */
export async function translateConsumer(context: Context, object: KongConsumer): Promise<void> {
  if (isForOthers(object.spec) || !(await hasOurClass(context, object))) return;
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
  for (const name of object.credentials ?? []) await proposeCredential(context, consumer, name);
  for (const name of object.consumerGroups ?? []) await proposeMembership(context, consumer, name);
  await proposeConsumerPlugins(context, consumer);
}

/** KongConsumerGroup → consumer group and its own plugins; the object's name is the group's (KIC 2.10.3). */
export async function translateConsumerGroup(context: Context, object: KongConsumerGroup): Promise<void> {
  if (isForOthers(object.spec) || !(await hasOurClass(context, object))) return;
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
    const template = await pluginTemplate(context, object, ref);
    if (template === undefined) continue;
    const taken = (await attachedConsumers(context, ref)).length > 0 || (await isBound(context, ref));
    if (!taken) proposePlugin(context, template, { consumer_group: { slot, name, gate: slot } });
  }
}

/** Whether a KongClusterPlugin applies to everything. */
export function isGlobal(object: KubernetesObject): boolean {
  return object.metadata.labels?.['global'] === 'true';
}

/** KongClusterPlugin with the label `global: "true"` → global plugin; the oldest of a type has it (KIC 2.9.4). */
export async function translateClusterPlugin(context: Context, object: KongClusterPlugin): Promise<void> {
  if (!isGlobal(object) || !(await hasOurClass(context, object))) return;
  const config = await pluginConfig(context, object);
  if (config !== 'invalid') proposePlugin(context, { source: object, config }, {});
}

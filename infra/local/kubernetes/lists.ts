import { isArray, isObject, type Json } from './json.ts';

/** How items of a list are told apart: by these fields, by their own value, or not at all (the list is replaced whole). */
export type ListType = readonly string[] | 'set' | 'atomic';

const NAME = ['name'];
const POD: Readonly<Record<string, ListType>> = {
  'spec.containers': NAME,
  'spec.initContainers': NAME,
  'spec.volumes': NAME,
  'spec.containers[].env': NAME,
  'spec.containers[].ports': ['containerPort', 'protocol'],
  'spec.containers[].volumeMounts': ['mountPath'],
  'spec.imagePullSecrets': NAME,
};

/** List types by kind and path, for the kinds where clients rely on them; `*` is for every kind. */
const LISTS: Readonly<Record<string, Readonly<Record<string, ListType>>>> = {
  '*': {
    'metadata.ownerReferences': ['uid'],
    'metadata.finalizers': 'set',
    'status.conditions': ['type'],
  },
  Service: { 'spec.ports': ['port', 'protocol'] },
  ServiceAccount: { secrets: NAME, imagePullSecrets: NAME },
  ValidatingWebhookConfiguration: { webhooks: NAME },
  Gateway: { 'spec.listeners': NAME, 'status.listeners': NAME },
  KongConsumer: { credentials: 'set', consumerGroups: 'set' },
  Pod: POD,
  Deployment: Object.fromEntries(Object.entries(POD).map(([path, type]) => [`spec.template.${path}`, type])),
};

/** The type of the list at a path such as `spec.ports` (`[]` stands for any item). */
export function listType(kind: string, path: string): ListType {
  return LISTS[kind]?.[path] ?? LISTS['*']?.[path] ?? 'atomic';
}

export function child(path: string, field: string): string {
  return path === '' ? field : `${path}.${field}`;
}

/** What identifies an item of a list with keys; undefined when it has none of them. `protocol` is TCP unless said. */
export function itemKey(item: Json, keys: readonly string[]): Readonly<Record<string, Json>> | undefined {
  if (!isObject(item)) return undefined;
  const found = keys.flatMap((key): [string, Json][] => {
    const value = item[key] ?? (key === 'protocol' ? 'TCP' : undefined);
    return value === undefined ? [] : [[key, value]];
  });
  return found.some(([key]) => item[key] !== undefined) ? Object.fromEntries(found) : undefined;
}

/** The same, as text that can be compared. */
export function itemKeyText(item: Json, keys: readonly string[]): string {
  return JSON.stringify(itemKey(item, keys) ?? item);
}

/** Puts `added` items into a list: same key replaces through `merge`, a new key goes to the end. */
export function mergeItems(
  list: Json | undefined,
  added: readonly Json[],
  keys: readonly string[],
  merge: (old: Json, item: Json) => Json,
): readonly Json[] {
  const result = isArray(list) ? [...list] : [];
  for (const item of added) {
    const text = itemKeyText(item, keys);
    const position = result.findIndex((old) => itemKeyText(old, keys) === text);
    const old = result[position];
    if (old === undefined) result.push(item);
    else result[position] = merge(old, item);
  }
  return result;
}

import { hashOf } from '../hash.ts';
import { isRecord, type JsonRecord } from '../json.ts';
import type { Json } from '../kong/entities.ts';
import type { Condition, DesiredStatus, Entry, ListenerStatus, Reference } from './types.ts';

/** Every type of condition that is ours to write and to take away. */
const OWN_TYPES: readonly unknown[] = [
  'Accepted',
  'Conflicted',
  'OverlappingTLSConfig',
  'PartiallyInvalid',
  'Programmed',
  'ResolvedRefs',
  'SupportedVersion',
];

/** Where an entry says which object it is about; licenses' entries name none. */
const REF_FIELDS = { parents: 'parentRef', ancestors: 'ancestorRef', controllers: undefined } as const;

/** What the moment of writing knows. */
export interface Moment {
  /** RFC 3339 in whole seconds, as meta/v1 has it. */
  readonly now: string;
  /** Marks the entries that are ours. */
  readonly controller: string;
}

function records(value: unknown): readonly JsonRecord[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

/** The proof of a Programmed that was true before stays the one that was given then. */
function messageOf(wanted: Condition, before: JsonRecord | undefined, generation: number): string {
  const isSame =
    wanted.type === 'Programmed' &&
    wanted.status === 'True' &&
    before?.['status'] === 'True' &&
    before['reason'] === wanted.reason &&
    before['observedGeneration'] === generation;
  const message = before?.['message'];
  return isSame && typeof message === 'string' ? message : wanted.message;
}

/** What conditions are written with. */
interface Writing {
  readonly generation: number;
  readonly now: string;
  readonly keepsProgrammed: boolean;
}

/** Whether a Programmed stays that somebody has proven, for an object for which nothing has been written since. */
function isKept(wanted: Condition, before: JsonRecord, { generation, keepsProgrammed }: Writing): boolean {
  return (
    keepsProgrammed &&
    wanted.type === 'Programmed' &&
    wanted.reason === 'Pending' &&
    before['status'] === 'True' &&
    before['observedGeneration'] === generation
  );
}

function mergeOne(wanted: Condition, before: JsonRecord | undefined, writing: Writing): JsonRecord {
  const { generation, now } = writing;
  const seen = before?.['observedGeneration'];
  if (before !== undefined && isKept(wanted, before, writing)) return before;
  // Whoever has seen a newer generation knows better (Gateway API).
  if (before !== undefined && typeof seen === 'number' && seen > generation) return before;
  const since = before?.['status'] === wanted.status ? before['lastTransitionTime'] : undefined;
  return {
    type: wanted.type,
    status: wanted.status,
    reason: wanted.reason,
    message: messageOf(wanted, before, generation),
    observedGeneration: generation,
    lastTransitionTime: typeof since === 'string' ? since : now,
  };
}

/** Own conditions in place of earlier ones, new ones at the end; types of others stay as and where they are. */
function mergeConditions(before: unknown, wanted: readonly Condition[], writing: Writing): readonly JsonRecord[] {
  const left = new Map(wanted.map((item) => [item.type, item]));
  const kept = records(before).flatMap((item) => {
    const type = item['type'];
    const own = typeof type === 'string' ? left.get(type) : undefined;
    if (own === undefined) return OWN_TYPES.includes(type) ? [] : [item];
    left.delete(own.type);
    return [mergeOne(own, item, writing)];
  });
  return [...kept, ...[...left.values()].map((item) => mergeOne(item, undefined, writing))];
}

function refKey(ref: unknown): string {
  if (!isRecord(ref)) return '';
  const { group, kind, namespace, name, sectionName, port } = ref;
  return JSON.stringify([
    group ?? 'gateway.networking.k8s.io',
    kind ?? 'Gateway',
    namespace ?? '',
    name ?? '',
    sectionName ?? '',
    port ?? 0,
  ]);
}

function plainRef(ref: Reference): JsonRecord {
  return { ...ref };
}

/** Entries of others stay; ours are exactly those that are wanted, as far as there is room. */
function mergeEntries(
  before: unknown,
  { field, items, limit }: NonNullable<DesiredStatus['entries']>,
  writing: Writing,
  controller: string,
): readonly JsonRecord[] {
  const refField = REF_FIELDS[field];
  const isOurs = (item: JsonRecord): boolean => item['controllerName'] === controller;
  const ours = records(before).filter(isOurs);
  const others = records(before).filter((item) => !isOurs(item));
  const merged = items.map(({ ref, conditions }: Entry): JsonRecord => {
    const known = ours.find((item) => refField === undefined || refKey(item[refField]) === refKey(ref));
    return {
      ...(refField === undefined ? {} : { [refField]: known?.[refField] ?? plainRef(ref) }),
      controllerName: controller,
      conditions: mergeConditions(known?.['conditions'], conditions, writing),
    };
  });
  return [...others, ...merged.slice(0, Math.max(0, limit - others.length))];
}

function mergeListeners(before: unknown, wanted: readonly ListenerStatus[], writing: Writing): readonly JsonRecord[] {
  const known = records(before);
  return wanted.map(({ name, supportedKinds, attachedRoutes, conditions }) => ({
    name,
    supportedKinds: supportedKinds.map((item) => ({ ...item })),
    attachedRoutes,
    conditions: mergeConditions(known.find((item) => item['name'] === name)?.['conditions'], conditions, writing),
  }));
}

function addressValues(addresses: NonNullable<DesiredStatus['addresses']>): readonly JsonRecord[] {
  return addresses.map(({ ip, hostname }) =>
    ip === undefined ? { type: 'Hostname', value: hostname ?? '' } : { type: 'IPAddress', value: ip },
  );
}

/** Whether two JSON values are equal, whatever the order of fields. */
function isEqual(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => isEqual(item, b[index]));
  }
  if (!isRecord(a) || !isRecord(b)) return a === b;
  const fields = Object.keys(a);
  return fields.length === Object.keys(b).length && fields.every((field) => isEqual(a[field], b[field]));
}

function wantedFields(desired: DesiredStatus, before: JsonRecord, writing: Writing, controller: string): JsonRecord {
  const { conditions, entries, listeners, addresses, loadBalancer, supportedFeatures } = desired;
  return {
    ...(conditions === undefined ? {} : { conditions: mergeConditions(before['conditions'], conditions, writing) }),
    ...(entries === undefined
      ? {}
      : { [entries.field]: mergeEntries(before[entries.field], entries, writing, controller) }),
    ...(listeners === undefined ? {} : { listeners: mergeListeners(before['listeners'], listeners, writing) }),
    ...(addresses === undefined ? {} : { addresses: addressValues(addresses) }),
    ...(loadBalancer === undefined ? {} : { loadBalancer: { ingress: loadBalancer.map((item) => ({ ...item })) } }),
    ...(supportedFeatures === undefined ? {} : { supportedFeatures: supportedFeatures.map((name) => ({ name })) }),
  };
}

function isNothing(value: unknown): boolean {
  return value === undefined || (Array.isArray(value) && value.length === 0);
}

/** Fields of an Ingress' address that others add: the ports' state. */
function comparable(field: string, value: unknown): unknown {
  if (field !== 'loadBalancer' || !isRecord(value)) return value;
  return { ingress: records(value['ingress']).map(({ ip, hostname }) => ({ ip, hostname })) };
}

/**
 * The fields of a status that have to change so that it says what is wanted, each whole; undefined when it does. Never
 * touches conditions and entries of others, and never what another has said of a newer generation. A transition's time
 * is `now` only where a condition's status changes. Pure.
 */
export function mergeStatus(
  object: { readonly metadata: { readonly generation?: number }; readonly status?: unknown },
  desired: DesiredStatus,
  moment: Moment,
): JsonRecord | undefined {
  const before = isRecord(object.status) ? object.status : {};
  const generation = desired.generation ?? object.metadata.generation ?? 0;
  const writing = { generation, now: moment.now, keepsProgrammed: desired.keepsProgrammed === true };
  const wanted = wantedFields(desired, before, writing, moment.controller);
  const changed = Object.entries(wanted).filter(
    ([field, value]) =>
      !isEqual(comparable(field, value), comparable(field, before[field])) &&
      !(isNothing(value) && isNothing(before[field])),
  );
  return changed.length === 0 ? undefined : Object.fromEntries(changed);
}

function asJson(value: object): Json {
  const plain: Json = JSON.parse(JSON.stringify(value));
  return plain;
}

/** Equal for statuses that say the same; how a proof was given does not count. */
export function statusHash(desired: DesiredStatus): string {
  const text = JSON.stringify(desired, (_field, value: unknown) =>
    isRecord(value) && value['type'] === 'Programmed' && value['status'] === 'True' ? { ...value, message: '' } : value,
  );
  return hashOf(asJson(JSON.parse(text)));
}

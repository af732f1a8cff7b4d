import { AppError } from '../errors.ts';
import { type JsonRecord, isRecord } from '../json.ts';
import { keyOf } from './keys.ts';
import { KINDS, apiVersionOf } from './kinds.ts';
import type { Kind, KubernetesObject, ObjectMeta, Resources } from './resources.ts';
import { shapeProblem } from './shapes.ts';

/** An object exists, but its fields do not have the types that its kind prescribes. */
export class MalformedObject extends AppError {
  readonly object: KubernetesObject;
  /** Field and what is wrong with it, without values of a Secret. */
  readonly problem: string;

  constructor(object: KubernetesObject, problem: string) {
    super('KUBERNETES_OBJECT_MALFORMED', `${keyOf(object)}: ${problem}`);
    this.object = object;
    this.problem = problem;
  }
}

/** Free-form JSON in which a null means something (a plugin's configuration, a custom entity's fields). */
const FREE_FORM: ReadonlySet<string> = new Set(['config', 'fields']);

/** Fields of metadata that are large, or repeat what else is there, and that nobody here reads. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** Go writes an empty list without omitempty as null (`endpoints` of an EndpointSlice): a null field is an absent one. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isRecord(value)) return value;
  const kept: Record<string, unknown> = {};
  for (const [field, entry] of Object.entries(value)) {
    if (entry !== null) kept[field] = FREE_FORM.has(field) ? entry : withoutNulls(entry);
  }
  return kept;
}

function trimmedMetadata(metadata: JsonRecord): JsonRecord {
  const { managedFields: _managedFields, ...kept } = metadata;
  if (!isRecord(kept['annotations'])) return kept;
  const { [LAST_APPLIED]: _lastApplied, ...annotations } = kept['annotations'];
  return { ...kept, annotations };
}

function isMetadata(value: unknown): value is ObjectMeta {
  return (
    isRecord(value) &&
    typeof value['name'] === 'string' &&
    ['namespace', 'uid', 'resourceVersion', 'creationTimestamp', 'deletionTimestamp'].every(
      (field) => value[field] === undefined || typeof value[field] === 'string',
    )
  );
}

/**
 * An object as the API server or a file gives it, made ready: nulls are absent fields, `managedFields` and the last
 * applied configuration are dropped. `kind` and `apiVersion` are the kind's own, whatever version it was read in (the
 * items of a typed list carry neither).
 * The kind's own fields are not checked yet (see `asResource`). Throws KUBERNETES_ANSWER_INVALID when it is not an
 * object with a name.
 */
export function parseObject(kind: Kind, value: unknown): KubernetesObject {
  const pruned = withoutNulls(value);
  const { group, version } = KINDS[kind];
  if (!isRecord(pruned) || !isRecord(pruned['metadata'])) {
    throw new AppError('KUBERNETES_ANSWER_INVALID', `a ${kind} of the API server is not an object with metadata`);
  }
  const metadata: unknown = trimmedMetadata(pruned['metadata']);
  if (!isMetadata(metadata)) {
    throw new AppError('KUBERNETES_ANSWER_INVALID', `a ${kind} of the API server has no usable metadata`);
  }
  return { ...pruned, apiVersion: apiVersionOf(group, version), kind, metadata };
}

/** Whether an object is of this kind and has its shape. */
export function isResource<K extends Kind>(
  kind: K,
  object: KubernetesObject,
): object is KubernetesObject & Resources[K] {
  return object.kind === kind && shapeProblem(kind, object) === undefined;
}

/** The object as its kind's type. Throws MalformedObject. */
export function asResource<K extends Kind>(kind: K, object: KubernetesObject): Resources[K] {
  if (isResource(kind, object)) return object;
  throw new MalformedObject(object, shapeProblem(kind, object) ?? `kind is ${object.kind}, expected ${kind}`);
}

/** An object that is being deleted counts as gone (KIC §1.1). */
export function isGone(object: KubernetesObject): boolean {
  return object.metadata.deletionTimestamp !== undefined;
}

/** Order of two objects of one kind: namespace, then name. */
export function byName(a: KubernetesObject, b: KubernetesObject): number {
  const [left, right] = [keyOf(a), keyOf(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

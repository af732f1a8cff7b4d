import { AppError } from './errors.ts';
import { type JsonRecord, isRecord } from './json.ts';
import type { ObjectRef } from './kubernetes/resources.ts';

/** EventBridge `source` of every event that the functions publish. */
export const EVENT_SOURCE = 'kong-ingress-functions';

/** EventBridge `detail-type` of a change in a cluster. */
export const CLUSTER_CHANGE = 'ClusterChange';

/** EventBridge `detail-type` of changes that a sender reported without naming the objects. */
export const RECONCILE_REQUESTED = 'ReconcileRequested';

/** EventBridge `detail-type`s of what the functions did, for whoever wants to listen. */
export type OutcomeType = 'ConfigurationApplied' | 'TranslationFailed' | 'DriftRepaired' | ConvergenceType;

/** What converge found: revisions that all data planes run now, and what is wrong with one since when it is. */
export type ConvergenceType =
  | 'DataPlanesConverged'
  | 'DataPlaneDiverged'
  | 'DataPlaneLost'
  | 'DataPlaneIncompatible'
  | typeof CONVERGENCE_PENDING;

/** EventBridge `detail-type` that asks for another check of the data planes, after a pause. */
export const CONVERGENCE_PENDING = 'ConvergencePending';

/** A hint that an object changed: it names the object, the reader reads it itself (DESIGN idea 1). */
export interface ChangeEvent {
  readonly ref: ObjectRef;
  readonly operation: 'create' | 'update' | 'delete';
  readonly uid?: string;
  /** The object's version after the change, when the sender knows it (not for admission reviews). */
  readonly resourceVersion?: string;
  /**
   * The object's version before the change, from admission reviews, which come before the object is stored: a reader
   * that still finds this version is too early, or the change was rejected after the review.
   */
  readonly previousResourceVersion?: string;
  /** When the sender saw it, RFC 3339. */
  readonly observedAt: string;
}

/** Asks for a reconcile, because objects changed that nobody named (a deletecollection, an audit event cut short, before a watch). */
export interface ReconcileRequest {
  readonly cluster: string;
  readonly reason: 'DeleteCollection' | 'UnreadableAuditEvent' | 'WatchStarted';
  /** When the sender saw it, RFC 3339. */
  readonly observedAt: string;
}

/** Longest text of each field; larger ones are no Kubernetes names. */
const LONGEST = 512;

function invalid(problem: string): AppError {
  return new AppError('EVENT_INVALID', `a ${CLUSTER_CHANGE} event's ${problem}`);
}

function text(record: JsonRecord, field: string, path: string): string {
  const value = record[field];
  if (typeof value === 'string' && value.length <= LONGEST) return value;
  throw invalid(`${path}${field} is not a text of at most ${LONGEST} characters`);
}

function optionalText(record: JsonRecord, field: string): { readonly [name: string]: string } {
  return record[field] === undefined ? {} : { [field]: text(record, field, '') };
}

function parseRef(value: unknown): ObjectRef {
  if (!isRecord(value)) throw invalid('ref is not an object');
  const [kind, name] = [text(value, 'kind', 'ref.'), text(value, 'name', 'ref.')];
  if (kind === '' || name === '') throw invalid('ref has no kind or name');
  return {
    cluster: text(value, 'cluster', 'ref.'),
    group: text(value, 'group', 'ref.'),
    version: text(value, 'version', 'ref.'),
    kind,
    namespace: text(value, 'namespace', 'ref.'),
    name,
  };
}

/** A ChangeEvent from an event's `detail`. Throws EVENT_INVALID. */
export function parseChangeEvent(detail: unknown): ChangeEvent {
  if (!isRecord(detail)) throw invalid('detail is not an object');
  const { operation } = detail;
  if (operation !== 'create' && operation !== 'update' && operation !== 'delete') {
    throw invalid('operation is not create, update or delete');
  }
  return {
    ref: parseRef(detail['ref']),
    operation,
    ...optionalText(detail, 'uid'),
    ...optionalText(detail, 'resourceVersion'),
    ...optionalText(detail, 'previousResourceVersion'),
    observedAt: text(detail, 'observedAt', ''),
  };
}

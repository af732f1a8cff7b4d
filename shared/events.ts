import type { ObjectRef } from './kubernetes/resources.ts';

/** EventBridge `source` of every event that the functions publish. */
export const EVENT_SOURCE = 'kong-ingress-functions';

/** EventBridge `detail-type` of a change in a cluster. */
export const CLUSTER_CHANGE = 'ClusterChange';

/** A hint that an object changed: it names the object, the reader reads it itself (DESIGN idea 1). */
export interface ChangeEvent {
  readonly ref: ObjectRef;
  readonly operation: 'create' | 'update' | 'delete';
  readonly uid?: string;
  readonly resourceVersion?: string;
  /** When the sender saw it, RFC 3339. */
  readonly observedAt: string;
}

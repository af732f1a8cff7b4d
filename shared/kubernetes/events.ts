import { createHash } from 'node:crypto';
import { display } from '../findings.ts';
import type { Finding } from '../translate/types.ts';
import { apiVersionOf } from './kinds.ts';
import type { KubernetesObject, ObjectRef } from './resources.ts';

/** What is to be said of an object, once however often it is said. */
export interface Notice {
  readonly on: ObjectRef;
  readonly type: 'Normal' | 'Warning';
  /** KIC's reasons (§1.6), and one for what is there but not as written. */
  readonly reason:
    | 'KongConfigurationTranslationFailed'
    | 'KongConfigurationTranslationWarning'
    | 'KongConfigurationApplyFailed'
    | 'KongConfigurationSucceeded';
  readonly note: string;
}

/** What an Event is about, as far as Kubernetes tells an object from its namesakes. */
export type Regarded = Pick<KubernetesObject['metadata'], 'uid' | 'generation' | 'resourceVersion'>;

/** The `reportingController` of our Events. */
export const REPORTER = 'konghq.com/kong-ingress-functions';

/** Longest note that the API server takes. */
const LONGEST_NOTE = 1_024;
const LONGEST_NAME = 253;

function reasonOf({ severity, reason }: Finding): Notice['reason'] {
  if (severity === 'warning') return 'KongConfigurationTranslationWarning';
  return reason.startsWith('Kong') && !reason.endsWith('NotFound')
    ? 'KongConfigurationApplyFailed'
    : 'KongConfigurationTranslationFailed';
}

/** The notice of a finding: its reason, which the README explains, then what is wrong and what to do. */
export function noticeOf(finding: Finding): Notice {
  const { object, reason, message } = finding;
  const about = `${display(object)}: `;
  const text = message.startsWith(about) ? message.slice(about.length) : message;
  return { on: object, type: 'Warning', reason: reasonOf(finding), note: `${reason}: ${text}`.slice(0, LONGEST_NOTE) };
}

/** The notice of an object that had an error and has none any more. */
export function recovery(on: ObjectRef): Notice {
  return {
    on,
    type: 'Normal',
    reason: 'KongConfigurationSucceeded',
    note: 'It is written to Kong again, without errors.',
  };
}

/** The namespace of Events about an object; those about what has none are in `default`, as everybody's are. */
export function eventNamespace({ namespace }: Pick<ObjectRef, 'namespace'>): string {
  return namespace === '' ? 'default' : namespace;
}

/** One name for the same thing said of the same generation of the same object, whoever says it. */
export function eventName({ on, reason, note }: Notice, { uid = '', generation = 0 }: Regarded): string {
  const key = JSON.stringify([on.kind, uid, generation, reason, note]);
  const digest = createHash('sha256').update(key).digest('hex').slice(0, 16);
  return `${on.name.slice(0, LONGEST_NAME - digest.length - 1)}.${digest}`;
}

/** RFC 3339 with microseconds. */
export function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}

/** An Event of events.k8s.io/v1. */
export function eventObject(notice: Notice, regarded: Regarded, ms: number): object {
  const { on, type, reason, note } = notice;
  const { uid, resourceVersion } = regarded;
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name: eventName(notice, regarded), namespace: eventNamespace(on) },
    eventTime: microTime(ms),
    reportingController: REPORTER,
    reportingInstance: 'functions',
    action: reason === 'KongConfigurationTranslationFailed' ? 'Translate' : 'Apply',
    reason,
    type,
    note,
    regarding: {
      apiVersion: apiVersionOf(on.group, on.version),
      kind: on.kind,
      name: on.name,
      ...(on.namespace === '' ? {} : { namespace: on.namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    },
  };
}

/** The merge patch that counts an Event again. */
export function eventSeries(count: number, ms: number): object {
  return { series: { count: Math.max(2, count), lastObservedTime: microTime(ms) } };
}

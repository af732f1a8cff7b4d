import { isRecord } from '../json.ts';
import { type Review, isAdmissionReview, parseAdmissionReview } from './admission.ts';
import { isAuditEvent, isAuditEventList, parseAuditEvent, parseAuditEventList } from './audit.ts';
import type { Hint, Receipt } from './change.ts';
import { parseBatch, parseBinary, parseStructured } from './cloudevents.ts';
import { isBinaryCloudEvent, type WebhookBody } from './request.ts';
import { unknownShape } from './shape.ts';

/** Who sent a request. */
export type Sender = 'admission' | 'audit' | 'cloudevents';

/** What a request says. */
export interface Reading {
  readonly sender: Sender;
  readonly hints: readonly Hint[];
  /** What an API server asks, and waits for an answer of its own; undefined when any success will do. */
  readonly review: Review | undefined;
}

function cloudEvents(hints: readonly Hint[]): Reading {
  return { sender: 'cloudevents', hints, review: undefined };
}

function audit(hints: readonly Hint[]): Reading {
  return { sender: 'audit', hints, review: undefined };
}

/**
 * Tells the shapes apart and reads the one it is: AdmissionReview v1, audit.k8s.io/v1 EventList or Event, CloudEvents
 * of ApiServerSource in binary, structured and batch mode. Throws WEBHOOK_UNKNOWN_SHAPE. Pure.
 */
export function readHints(
  headers: Readonly<Record<string, string>>,
  { mediaType, json }: WebhookBody,
  receipt: Receipt,
): Reading {
  if (mediaType === 'application/cloudevents-batch+json') return cloudEvents(parseBatch(json, receipt));
  if (mediaType === 'application/cloudevents+json')
    return cloudEvents([parseStructured(json, 'the CloudEvent', receipt)]);
  if (isBinaryCloudEvent(headers)) return cloudEvents([parseBinary(headers, json, receipt)]);
  if (!isRecord(json)) throw unknownShape('the body', 'an object');
  if (isAdmissionReview(json)) {
    const review = parseAdmissionReview(json, receipt);
    return { sender: 'admission', hints: [review.hint], review };
  }
  if (isAuditEventList(json)) return audit(parseAuditEventList(json, receipt));
  if (isAuditEvent(json)) return audit(parseAuditEvent(json, 'the Event', receipt));
  throw unknownShape('the body', 'an AdmissionReview v1, audit.k8s.io/v1 events or a CloudEvent');
}

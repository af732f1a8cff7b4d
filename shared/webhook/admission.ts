import type { ChangeEvent } from '../events.ts';
import type { JsonRecord } from '../json.ts';
import { type Hint, type Receipt, hint, isOwn, kindOfResource } from './change.ts';
import { name, optionalRecord, record, text, unknownShape } from './shape.ts';

/** What the API server calls what happens; CONNECT changes nothing. */
const OPERATIONS: Readonly<Record<string, ChangeEvent['operation'] | undefined>> = {
  CREATE: 'create',
  UPDATE: 'update',
  DELETE: 'delete',
};

/** An admission review's hint, and the answer that it must get. */
export interface Review {
  readonly hint: Hint;
  readonly answer: object;
}

/** An AdmissionReview of a version that is not v1 has another shape of answer. */
export function isAdmissionReview(body: JsonRecord): boolean {
  return body['kind'] === 'AdmissionReview' && body['apiVersion'] === 'admission.k8s.io/v1';
}

function hintOf(request: JsonRecord, receipt: Receipt): Hint {
  const path = 'request';
  const operation = OPERATIONS[text(request, 'operation', path)];
  if (operation === undefined) return { ignored: 'NotAWrite' };
  if (request['dryRun'] === true) return { ignored: 'DryRun' };
  if (text(request, 'subResource', path) !== '') return { ignored: 'Subresource' };
  const resource = record(request['resource'], 'request.resource');
  const kind = kindOfResource(
    text(resource, 'group', 'request.resource'),
    text(resource, 'resource', 'request.resource'),
  );
  if (kind === undefined) return { ignored: 'OtherKind' };
  if (isOwn(optionalRecord(request, 'userInfo', path), receipt.ownUsers)) return { ignored: 'OwnWrite' };
  const before = optionalRecord(optionalRecord(request, 'oldObject', path) ?? {}, 'metadata', 'request.oldObject');
  const after = optionalRecord(optionalRecord(request, 'object', path) ?? {}, 'metadata', 'request.object');
  const metadata = after ?? before;
  return hint(
    {
      kind,
      operation,
      // With generateName, and for each object of a deletecollection, only the object itself has the name.
      name: name(request, 'name', path) || name(metadata, 'name', 'request.object.metadata'),
      namespace: name(request, 'namespace', path),
      uid: text(metadata, 'uid', 'request.object.metadata'),
      previousResourceVersion: text(before, 'resourceVersion', 'request.oldObject.metadata'),
      observedAt: '',
    },
    receipt,
  );
}

/**
 * Reads an AdmissionReview v1. The answer allows every request: these functions follow the cluster, they do not rule
 * it. A dry run changes nothing and is no hint. Throws WEBHOOK_UNKNOWN_SHAPE. Pure.
 */
export function parseAdmissionReview(body: JsonRecord, receipt: Receipt): Review {
  const request = record(body['request'], 'request');
  const uid = text(request, 'uid', 'request');
  if (uid === '') throw unknownShape('request.uid', 'a text');
  return {
    hint: hintOf(request, receipt),
    answer: { apiVersion: body['apiVersion'], kind: 'AdmissionReview', response: { uid, allowed: true } },
  };
}

import type { ChangeEvent } from '../events.ts';
import type { JsonRecord } from '../json.ts';
import { type Hint, type Receipt, hint, isOwn, kindOfResource } from './change.ts';
import { name, optionalRecord, record, text, unknownShape } from './shape.ts';
import type { AdmissionWrite, Verdict } from './verdict.ts';
import { isWorthJudging } from './worth.ts';

/** What the API server calls what happens; CONNECT changes nothing. */
const OPERATIONS: Readonly<Record<string, ChangeEvent['operation'] | undefined>> = {
  CREATE: 'create',
  UPDATE: 'update',
  DELETE: 'delete',
};

/** What an admission review asks. */
export interface Review {
  /** The request's, which the answer has to name. */
  readonly uid: string;
  readonly hint: Hint;
  /** The write, when it is one that can be refused; undefined when it is let through in any case. */
  readonly write: AdmissionWrite | undefined;
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

/** Writes of others that can make something wrong; a dry run is judged as the write itself would be. */
function writeOf(request: JsonRecord, ownUsers: readonly string[]): AdmissionWrite | undefined {
  const path = 'request';
  const operation = OPERATIONS[text(request, 'operation', path)];
  if (operation === undefined || operation === 'delete' || text(request, 'subResource', path) !== '') return undefined;
  const resource = record(request['resource'], 'request.resource');
  const kind = kindOfResource(
    text(resource, 'group', 'request.resource'),
    text(resource, 'resource', 'request.resource'),
  );
  const object = optionalRecord(request, 'object', path);
  if (kind === undefined || object === undefined) return undefined;
  if (isOwn(optionalRecord(request, 'userInfo', path), ownUsers)) return undefined;
  const write = {
    kind,
    namespace: name(request, 'namespace', path),
    name: name(request, 'name', path),
    object,
    before: optionalRecord(request, 'oldObject', path),
  };
  return isWorthJudging(write) ? write : undefined;
}

/** Reads an AdmissionReview v1. A dry run changes nothing and is no hint. Throws WEBHOOK_UNKNOWN_SHAPE. Pure. */
export function parseAdmissionReview(body: JsonRecord, receipt: Receipt): Review {
  const request = record(body['request'], 'request');
  const uid = text(request, 'uid', 'request');
  if (uid === '') throw unknownShape('request.uid', 'a text');
  return { uid, hint: hintOf(request, receipt), write: writeOf(request, receipt.ownUsers) };
}

/** The answer to a review. The API server writes the request's id into its audit log, under the webhook's name. */
export function admissionAnswer({ uid }: Pick<Review, 'uid'>, verdict: Verdict, requestId = ''): object {
  const { allowed, message, code, warnings } = verdict;
  const reason = code === 503 ? 'ServiceUnavailable' : 'BadRequest';
  const response = {
    uid,
    allowed,
    ...(allowed ? {} : { status: { code, reason, message } }),
    ...(warnings.length === 0 ? {} : { warnings }),
    ...(requestId === '' ? {} : { auditAnnotations: { 'request-id': requestId } }),
  };
  return { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response };
}

import type { ChangeEvent } from '../events.ts';
import { type JsonRecord, isRecord } from '../json.ts';
import type { Kind } from '../kubernetes/resources.ts';
import {
  type Hint,
  type IgnoredReason,
  type Receipt,
  hint,
  ignoredBecause as notTaken,
  isOwn,
  kindOfResource,
} from './change.ts';
import { list, name, optionalRecord, record, text } from './shape.ts';

const VERBS: Readonly<Record<string, ChangeEvent['operation'] | 'deletecollection' | undefined>> = {
  create: 'create',
  update: 'update',
  patch: 'update',
  delete: 'delete',
  deletecollection: 'deletecollection',
};

const API_VERSION = 'audit.k8s.io/v1';

export function isAuditEventList(body: JsonRecord): boolean {
  return body['kind'] === 'EventList' && body['apiVersion'] === API_VERSION;
}

export function isAuditEvent(body: JsonRecord): boolean {
  return body['kind'] === 'Event' && body['apiVersion'] === API_VERSION;
}

function isDryRun(requestUri: string): boolean {
  const query = requestUri.indexOf('?');
  return query >= 0 && new URLSearchParams(requestUri.slice(query + 1)).getAll('dryRun').includes('All');
}

/** The request URI is longer than other texts: it may hold a selector. */
function uriOf(event: JsonRecord): string {
  const uri = event['requestURI'];
  return typeof uri === 'string' ? uri : '';
}

/** Whether an event is no finished, successful write of somebody else, and why. */
function ignoredBecause(event: JsonRecord, path: string, ownUsers: readonly string[]): IgnoredReason | undefined {
  // Other stages of the same request come too; only this one tells how it ended.
  if (event['stage'] !== 'ResponseComplete') return 'NotAWrite';
  if (isDryRun(uriOf(event))) return 'DryRun';
  const code: unknown = optionalRecord(event, 'responseStatus', path)?.['code'];
  if (typeof code !== 'number' || code < 200 || code >= 300) return 'Failed';
  if (isOwn(optionalRecord(event, 'user', path), ownUsers)) return 'OwnWrite';
  return undefined;
}

interface Target {
  readonly kind: Kind;
  readonly namespace: string;
  readonly observedAt: string;
}

function metadataOf(object: JsonRecord | undefined, path: string): JsonRecord | undefined {
  return object === undefined ? undefined : optionalRecord(object, 'metadata', path);
}

/** One hint for each object that a deletecollection names in its answer; without a list a reconcile has to find them. */
function collection(items: unknown, { kind, namespace, observedAt }: Target, receipt: Receipt): readonly Hint[] {
  if (!Array.isArray(items)) {
    const ignored = notTaken(kind, observedAt, receipt);
    if (ignored !== undefined) return [{ ignored }];
    return [{ reconcile: { cluster: receipt.cluster, reason: 'DeleteCollection', observedAt } }];
  }
  return items.filter(isRecord).map((object) => {
    const path = 'responseObject.items.metadata';
    const metadata = metadataOf(object, path);
    return hint(
      {
        kind,
        operation: 'delete',
        name: name(metadata, 'name', path),
        namespace: namespace || name(metadata, 'namespace', path),
        uid: text(metadata, 'uid', path),
        observedAt,
      },
      receipt,
    );
  });
}

/** Hints of one audit event at `path`. Throws WEBHOOK_UNKNOWN_SHAPE. Pure. */
export function parseAuditEvent(event: JsonRecord, path: string, receipt: Receipt): readonly Hint[] {
  const verb = VERBS[text(event, 'verb', path)];
  const target = optionalRecord(event, 'objectRef', path);
  if (verb === undefined || target === undefined) return [{ ignored: 'NotAWrite' }];
  const refPath = `${path}.objectRef`;
  const kind = kindOfResource(text(target, 'apiGroup', refPath), text(target, 'resource', refPath));
  if (kind === undefined) return [{ ignored: 'OtherKind' }];
  if (text(target, 'subresource', refPath) !== '') return [{ ignored: 'Subresource' }];
  const ignored = ignoredBecause(event, path, receipt.ownUsers);
  if (ignored !== undefined) return [{ ignored }];

  const observedAt = text(event, 'stageTimestamp', path) || receipt.receivedAt;
  const namespace = name(target, 'namespace', refPath);
  const response = optionalRecord(event, 'responseObject', path);
  if (verb === 'deletecollection') return collection(response?.['items'], { kind, namespace, observedAt }, receipt);
  const stored = metadataOf(response, `${path}.responseObject`);
  const storedPath = `${path}.responseObject.metadata`;
  return [
    hint(
      {
        kind,
        operation: verb,
        // A create with generateName learns the name from the answer.
        name: name(target, 'name', refPath) || name(stored, 'name', storedPath),
        namespace,
        uid: text(target, 'uid', refPath) || text(stored, 'uid', storedPath),
        // The reference's version is the one before the write; a delete answers with the last one.
        resourceVersion: verb === 'delete' ? '' : text(stored, 'resourceVersion', storedPath),
        observedAt,
      },
      receipt,
    ),
  ];
}

/** Hints of an audit webhook's batch. Throws WEBHOOK_UNKNOWN_SHAPE. Pure. */
export function parseAuditEventList(body: JsonRecord, receipt: Receipt): readonly Hint[] {
  return list(body, 'items', 'EventList').flatMap((item, index) => {
    const path = `items[${index}]`;
    return parseAuditEvent(record(item, path), path, receipt);
  });
}

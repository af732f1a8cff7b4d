import type { ChangeEvent } from '../events.ts';
import { type JsonRecord, parseJson } from '../json.ts';
import { type Hint, type Receipt, hint, ignoredBecause, kindOfGroup, time } from './change.ts';
import { name, optionalRecord, record, text, unknownShape } from './shape.ts';

/** Knative's ApiServerSource: `resource` events carry the object, `ref` events its name. */
const TYPE = /^dev\.knative\.apiserver\.(?:resource|ref)\.(add|update|delete)$/;

/** `kong-ingress watch` tells that it begins, and that nobody can say what changed before. Without data. */
export const WATCH_STARTED = 'kong-ingress-functions.watch.started';

const OPERATIONS: Readonly<Record<string, ChangeEvent['operation'] | undefined>> = {
  add: 'create',
  update: 'update',
  delete: 'delete',
};

/** What a CloudEvent says, whatever mode carried it. */
interface CloudEvent {
  readonly attributes: JsonRecord;
  readonly data: JsonRecord;
}

/** Group and kind of `networking.k8s.io/v1`, `Ingress`. */
function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? '' : apiVersion.slice(0, slash);
}

function operationOf(attributes: JsonRecord, path: string): ChangeEvent['operation'] {
  if (!text(attributes, 'specversion', path).startsWith('1.')) throw unknownShape(`${path}.specversion`, '1.0');
  const operation = OPERATIONS[TYPE.exec(text(attributes, 'type', path))?.[1] ?? ''];
  if (operation === undefined) throw unknownShape(`${path}.type`, 'an event type of ApiServerSource');
  return operation;
}

/** The subject attribute is not used: the source builds it with wrong plurals (`ingresss`). */
function hintOf({ attributes, data }: CloudEvent, path: string, receipt: Receipt): Hint {
  const operation = operationOf(attributes, path);
  const dataPath = `${path}.data`;
  const kind = kindOfGroup(groupOf(text(data, 'apiVersion', dataPath)), text(data, 'kind', dataPath));
  if (kind === undefined) return { ignored: 'OtherKind' };
  // A reference has name and namespace where an object has its metadata.
  const metadata = optionalRecord(data, 'metadata', dataPath) ?? data;
  return hint(
    {
      kind,
      operation,
      name: name(metadata, 'name', `${dataPath}.metadata`),
      namespace: name(metadata, 'namespace', `${dataPath}.metadata`),
      uid: text(metadata, 'uid', `${dataPath}.metadata`),
      resourceVersion: operation === 'delete' ? '' : text(metadata, 'resourceVersion', `${dataPath}.metadata`),
      observedAt: text(attributes, 'time', path),
    },
    receipt,
  );
}

function decoded(event: JsonRecord, path: string): JsonRecord {
  const encoded = event['data_base64'];
  if (typeof encoded !== 'string') return record(event['data'], `${path}.data`);
  return record(parseJson(Buffer.from(encoded, 'base64').toString('utf8')), `${path}.data_base64`);
}

/** The hint of an event in structured mode: attributes and data in one object. Throws WEBHOOK_UNKNOWN_SHAPE. Pure. */
export function parseStructured(body: unknown, path: string, receipt: Receipt): Hint {
  const attributes = record(body, path);
  if (attributes['type'] === WATCH_STARTED) {
    const observedAt = time(text(attributes, 'time', path), receipt);
    const ignored = ignoredBecause(undefined, observedAt, receipt);
    if (ignored !== undefined) return { ignored };
    return { reconcile: { cluster: receipt.cluster, reason: 'WatchStarted', observedAt } };
  }
  return hintOf({ attributes, data: decoded(attributes, path) }, path, receipt);
}

/** Hints of a batch: a list of structured events. Throws WEBHOOK_UNKNOWN_SHAPE. Pure. */
export function parseBatch(body: unknown, receipt: Receipt): readonly Hint[] {
  if (!Array.isArray(body)) throw unknownShape('the batch', 'a list');
  return body.map((event: unknown, index) => parseStructured(event, `[${index}]`, receipt));
}

/** The hint of an event in binary mode: attributes in `ce-` headers, data in the body. Throws WEBHOOK_UNKNOWN_SHAPE. Pure. */
export function parseBinary(headers: Readonly<Record<string, string>>, body: unknown, receipt: Receipt): Hint {
  const attributes = {
    specversion: headers['ce-specversion'],
    type: headers['ce-type'],
    time: headers['ce-time'],
  };
  return hintOf({ attributes, data: record(body, 'the body') }, 'the CloudEvent', receipt);
}

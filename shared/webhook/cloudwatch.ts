import { gunzipSync } from 'node:zlib';
import { AppError } from '../errors.ts';
import { type JsonRecord, isRecord, parseJson } from '../json.ts';
import { isAuditEvent, parseAuditEvent } from './audit.ts';
import type { Hint, Receipt } from './change.ts';
import type { WebhookCluster, WebhookConfig } from './config.ts';

/** CloudWatch Logs sends at most 1 MB, compressed; what unpacks to more than this is no batch of log lines. */
const MAX_UNPACKED_BYTES = 64 * 1024 * 1024;

/** How a line begins that was an audit event before the log cut it. */
const CUT_EVENT = /^\{"kind":"Event","apiVersion":"audit\.k8s\.io\//;

/** The log lines of one subscription event. */
export interface LogBatch {
  /** Whose lines they are, as CloudWatch says; `''` when it does not. */
  readonly logGroup: string;
  readonly messages: readonly { readonly text: string; readonly timestampMs: number }[];
}

function malformed(problem: string): AppError {
  return new AppError('LOGS_EVENT_INVALID', problem);
}

function unpack(data: string): unknown {
  try {
    return parseJson(gunzipSync(Buffer.from(data, 'base64'), { maxOutputLength: MAX_UNPACKED_BYTES }).toString('utf8'));
  } catch {
    throw malformed('awslogs.data is not base64 of gzip');
  }
}

function message(entry: JsonRecord): LogBatch['messages'][number] {
  const { message: text, timestamp } = entry;
  if (typeof text !== 'string' || typeof timestamp !== 'number' || Number.isNaN(new Date(timestamp).getTime()))
    throw malformed('a log event has no message or timestamp');
  return { text, timestampMs: timestamp };
}

/** Unpacks a CloudWatch Logs subscription event. CONTROL_MESSAGEs carry no lines. Throws LOGS_EVENT_INVALID. Pure. */
export function parseLogsEvent(event: unknown): LogBatch {
  const awslogs: unknown = isRecord(event) ? event['awslogs'] : undefined;
  const data: unknown = isRecord(awslogs) ? awslogs['data'] : undefined;
  if (typeof data !== 'string') throw malformed('awslogs.data is missing');
  const batch = unpack(data);
  if (!isRecord(batch)) throw malformed('awslogs.data holds no JSON object');
  if (batch['messageType'] === 'CONTROL_MESSAGE') return { logGroup: '', messages: [] };
  if (!Array.isArray(batch['logEvents'])) throw malformed('logEvents is not a list');
  const { logGroup } = batch;
  return {
    logGroup: typeof logGroup === 'string' ? logGroup : '',
    messages: batch['logEvents'].filter(isRecord).map(message),
  };
}

/** Something changed, but the line does not say what in a way that can be trusted. */
function reconcile({ cluster, receivedAt }: Receipt): readonly Hint[] {
  return [{ reconcile: { cluster, reason: 'UnreadableAuditEvent', observedAt: receivedAt } }];
}

function lineHints(text: string, receipt: Receipt): readonly Hint[] {
  const event = parseJson(text);
  if (!isRecord(event) || !isAuditEvent(event))
    return CUT_EVENT.test(text) ? reconcile(receipt) : [{ ignored: 'NotAWrite' }];
  try {
    return parseAuditEvent(event, 'the Event', receipt);
  } catch (error) {
    if (error instanceof AppError) return reconcile(receipt);
    throw error;
  }
}

/**
 * Hints of EKS audit log lines. A log group has other lines too, so a line that is no audit event is passed over; an
 * audit event that cannot be read, as when the log has cut it (over 256 KB), asks for a reconcile. Pure.
 */
export function logHints(batch: LogBatch, receipt: Omit<Receipt, 'receivedAt'>): readonly Hint[] {
  return batch.messages.flatMap(({ text, timestampMs }) =>
    lineHints(text, { ...receipt, receivedAt: new Date(timestampMs).toISOString() }),
  );
}

/**
 * The cluster whose audit log a batch is from. CloudWatch alone may invoke the function, for log groups of the deployment's
 * choice; with one cluster any of them is its. Throws LOGS_EVENT_INVALID for a log group that no cluster has.
 */
export function clusterOfLogs({ logGroup, messages }: LogBatch, clusters: WebhookConfig['clusters']): WebhookCluster {
  const [first] = clusters;
  if (clusters.length === 1 || messages.length === 0) return first;
  const named = clusters.find((cluster) => cluster.logGroup === logGroup);
  if (named === undefined) throw malformed('the log group is none of the AUDIT_LOG_GROUPs of CLUSTERS');
  return named;
}

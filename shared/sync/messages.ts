import { AppError } from '../errors.ts';
import { CLUSTER_CHANGE, EVENT_SOURCE, parseChangeEvent, type ChangeEvent } from '../events.ts';
import { isRecord, parseJson } from '../json.ts';

/** A message of the queue, with the change it brings or why it brings none. */
export type Message =
  | { readonly id: string; readonly change: ChangeEvent }
  | { readonly id: string; readonly error: AppError };

function invalid(problem: string): AppError {
  return new AppError('MESSAGE_INVALID', problem);
}

/** The change in an EventBridge envelope. Throws MESSAGE_INVALID and EVENT_INVALID. */
function changeOf(body: unknown, clusters: readonly string[]): ChangeEvent {
  const envelope = typeof body === 'string' ? parseJson(body) : undefined;
  if (!isRecord(envelope)) throw invalid('the body is no JSON object');
  if (envelope.source !== EVENT_SOURCE || envelope['detail-type'] !== CLUSTER_CHANGE) {
    throw invalid(`it is no ${CLUSTER_CHANGE} event of ${EVENT_SOURCE}`);
  }
  const change = parseChangeEvent(envelope.detail);
  if (!clusters.includes(change.ref.cluster)) throw invalid('it is of another cluster');
  return change;
}

function parseRecord(record: unknown, clusters: readonly string[]): Message {
  if (!isRecord(record) || typeof record.messageId !== 'string') throw invalid('a record has no messageId');
  try {
    return { id: record.messageId, change: changeOf(record.body, clusters) };
  } catch (error) {
    if (error instanceof AppError) return { id: record.messageId, error };
    throw error;
  }
}

/**
 * The messages of a Lambda event of an SQS queue. What cannot be understood is a message too, with its error: it has
 * to go to the dead-letter queue, not out of sight. Throws MESSAGE_INVALID when the event is none of SQS.
 */
export function parseBatch(event: unknown, clusters: readonly string[]): readonly Message[] {
  if (!isRecord(event) || !Array.isArray(event.Records)) throw invalid('the event has no Records');
  return event.Records.map((record: unknown) => parseRecord(record, clusters));
}

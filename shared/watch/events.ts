import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { AppError } from '../errors.ts';
import { type JsonRecord, isRecord, parseJson } from '../json.ts';
import { ConnectionFailed } from '../kubernetes/transport.ts';

/** The metadata of an object, as far as a watch tells of it. */
export interface Told {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** Who wrote which fields when. */
  readonly managedFields: readonly JsonRecord[];
}

/** One event of a watch. */
export type WatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: Told }
  /** Up to where everything has been told. */
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string }
  /** The server gave the watch up; 410 when what it should have told is forgotten. */
  | { readonly type: 'ERROR'; readonly code: number };

function invalid(problem: string): AppError {
  return new AppError('KUBERNETES_ANSWER_INVALID', `a watch event ${problem}`);
}

function text(record: JsonRecord, field: string): string {
  const value = record[field];
  return typeof value === 'string' ? value : '';
}

/** The metadata of an object (whatever else of it came along). Throws KUBERNETES_ANSWER_INVALID. Pure. */
export function toldOf(object: unknown): Told {
  const metadata: unknown = isRecord(object) ? object['metadata'] : undefined;
  if (!isRecord(metadata)) throw invalid('has an object without metadata');
  const fields: unknown = metadata['managedFields'];
  const told = {
    namespace: text(metadata, 'namespace'),
    name: text(metadata, 'name'),
    uid: text(metadata, 'uid'),
    resourceVersion: text(metadata, 'resourceVersion'),
    managedFields: Array.isArray(fields) ? fields.filter(isRecord) : [],
  };
  if (told.name === '' || told.resourceVersion === '') throw invalid('has an object without name or version');
  return told;
}

/**
 * One line of a watch. Throws ConnectionFailed for half a line, and KUBERNETES_ANSWER_INVALID: a line that is lost must not
 * be passed over. Pure.
 */
export function parseWatchEvent(line: string): WatchEvent {
  const event = parseJson(line);
  // The connection broke in the middle of it.
  if (event === undefined) throw new ConnectionFailed('an event was cut short');
  if (!isRecord(event)) throw invalid('is no object');
  const { type, object } = event;
  if (type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED') return { type, object: toldOf(object) };
  if (type === 'ERROR') {
    const code: unknown = isRecord(object) ? object['code'] : undefined;
    return { type, code: typeof code === 'number' ? code : 500 };
  }
  const metadata: unknown = type === 'BOOKMARK' && isRecord(object) ? object['metadata'] : undefined;
  if (!isRecord(metadata) || text(metadata, 'resourceVersion') === '') throw invalid('is of no known type');
  return { type: 'BOOKMARK', resourceVersion: text(metadata, 'resourceVersion') };
}

/** The events of a watch's answer, until it ends. Throws what the stream and `parseWatchEvent` do. */
export async function* watchEvents(body: Readable): AsyncGenerator<WatchEvent> {
  const lines = createInterface({ input: body, crlfDelay: Number.POSITIVE_INFINITY });
  // The interface ends without an error when its input breaks off.
  let broken: Error | undefined;
  body.once('error', (error) => {
    broken = error;
  });
  for await (const line of lines) if (line !== '') yield parseWatchEvent(line);
  if (broken !== undefined) throw broken;
}

/**
 * Whether the last write of an object was to its status alone: what these functions write themselves, and no change of
 * what is configured. When in doubt (times are whole seconds) it was not. Pure.
 */
export function isStatusWrite({ managedFields }: Told): boolean {
  const last = managedFields
    .map((entry) => text(entry, 'time'))
    .reduce((one, other) => (one > other ? one : other), '');
  const writes = managedFields.filter((entry) => text(entry, 'time') === last);
  return last !== '' && writes.every((entry) => entry['subresource'] === 'status');
}

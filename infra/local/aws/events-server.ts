import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Bus, PutEventsEntry } from './bus.ts';
import { isObject } from './json.ts';
import { readBody } from './body.ts';

const MAX_ENTRIES = 10;
const MAX_BYTES = 1024 * 1024;
/** JSON escapes may blow a request up that EventBridge still takes. */
const MAX_BODY_BYTES = 8 * MAX_BYTES;

/** What counts towards the limit of a request, bytes. */
export function sizeOf(entry: PutEventsEntry): number {
  const texts = [entry['Source'], entry['DetailType'], entry['Detail']];
  if (Array.isArray(entry['Resources'])) texts.push(...entry['Resources']);
  const bytes = texts.map((text) => (typeof text === 'string' ? Buffer.byteLength(text) : 0));
  return bytes.reduce((sum, size) => sum + size, entry['Time'] === undefined ? 0 : 14);
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

function failure(type: string, message: string, status = 400): Answer {
  return { status, body: { __type: type, message } };
}

function putEvents(bus: Bus, request: unknown): Answer {
  const entries: unknown = isObject(request) ? request['Entries'] : undefined;
  if (!Array.isArray(entries) || entries.length === 0 || entries.length > MAX_ENTRIES || !entries.every(isObject)) {
    return failure('ValidationException', `Entries must hold 1 to ${MAX_ENTRIES} entries.`);
  }
  if (entries.reduce((sum, entry) => sum + sizeOf(entry), 0) >= MAX_BYTES) {
    return failure('ValidationException', 'Total size of the entries in the request is over the limit.');
  }
  const results = bus.put(entries);
  const failed = results.filter((result) => 'ErrorCode' in result).length;
  return { status: 200, body: { FailedEntryCount: failed, Entries: results } };
}

async function answer(bus: Bus, request: IncomingMessage): Promise<Answer> {
  const body = await readBody(request, MAX_BODY_BYTES);
  if (body === undefined) return failure('RequestEntityTooLargeException', 'The request is too large.', 413);
  if (request.headers['x-amz-target'] !== 'AWSEvents.PutEvents') {
    return failure('UnknownOperationException', 'This local EventBridge only knows PutEvents.');
  }
  if (request.headers.authorization === undefined) {
    return failure('MissingAuthenticationTokenException', 'The request is not signed.', 403);
  }
  try {
    return putEvents(bus, JSON.parse(body.toString('utf8')));
  } catch {
    return failure('SerializationException', 'The request is not JSON.');
  }
}

function send(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': randomUUID() });
  response.end(JSON.stringify(body));
}

/** EventBridge's PutEvents over HTTP (AWS JSON 1.1), for the real SDK client. Signatures are not checked, only there. */
export function createEventsServer(bus: Bus): Server {
  return createServer((request, response) => {
    answer(bus, request).then(
      (result) => send(response, result),
      () => response.destroy(),
    );
  });
}

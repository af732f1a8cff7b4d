import type { IncomingMessage } from 'node:http';
import { parse } from 'yaml';
import type { Json } from './json.ts';
import { decodeProtobuf } from './protobuf.ts';
import { badRequest, tooLarge, unsupportedMediaType } from './status.ts';

/** Largest body that is read, bytes: what a real server takes. */
const MAX_BYTES = 3 * 1024 * 1024;
const PROTOBUF = 'application/vnd.kubernetes.protobuf';
const YAML = new Set(['application/yaml', 'application/apply-patch+yaml']);

/** The media type of a request without parameters, `application/json` when it does not say. */
export function mediaType(request: IncomingMessage): string {
  const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  return type === '' ? 'application/json' : type;
}

async function readBytes(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) continue;
    size += chunk.length;
    if (size > MAX_BYTES) throw tooLarge(MAX_BYTES);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parseJson(text: string): Json {
  const value: Json = JSON.parse(text);
  return value;
}

function parseText(text: string, yaml: boolean): Json {
  if (!yaml) return parseJson(text);
  // Most clients send JSON as YAML, and JSON is parsed far more quickly.
  try {
    return parseJson(text);
  } catch {
    return parseJson(JSON.stringify(parse(text) ?? null));
  }
}

/** The body as JSON, `undefined` when it is empty. Throws 400, 413 and 415 Statuses. */
export async function readBody(request: IncomingMessage): Promise<Json | undefined> {
  const type = mediaType(request);
  const yaml = YAML.has(type);
  if (type === PROTOBUF) return decodeProtobuf(await readBytes(request));
  if (!yaml && type !== 'application/json' && !type.endsWith('+json')) {
    throw unsupportedMediaType(['application/json', ...YAML]);
  }
  const text = (await readBytes(request)).toString('utf8');
  if (text === '') return undefined;
  try {
    return parseText(text, yaml);
  } catch (error) {
    throw badRequest(
      `the body of the request cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

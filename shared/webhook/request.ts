import { AppError } from '../errors.ts';
import { type JsonRecord, isRecord } from '../json.ts';

/** A request to the webhook, not yet trusted. */
export interface WebhookRequest {
  readonly method: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** What follows `/webhook/` in the path. */
  readonly pathToken: string | undefined;
  /** API Gateway's id of the request, `''` without one. */
  readonly requestId: string;
  /** PEM of the client's certificate, when it came over mutual TLS. */
  readonly clientCertificate: string | undefined;
  /** When the gateway got it, ms since 1970; undefined when it does not say. */
  readonly receivedMs: number | undefined;
  /** How long the sender waits, ms, as an API server adds it to the address (`?timeout=10s`); undefined when it does not say. */
  readonly timeoutMs: number | undefined;
  /** As the gateway hands it over. */
  readonly body: string;
  readonly isBase64Encoded: boolean;
}

function field(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((found, name) => (isRecord(found) ? found[name] : undefined), value);
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function textHeaders(headers: unknown): Record<string, string> {
  const entries = isRecord(headers) ? Object.entries(headers) : [];
  return Object.fromEntries(entries.flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])));
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000 };

/** A duration as Go prints those of a webhook: `10s`, `500ms`, `1m0s`. */
function durationMs(value: unknown): number | undefined {
  if (typeof value !== 'string' || !/^(\d{1,6}(ms|s|m))+$/.test(value)) return undefined;
  const parts = [...value.matchAll(/(\d+)(ms|s|m)/g)];
  return parts.reduce((sum, [, amount, unit = 's']) => sum + Number(amount) * (UNITS[unit] ?? 0), 0);
}

/** Reads an event of an HTTP API (payload format 2.0). Pure. */
export function parseHttpEvent(event: unknown): WebhookRequest {
  const received = field(event, 'requestContext', 'timeEpoch');
  return {
    method: text(field(event, 'requestContext', 'http', 'method')) ?? '',
    headers: textHeaders(field(event, 'headers')),
    pathToken: text(field(event, 'pathParameters', 'token')),
    requestId: text(field(event, 'requestContext', 'requestId')) ?? '',
    clientCertificate: text(field(event, 'requestContext', 'authentication', 'clientCert', 'clientCertPem')),
    receivedMs: typeof received === 'number' ? received : undefined,
    timeoutMs: durationMs(field(event, 'queryStringParameters', 'timeout')),
    body: text(field(event, 'body')) ?? '',
    isBase64Encoded: field(event, 'isBase64Encoded') === true,
  };
}

/** The body's bytes as UTF-8. Throws WEBHOOK_BODY_TOO_LARGE before it decodes anything, and WEBHOOK_MALFORMED. */
function bodyText({ body, isBase64Encoded }: WebhookRequest, maxBytes: number): string {
  const bytes = Buffer.byteLength(body, isBase64Encoded ? 'base64' : 'utf8');
  if (bytes > maxBytes)
    throw new AppError('WEBHOOK_BODY_TOO_LARGE', `the body has ${bytes} bytes, at most ${maxBytes} are taken`);
  if (!isBase64Encoded) return body;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(body, 'base64'));
  } catch {
    throw new AppError('WEBHOOK_MALFORMED', 'the body is not UTF-8');
  }
}

const MEDIA_TYPES: ReadonlySet<string> = new Set([
  'application/json',
  'application/cloudevents+json',
  'application/cloudevents-batch+json',
]);

/** A body that was read: its media type without parameters, and its JSON. */
export interface WebhookBody {
  readonly mediaType: string;
  readonly json: unknown;
}

/** Throws WEBHOOK_CONTENT_TYPE, WEBHOOK_BODY_TOO_LARGE and WEBHOOK_MALFORMED, none of which quotes the body. */
export function readBody(request: WebhookRequest, maxBytes: number): WebhookBody {
  const mediaType = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (!MEDIA_TYPES.has(mediaType)) {
    throw new AppError(
      'WEBHOOK_CONTENT_TYPE',
      mediaType === '' ? 'the content type is missing' : 'the content type is another',
    );
  }
  const encoding = request.headers['content-encoding'] ?? 'identity';
  // What unpacks to more than was sent is not unpacked at all.
  if (encoding !== 'identity') throw new AppError('WEBHOOK_CONTENT_TYPE', 'the body is compressed');
  const source = bodyText(request, maxBytes);
  try {
    const json: unknown = JSON.parse(source);
    return { mediaType, json };
  } catch {
    throw new AppError('WEBHOOK_MALFORMED', source === '' ? 'the body is empty' : 'the body is not JSON');
  }
}

/** Whether the request is a CloudEvent in binary mode. */
export function isBinaryCloudEvent(headers: JsonRecord): boolean {
  return typeof headers['ce-specversion'] === 'string';
}

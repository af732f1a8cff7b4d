import { setTimeout as sleep } from 'node:timers/promises';
import { type Backoff, backoffMs, retryAfterMs } from '../backoff.ts';
import { AppError } from '../errors.ts';
import { isRecord } from '../json.ts';

/** One request to an API server. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Begins with `/`, encoded, without the query. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Of the body; `application/json` unless set (patches have types of their own). */
  readonly contentType?: string;
  /** The form of the answer, JSON unless set. */
  readonly accept?: string;
}

/** What came back: the parsed JSON, or the text when it is none. */
export interface ApiResponse {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly body: unknown;
}

/** Sends one request once. Rejects with ConnectionFailed when no answer came. */
export type Transport = (request: ApiRequest) => Promise<ApiResponse>;

/** No answer: refused, reset, timed out. Says why without headers, which hold the token. */
export class ConnectionFailed extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'ConnectionFailed';
  }
}

export interface RetryPolicy {
  readonly backoff: Backoff;
  /** From the first attempt until no further one is begun, ms. */
  readonly deadlineMs: number;
}

export const DEFAULT_RETRY: RetryPolicy = { backoff: { baseMs: 100, capMs: 3_000 }, deadlineMs: 20_000 };

/** Whether the same request may get another answer soon: too many requests, or the server's own trouble. */
function isPassing(status: number): boolean {
  return status === 429 || status >= 500;
}

/** What the API server said, shortened: `403 Forbidden: secrets is forbidden: …`. Status messages never hold a Secret's content. */
export function describe(response: ApiResponse): string {
  const { body, status } = response;
  if (!isRecord(body)) return String(status);
  const parts = [body['reason'], body['message']].filter((part) => typeof part === 'string');
  return [status, parts.join(': ').slice(0, 300)].join(' ').trim();
}

async function attempt(transport: Transport, request: ApiRequest): Promise<ApiResponse | ConnectionFailed> {
  try {
    return await transport(request);
  } catch (error) {
    if (error instanceof ConnectionFailed) return error;
    throw error;
  }
}

/** No status at all, a passing one after the deadline: the answer cannot be known. */
function unavailable(request: ApiRequest, last: ApiResponse | ConnectionFailed): AppError {
  const reason = last instanceof ConnectionFailed ? last.message : describe(last);
  return new AppError('KUBERNETES_UNAVAILABLE', `${request.method} ${request.path}: ${reason}`);
}

/**
 * Repeats a request whose answer is 429 or 5xx, or that got none, with growing pauses or those that Retry-After asks
 * for, until the deadline. Only requests that may be sent twice go through here. Throws KUBERNETES_UNAVAILABLE.
 */
export function retrying(transport: Transport, policy: RetryPolicy = DEFAULT_RETRY): Transport {
  return async (request) => {
    const deadline = performance.now() + policy.deadlineMs;
    for (let tries = 0; ; tries += 1) {
      const last = await attempt(transport, request);
      if (!(last instanceof ConnectionFailed) && !isPassing(last.status)) return last;
      const asked = last instanceof ConnectionFailed ? undefined : retryAfterMs(last.retryAfter, Date.now());
      const pause = Math.max(asked ?? 0, backoffMs(policy.backoff, tries, Math.random()));
      if (performance.now() + pause > deadline) throw unavailable(request, last);
      await sleep(pause);
    }
  };
}

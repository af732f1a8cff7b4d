import { setTimeout as sleep } from 'node:timers/promises';
import { type Backoff, backoffMs } from '../backoff.ts';
import { AppError } from '../errors.ts';
import { type JsonRecord, isRecord, parseJson } from '../json.ts';
import { hostOf } from './region.ts';

/** One call of an AWS service that speaks JSON 1.1. */
export interface AwsCall {
  /** As in host names and signatures. */
  readonly service: string;
  readonly region: string;
  /** `X-Amz-Target`. */
  readonly target: string;
  readonly body: object;
  /** Stands in for the service's address, as with the AWS SDK. */
  readonly endpoint: string | undefined;
}

const BACKOFF: Backoff = { baseMs: 100, capMs: 1_000 };
const ATTEMPTS = 4;
const TIMEOUT_MS = 3_000;

interface Answer {
  readonly status: number;
  readonly body: JsonRecord;
}

/** The error's name without its namespace: `ResourceNotFoundException`. */
function reasonOf({ status, body }: Answer): string {
  const type: unknown = body['__type'];
  return typeof type === 'string' ? (type.split('#').at(-1) ?? '') : String(status);
}

function isPassing({ status, body }: Answer): boolean {
  return status >= 500 || status === 429 || /Throttl|TooManyRequests/.test(reasonOf({ status, body }));
}

async function once({ service, region, target, body, endpoint }: AwsCall): Promise<Answer> {
  const { signer, identity } = await import('./sign.ts');
  const url = new URL(endpoint ?? `https://${hostOf(service, region)}`);
  const credentials = await identity().catch(() => {
    throw new AppError('AWS_CREDENTIALS_MISSING', 'no AWS identity was found to sign with');
  });
  const text = JSON.stringify(body);
  const { headers } = await signer(service, region, credentials).sign({
    method: 'POST',
    protocol: url.protocol,
    hostname: url.hostname,
    path: '/',
    headers: { host: url.host, 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target },
    body: text,
  });
  const response = await fetch(url, { method: 'POST', headers, body: text, signal: AbortSignal.timeout(TIMEOUT_MS) });
  const parsed = parseJson(await response.text());
  return { status: response.status, body: isRecord(parsed) ? parsed : {} };
}

async function attempt(call: AwsCall): Promise<Answer | undefined> {
  try {
    return await once(call);
  } catch (error) {
    // What `fetch` says of a failure may hold the address; that it failed is all that helps.
    if (error instanceof AppError) throw error;
    return undefined;
  }
}

/**
 * Calls an AWS service with the function's own identity, again after 5xx, throttling and lost connections. The two
 * services in question need one call each: signing it takes 30 kB of a bundle, their SDK clients 210. Throws
 * SECRET_UNAVAILABLE (no answer), SECRET_UNREADABLE (refused) and AWS_CREDENTIALS_MISSING.
 */
export async function awsRequest(call: AwsCall): Promise<JsonRecord> {
  for (let tries = 0; ; tries += 1) {
    const answer = await attempt(call);
    if (answer?.status === 200) return answer.body;
    if (answer !== undefined && !isPassing(answer)) {
      throw new AppError('SECRET_UNREADABLE', `${call.target}: ${reasonOf(answer)}`);
    }
    if (tries + 1 >= ATTEMPTS) {
      throw new AppError(
        'SECRET_UNAVAILABLE',
        `${call.target}: ${answer === undefined ? 'no answer' : reasonOf(answer)}`,
      );
    }
    await sleep(backoffMs(BACKOFF, tries, Math.random()));
  }
}

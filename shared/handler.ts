import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import middy from '@middy/core';
import httpHeaderNormalizer from '@middy/http-header-normalizer';
import type { Context } from 'aws-lambda';
import { AppError } from './errors.ts';
import { isRecord } from './json.ts';

/** What started the function. `http` answers errors, the others throw them to whoever invoked. */
export type HandlerKind = 'http' | 'batch' | 'schedule' | 'logs';

/** What every function gets beside its input. */
export interface Invocation {
  /** API Gateway's request id, the event's id, or Lambda's own; every log line carries it as `correlation_id`. */
  readonly requestId: string;
  readonly logger: Logger;
  /** Aborted when the time is over. */
  readonly signal: AbortSignal;
  /** Time that is left for work, ms; 0 when it is over. */
  readonly remainingMs: () => number;
}

/** Answer of an `http` function (API Gateway HTTP API, payload 2.0). */
export interface HttpAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface HandlerOptions<Input> {
  readonly kind: HandlerKind;
  /** Makes the input of what Lambda hands over; throws AppError when it is none. Header names come in lower case. */
  readonly parse: (event: unknown) => Input;
  /** How long before Lambda's own deadline the function ends with OUT_OF_TIME, ms (1,000 unless set). */
  readonly marginMs?: number;
  readonly logger?: Logger;
}

export type LambdaFunction<Output> = (event: unknown, context: Context) => Promise<Output>;

const DEFAULT_MARGIN_MS = 1_000;

function stringAt(value: unknown, field: string): string | undefined {
  const found = isRecord(value) ? value[field] : undefined;
  return typeof found === 'string' && found !== '' ? found : undefined;
}

function requestIdOf(event: unknown, context: Context): string {
  const request = isRecord(event) ? event['requestContext'] : undefined;
  return stringAt(request, 'requestId') ?? stringAt(event, 'id') ?? context.awsRequestId;
}

function asAppError(error: unknown): AppError {
  return error instanceof AppError ? error : new AppError('INTERNAL', 'unforeseen');
}

/** The JSON answer. The table's cause stands in for messages of errors on our side, which are nobody's business outside. */
function errorAnswer(error: AppError, requestId: string): HttpAnswer {
  const { cause, nextStep, status = 500, retryable } = error.info;
  const message = status < 500 ? error.message : cause;
  return {
    statusCode: status,
    headers: {
      'content-type': 'application/json',
      ...(status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
      ...(status === 405 ? { allow: 'POST' } : {}),
      ...(status >= 500 && retryable ? { 'retry-after': '1' } : {}),
    },
    body: JSON.stringify({ error: { code: error.code, message, nextStep, requestId } }),
  };
}

function isHttpAnswer(value: unknown): value is HttpAnswer {
  return isRecord(value) && typeof value['statusCode'] === 'number' && isRecord(value['headers']);
}

/** An answer with what the log calls its request by. */
function identified(answer: HttpAnswer, requestId: string): HttpAnswer {
  return { ...answer, headers: { ...answer.headers, 'x-request-id': requestId } };
}

/** Name, message and stack only: what libraries hang on their errors (request headers, DSNs) must not be logged. */
function logError(logger: Logger, error: unknown): void {
  const { code, info } = asAppError(error);
  const fields = {
    code,
    error: error instanceof Error ? `${error.name}: ${error.message}` : 'a thrown value that is no Error',
    ...(code === 'INTERNAL' && error instanceof Error ? { stack: error.stack } : {}),
  };
  if (info.status !== undefined && info.status < 500) logger.warn('refused', fields);
  else logger.error('failed', fields);
}

/** What leaves a function that answers nobody: an AppError as it is, anything else without what hangs on it. */
function outgoing(name: string, error: unknown): AppError {
  if (error instanceof AppError) return error;
  return new AppError(
    'INTERNAL',
    `${name} failed with ${error instanceof Error ? error.name : 'a thrown value'}, see its log`,
  );
}

/**
 * The onion around every function: logger with correlation id, parsed input, mapped errors, an end before Lambda's own
 * deadline. Events and bodies are never logged.
 *
 * `http`: an error becomes an answer `{ error: { code, message, nextStep, requestId } }` with the status of the
 * table (500 unless it has one). Other kinds: the error is logged and thrown, so that Lambda repeats the event.
 */
export function handler<Input, Output>(
  name: string,
  fn: (input: Input, invocation: Invocation) => Promise<Output>,
  options: HandlerOptions<Input>,
): LambdaFunction<Output | HttpAnswer> {
  const logger = options.logger ?? new Logger({ serviceName: 'kong-ingress-functions' });
  const marginMs = options.marginMs ?? DEFAULT_MARGIN_MS;

  async function run(event: unknown, context: Context, { signal }: { signal: AbortSignal }): Promise<Output> {
    const input = options.parse(event);
    const remainingMs = (): number => Math.max(0, context.getRemainingTimeInMillis() - marginMs);
    return fn(input, { requestId: requestIdOf(event, context), logger, signal, remainingMs });
  }

  const onion = middy<unknown, Output | HttpAnswer>(run, {
    timeoutEarlyInMillis: marginMs,
    timeoutEarlyResponse: () => {
      throw new AppError('OUT_OF_TIME', `${name} was not done ${marginMs} ms before its deadline`);
    },
  });
  onion.use(injectLambdaContext(logger, { logEvent: false, resetKeys: true }));
  onion.before(({ event, context }) => {
    logger.appendKeys({ function: name });
    logger.setCorrelationId(requestIdOf(event, context));
  });
  if (options.kind === 'http') {
    onion.use(httpHeaderNormalizer());
    onion.after((request) => {
      const { response } = request;
      if (isHttpAnswer(response)) request.response = identified(response, requestIdOf(request.event, request.context));
    });
  }
  onion.onError((request) => {
    logError(logger, request.error);
    if (options.kind !== 'http') {
      // Middy hangs the first error on another one that is thrown here, unless they are the same.
      request.error = outgoing(name, request.error);
      throw request.error;
    }
    const requestId = requestIdOf(request.event, request.context);
    request.response = identified(errorAnswer(asAppError(request.error), requestId), requestId);
  });
  return async (event, context) => onion(event, context);
}

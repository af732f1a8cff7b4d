import { AppError } from '../errors.ts';
import { isRecord } from '../json.ts';
import type { HttpAnswer } from '../handler.ts';
import type { Publisher } from '../publish.ts';
import { type Review, admissionAnswer } from './admission.ts';
import { authenticated, authenticateCertificate } from './authenticate.ts';
import type { WebhookConfig } from './config.ts';
import { budgetMs, judged } from './judge.ts';
import { type Passed, passOn } from './pass.ts';
import { type Sender, readHints } from './read.ts';
import { type WebhookRequest, readBody } from './request.ts';
import { ALLOWED, type Judge, type Verdict } from './verdict.ts';

/** The answer to a webhook request, and what to log of it. */
export interface Received extends Passed {
  readonly cluster: string;
  readonly sender: Sender;
  readonly response: HttpAnswer;
  /** Of an admission review that was judged. */
  readonly admission?: Pick<Verdict, 'allowed' | 'reasons'>;
}

/** Who judges admission reviews, and how long the function still runs, ms. */
export interface Admission {
  readonly judge: (write: Parameters<Judge>[0], cluster: string) => ReturnType<Judge>;
  readonly remainingMs: () => number;
}

const REFUSED: Passed = { published: 0, ignored: { Refused: 1 } };

async function verdictOn(
  { write }: Review,
  cluster: string,
  timeoutMs: number | undefined,
  mode: WebhookConfig['admission'],
  admission: Admission | undefined,
): Promise<Verdict | undefined> {
  if (write === undefined || mode === 'off' || admission === undefined) return undefined;
  const judge: Judge = (one) => admission.judge(one, cluster);
  return judged(write, judge, mode, budgetMs(timeoutMs, admission.remainingMs()));
}

/** A small body can hold very many events, each of which costs more than its bytes. Throws WEBHOOK_BODY_TOO_LARGE. */
function checkItems(body: unknown, maxItems: number): void {
  const items: unknown = Array.isArray(body) ? body : isRecord(body) ? body['items'] : undefined;
  if (!Array.isArray(items) || items.length <= maxItems) return;
  throw new AppError('WEBHOOK_BODY_TOO_LARGE', `the batch has ${items.length} events, at most ${maxItems} are taken`);
}

function json(statusCode: number, body: object): HttpAnswer {
  return { statusCode, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

/**
 * Authenticates a request, reads its hints and publishes them: 200 with the review's answer for an AdmissionReview,
 * 202 with counts for the others. Nothing is published unless the whole body could be read, nor when `admission` refuses
 * the write. Throws WEBHOOK_* (4xx) and EVENTS_NOT_PUBLISHED (503, so that the sender tries again; an API server lets the
 * write pass all the same).
 */
export async function receive(
  request: WebhookRequest,
  config: WebhookConfig,
  publisher: Pick<Publisher, 'publishChanges' | 'publishReconcileRequests'>,
  admission?: Admission,
): Promise<Received> {
  const cluster = authenticated(
    { authorization: request.headers['authorization'], pathToken: request.pathToken },
    config.tokens,
  );
  authenticateCertificate(request.clientCertificate, config.certificates);
  if (request.method !== 'POST') throw new AppError('WEBHOOK_METHOD', 'the method is not POST');
  const receipt = {
    cluster: cluster.name,
    receivedAt: new Date(request.receivedMs ?? Date.now()).toISOString(),
    ownUsers: cluster.ownUsers,
    kinds: cluster.kinds,
    maxAgeMs: config.maxAgeMs,
  };
  const body = readBody(request, config.maxBodyBytes);
  checkItems(body.json, config.maxItems);
  const { sender, hints, review } = readHints(request.headers, body, receipt);
  const verdict =
    review === undefined
      ? undefined
      : await verdictOn(review, receipt.cluster, request.timeoutMs, config.admission, admission);
  const passed = verdict?.allowed === false ? REFUSED : await passOn(hints, publisher);
  const { requestId } = request;
  const about = { ...passed, sender, cluster: cluster.name };
  if (review === undefined) return { ...about, response: json(202, { ...passed, requestId }) };
  return {
    ...about,
    response: json(200, admissionAnswer(review, verdict ?? ALLOWED, requestId)),
    ...(verdict === undefined ? {} : { admission: { allowed: verdict.allowed, reasons: verdict.reasons } }),
  };
}

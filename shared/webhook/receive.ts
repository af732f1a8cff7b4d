import type { WebhookConfig } from '../config.ts';
import { AppError } from '../errors.ts';
import type { HttpAnswer } from '../handler.ts';
import type { Publisher } from '../publish.ts';
import { type Review, admissionAnswer } from './admission.ts';
import { authenticate } from './authenticate.ts';
import { budgetMs, judged } from './judge.ts';
import { type Passed, passOn } from './pass.ts';
import { type Sender, readHints } from './read.ts';
import { type WebhookRequest, readBody } from './request.ts';
import { ALLOWED, type Judge, type Verdict } from './verdict.ts';

/** The answer to a webhook request, and what to log of it. */
export interface Received extends Passed {
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
  authenticate({ authorization: request.headers['authorization'], pathToken: request.pathToken }, config.tokens);
  if (request.method !== 'POST') throw new AppError('WEBHOOK_METHOD', 'the method is not POST');
  const receipt = {
    cluster: config.cluster,
    receivedAt: new Date(request.receivedMs ?? Date.now()).toISOString(),
    ownUsers: config.ownUsers,
  };
  const { sender, hints, review } = readHints(request.headers, readBody(request, config.maxBodyBytes), receipt);
  const verdict =
    review === undefined
      ? undefined
      : await verdictOn(review, receipt.cluster, request.timeoutMs, config.admission, admission);
  const passed = verdict?.allowed === false ? REFUSED : await passOn(hints, publisher);
  if (review === undefined) return { ...passed, sender, response: json(202, passed) };
  return {
    ...passed,
    sender,
    response: json(200, admissionAnswer(review, verdict ?? ALLOWED)),
    ...(verdict === undefined ? {} : { admission: { allowed: verdict.allowed, reasons: verdict.reasons } }),
  };
}

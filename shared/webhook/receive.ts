import type { WebhookConfig } from '../config.ts';
import { AppError } from '../errors.ts';
import type { HttpAnswer } from '../handler.ts';
import type { Publisher } from '../publish.ts';
import { authenticate } from './authenticate.ts';
import { type Passed, passOn } from './pass.ts';
import { type Sender, readHints } from './read.ts';
import { type WebhookRequest, readBody } from './request.ts';

/** The answer to a webhook request, and what to log of it. */
export interface Received extends Passed {
  readonly sender: Sender;
  readonly response: HttpAnswer;
}

function json(statusCode: number, body: object): HttpAnswer {
  return { statusCode, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

/**
 * Authenticates a request, reads its hints and publishes them: 200 with the review's answer for an AdmissionReview,
 * 202 with counts for the others. Nothing is published unless the whole body could be read. Throws WEBHOOK_* (4xx)
 * and EVENTS_NOT_PUBLISHED (503, so that the sender tries again; an API server lets the write pass all the same).
 */
export async function receive(
  request: WebhookRequest,
  config: WebhookConfig,
  publisher: Pick<Publisher, 'publishChanges' | 'publishReconcileRequests'>,
): Promise<Received> {
  authenticate({ authorization: request.headers['authorization'], pathToken: request.pathToken }, config.tokens);
  if (request.method !== 'POST') throw new AppError('WEBHOOK_METHOD', 'the method is not POST');
  const receipt = {
    cluster: config.cluster,
    receivedAt: new Date(request.receivedMs ?? Date.now()).toISOString(),
    ownUsers: config.ownUsers,
  };
  const { sender, hints, answer } = readHints(request.headers, readBody(request, config.maxBodyBytes), receipt);
  const passed = await passOn(hints, publisher);
  return { ...passed, sender, response: answer === undefined ? json(202, passed) : json(200, answer) };
}

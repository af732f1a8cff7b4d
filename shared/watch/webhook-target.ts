import { Agent } from 'node:https';
import axios from 'axios';
import { AppError } from '../errors.ts';
import type { ChangeEvent } from '../events.ts';
import { KINDS, apiVersionOf, isKind } from '../kubernetes/kinds.ts';
import { WATCH_STARTED } from '../webhook/cloudevents.ts';
import type { Target } from './deliver.ts';

/** The webhook to post to. */
export interface WebhookAddress {
  /** `https://…/webhook` without a token. */
  readonly url: string;
  readonly token: string;
  /** PEM; for a webhook that asks for client certificates. */
  readonly clientCertificate: string | undefined;
  readonly clientKey: string | undefined;
}

const TYPES = { create: 'add', update: 'update', delete: 'delete' } as const;
const TIMEOUT_MS = 20_000;

/** A change as Knative's ApiServerSource would tell of it. The receiver knows the cluster by the token. */
function cloudEvent({ ref, operation, uid, resourceVersion, observedAt }: ChangeEvent, id: string): object {
  const version = isKind(ref.kind) ? KINDS[ref.kind].version : ref.version;
  return {
    specversion: '1.0',
    id,
    source: 'kong-ingress/watch',
    type: `dev.knative.apiserver.resource.${TYPES[operation]}`,
    time: observedAt,
    datacontenttype: 'application/json',
    data: {
      apiVersion: apiVersionOf(ref.group, version),
      kind: ref.kind,
      metadata: { name: ref.name, namespace: ref.namespace, uid, resourceVersion },
    },
  };
}

/** Posts CloudEvents to the webhook function. Throws EVENTS_NOT_PUBLISHED, without the token. */
export function webhookTarget({
  url,
  token,
  clientCertificate,
  clientKey,
}: WebhookAddress): Target & { close(): void } {
  const agent = new Agent({
    keepAlive: true,
    maxSockets: 1,
    ...(clientCertificate === undefined ? {} : { cert: clientCertificate }),
    ...(clientKey === undefined ? {} : { key: clientKey }),
  });
  const client = axios.create({
    timeout: TIMEOUT_MS,
    proxy: false,
    maxRedirects: 0,
    httpsAgent: agent,
    validateStatus: () => true,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/cloudevents-batch+json' },
  });
  let sent = 0;
  async function post(events: readonly object[]): Promise<void> {
    const status = await client.post(url, JSON.stringify(events)).then(
      (response) => String(response.status),
      (error: unknown) => (axios.isAxiosError(error) ? (error.code ?? 'no answer') : 'no answer'),
    );
    if (!status.startsWith('2')) throw new AppError('EVENTS_NOT_PUBLISHED', `the webhook answered ${status}`);
  }
  const id = (): string => {
    sent += 1;
    return `${process.pid}-${sent}`;
  };
  return {
    publishChanges: (changes) => post(changes.map((change) => cloudEvent(change, id()))),
    publishReconcileRequests: (requests) =>
      post(
        requests.map(({ observedAt }) => ({
          specversion: '1.0',
          id: id(),
          source: 'kong-ingress/watch',
          type: WATCH_STARTED,
          time: observedAt,
        })),
      ),
    close: () => agent.destroy(),
  };
}

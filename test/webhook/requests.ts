import type { ChangeEvent } from '../../shared/events.ts';
import type { WebhookCluster, WebhookConfig } from '../../shared/webhook/config.ts';
import type { WebhookRequest } from '../../shared/webhook/request.ts';

const PROD: WebhookCluster = { name: 'prod', ownUsers: ['functions'], kinds: undefined, logGroup: undefined };

export const CONFIG: WebhookConfig = {
  eventBusName: 'bus',
  clusters: [PROD],
  tokens: [
    { token: 'old-token', of: PROD },
    { token: 'new-token', of: PROD },
  ],
  certificates: [],
  maxBodyBytes: 20_000,
  maxItems: 20,
  maxAgeMs: 3_600_000,
  admission: 'off',
};

/** A request with a token of CONFIG, received at 2026-11-23T02:00:00Z. */
export function request(body: unknown, changes: Partial<WebhookRequest> = {}): WebhookRequest {
  return {
    method: 'POST',
    headers: { authorization: 'Bearer new-token', 'content-type': 'application/json; charset=utf-8' },
    pathToken: undefined,
    requestId: 'request-1',
    clientCertificate: undefined,
    receivedMs: Date.UTC(2026, 10, 23, 2),
    timeoutMs: undefined,
    body: typeof body === 'string' ? body : JSON.stringify(body),
    isBase64Encoded: false,
    ...changes,
  };
}

/** A bus that remembers what it took. */
export interface MemoryBus {
  readonly published: ChangeEvent[];
  publishChanges(changes: readonly ChangeEvent[]): Promise<number>;
  publishReconcileRequests(requests: readonly object[]): Promise<number>;
}

export function bus(): MemoryBus {
  const published: ChangeEvent[] = [];
  return {
    published,
    async publishChanges(changes) {
      published.push(...changes);
      return changes.length;
    },
    publishReconcileRequests: async (requests) => requests.length,
  };
}

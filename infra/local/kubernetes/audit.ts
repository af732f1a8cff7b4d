import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import axios from 'axios';
import type { User } from './call.ts';
import { textAt, type Json, type JsonObject } from './json.ts';
import type { ResourcePath } from './request.ts';

/** Where audit events go, and how they are batched. */
export interface AuditWebhook {
  readonly url: string;
  /** Sent as a bearer token. */
  readonly token?: string;
  /** Most events in one POST. */
  readonly maxBatchSize: number;
  /** How long the first event of a batch waits for others, ms. */
  readonly maxDelayMs: number;
}

/** A write request that has been answered. */
export interface Answered {
  readonly verb: string;
  readonly url: string;
  readonly path: ResourcePath;
  readonly user: User;
  readonly userAgent: string;
  readonly sourceAddress: string;
  readonly code: number;
  readonly request: Json | undefined;
  readonly response: Json | undefined;
  readonly received: Date;
  readonly answered: Date;
}

/** Resources whose content never goes into the audit. */
const METADATA_ONLY = new Set(['/secrets', '/configmaps', '/serviceaccounts']);
/** Resources that are not audited: they change all the time and configure nothing. */
const UNAUDITED = new Set(['/events', 'events.k8s.io/events', 'coordination.k8s.io/leases']);

const ATTEMPTS = 5;
const FIRST_PAUSE_MS = 200;
const REQUEST_TIMEOUT_MS = 10_000;
const STOP_TIMEOUT_MS = 1000;
const MAX_QUEUE = 10_000;

/** RFC 3339 with microseconds, as audit events have it. */
function micro(time: Date): string {
  return time.toISOString().replace('Z', '000Z');
}

function objectRef(answered: Answered): JsonObject {
  const { path, response } = answered;
  const ok = answered.code < 300 && textAt(response, 'kind') !== 'Status';
  const name = path.name || (answered.verb === 'create' && ok ? textAt(response, 'metadata', 'name') : '');
  const uid = ok ? textAt(response, 'metadata', 'uid') : '';
  const version = ok ? textAt(response, 'metadata', 'resourceVersion') : '';
  return {
    resource: path.plural,
    ...(path.namespace === '' ? {} : { namespace: path.namespace }),
    ...(name === '' ? {} : { name }),
    ...(uid === '' ? {} : { uid }),
    ...(path.group === '' ? {} : { apiGroup: path.group }),
    apiVersion: path.version,
    ...(version === '' ? {} : { resourceVersion: version }),
    ...(path.subresource === '' ? {} : { subresource: path.subresource }),
  };
}

/** The audit.k8s.io/v1 event of a write at stage ResponseComplete; undefined for what is not audited. */
export function auditEvent(answered: Answered): JsonObject | undefined {
  const resource = `${answered.path.group}/${answered.path.plural}`;
  if (UNAUDITED.has(resource)) return undefined;
  const whole = !METADATA_ONLY.has(resource);
  const failure =
    answered.code >= 400
      ? {
          status: 'Failure',
          reason: textAt(answered.response, 'reason'),
          message: textAt(answered.response, 'message'),
        }
      : {};
  return {
    level: whole ? 'RequestResponse' : 'Metadata',
    auditID: randomUUID(),
    stage: 'ResponseComplete',
    requestURI: answered.url,
    verb: answered.verb,
    user: { username: answered.user.username, groups: [...answered.user.groups] },
    sourceIPs: [answered.sourceAddress],
    userAgent: answered.userAgent,
    objectRef: objectRef(answered),
    responseStatus: { metadata: {}, ...failure, code: answered.code },
    ...(whole && answered.request !== undefined ? { requestObject: answered.request } : {}),
    ...(whole && answered.response !== undefined ? { responseObject: answered.response } : {}),
    requestReceivedTimestamp: micro(answered.received),
    stageTimestamp: micro(answered.answered),
    annotations: { 'authorization.k8s.io/decision': 'allow', 'authorization.k8s.io/reason': '' },
  };
}

/** Figures about what was sent. */
export interface AuditStatistics {
  readonly sent: number;
  /** Events given up: the receiver refused them, failed too often, or the queue was full. */
  readonly dropped: number;
  /** Events that are not answered yet, also those that are being sent. */
  readonly waiting: number;
}

/** Sends audit events in batches, in order, as kube-apiserver's webhook backend does in batch mode. */
export class AuditSender {
  #webhook: AuditWebhook | undefined;
  #queue: JsonObject[] = [];
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> | undefined;
  #sent = 0;
  #dropped = 0;
  #underway = 0;
  readonly #stop = new AbortController();

  constructor(webhook: AuditWebhook | undefined) {
    this.#webhook = webhook;
  }

  /** Changes or removes the receiver; events that wait for a removed one are dropped. */
  configure(webhook: AuditWebhook | undefined): void {
    this.#webhook = webhook;
    if (webhook === undefined) this.#drop(this.#queue.splice(0));
  }

  /** Whether there is a receiver. */
  get active(): boolean {
    return this.#webhook !== undefined;
  }

  statistics(): AuditStatistics {
    return { sent: this.#sent, dropped: this.#dropped, waiting: this.#queue.length + this.#underway };
  }

  add(event: JsonObject): void {
    const webhook = this.#webhook;
    if (webhook === undefined) return;
    if (this.#queue.length >= MAX_QUEUE) return this.#drop([event]);
    this.#queue.push(event);
    if (this.#sending !== undefined) return;
    if (this.#queue.length >= webhook.maxBatchSize) this.#begin();
    else this.#timer ??= setTimeout(() => this.#begin(), webhook.maxDelayMs);
  }

  /** Ends pauses between attempts and sends once more what waits. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#sending;
    this.#begin();
    await this.#sending;
  }

  #drop(events: readonly JsonObject[]): void {
    this.#dropped += events.length;
  }

  #begin(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#sending ??= this.#drain().finally(() => {
      this.#sending = undefined;
      if (this.#queue.length > 0 && !this.#stop.signal.aborted) this.#begin();
    });
  }

  async #drain(): Promise<void> {
    while (this.#webhook !== undefined && this.#queue.length > 0) {
      const items = this.#queue.splice(0, Math.max(1, this.#webhook.maxBatchSize));
      this.#underway = items.length;
      await this.#deliver(this.#webhook, items);
      this.#underway = 0;
    }
  }

  async #deliver(webhook: AuditWebhook, items: readonly JsonObject[]): Promise<void> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const code = await this.#post(webhook, items);
      if (code !== undefined && code < 300) {
        this.#sent += items.length;
        return;
      }
      const again = code === undefined || code === 429 || code >= 500;
      if (!again || attempt === ATTEMPTS || this.#stop.signal.aborted) break;
      await sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1), undefined, { signal: this.#stop.signal }).catch(() => undefined);
    }
    this.#drop(items);
  }

  /** The status of the answer; undefined when there was none. */
  async #post(webhook: AuditWebhook, items: readonly JsonObject[]): Promise<number | undefined> {
    const list = { kind: 'EventList', apiVersion: 'audit.k8s.io/v1', metadata: {}, items };
    try {
      const answer = await axios.post<unknown>(webhook.url, list, {
        timeout: this.#stop.signal.aborted ? STOP_TIMEOUT_MS : REQUEST_TIMEOUT_MS,
        maxRedirects: 0,
        maxBodyLength: Infinity,
        proxy: false,
        validateStatus: () => true,
        headers: {
          'content-type': 'application/json',
          'user-agent': 'kube-apiserver-audit',
          ...(webhook.token === undefined ? {} : { authorization: `Bearer ${webhook.token}` }),
        },
      });
      return answer.status;
    } catch {
      return undefined;
    }
  }
}

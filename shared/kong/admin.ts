import { setTimeout as delay } from 'node:timers/promises';
import { isAxiosError } from 'axios';
import type { AxiosResponse } from 'axios';
import { backoffMs, retryAfterMs } from '../backoff.ts';
import type { Backoff } from '../backoff.ts';
import type { KongConfig } from '../config.ts';
import { AppError } from '../errors.ts';
import { adminHttp } from './admin-http.ts';
import type { AdminHttp, Call } from './admin-http.ts';
import { fixedNodes, nodesAt } from './admin-nodes.ts';
import type { AdminNode, AdminNodes } from './admin-nodes.ts';
import type { Body, EntityType } from './entities.ts';
import { isBody, text } from './json.ts';
import { collectionPath, entityPath } from './paths.ts';
import { rejection } from './rejection.ts';
import type { Rejection } from './rejection.ts';
import { violation } from './violation.ts';
import type { Violation } from './violation.ts';
import { kongRoot } from './root.ts';
import type { KongRoot } from './root.ts';
import { parseSchema } from './schema.ts';
import type { Schema } from './schema.ts';

/** What a write came to: Kong's row, or Kong's refusal. */
export type Written =
  | { readonly ok: true; readonly body: Body }
  | { readonly ok: false; readonly rejection: Rejection };

/**
 * Kong's Admin API. All calls go to one node as long as it answers, then to the next one (DB §6 row 24).
 * They reject with KONG_UNREACHABLE, KONG_UNAVAILABLE, KONG_UNAUTHORIZED or KONG_ANSWER_INVALID; a refusal (other 4xx)
 * is a value.
 */
export interface AdminClient {
  /** Creates or replaces by id (`PUT /{type}/{id}`). Not for targets. */
  put(type: EntityType, id: string, body: Body): Promise<Written>;
  /** `POST /upstreams/{upstream}/targets`; the body has an `id`. 409 or code 3: it is there already. */
  createTarget(upstreamId: string, body: Body): Promise<Written>;
  /** `PATCH /upstreams/{upstream}/targets/{id}`; status 404 when it is not there. */
  updateTarget(upstreamId: string, id: string, body: Body): Promise<Written>;
  /** Deletes; what is not there counts as deleted. A target needs its upstream's id. */
  remove(type: EntityType, id: string, upstreamId?: string): Promise<Written>;
  /** One entity as the Admin API shows it, or undefined. A target needs its upstream's id. */
  get(type: EntityType, id: string, upstreamId?: string): Promise<Body | undefined>;
  /** Every entity of a type that carries all the tags, page by page (1,000 each). Not for targets. */
  list(type: EntityType, tags: readonly string[]): AsyncGenerator<readonly Body[]>;
  root(): Promise<KongRoot>;
  /** `GET /schemas/<name>`, for instance `routes` or `plugins/key-auth`; undefined when Kong knows none. Cached. */
  schema(name: string): Promise<Schema | undefined>;
  /**
   * Whether Kong's schema takes a body (`POST /schemas/<type>/validate`): undefined when it does. Kong looks at no
   * references and no unique keys for that (DB §8.1).
   */
  validate(type: EntityType, body: Body): Promise<Violation | undefined>;
  /** HTTP requests sent so far, repetitions included. */
  requests(): number;
  /** Closes the kept connections. */
  close(): void;
}

/** Tries of one request, over all nodes, before it is given up. */
const ATTEMPTS = 5;
const PAUSE: Backoff = { baseMs: 100, capMs: 5_000 };
const RETRIED: ReadonlySet<number> = new Set([429, 500, 502, 503, 504]);

type Send = (call: Call) => Promise<AxiosResponse<unknown>>;

/** Waits before the next attempt: what `Retry-After` asks for, else exponentially with jitter; both bounded. */
async function pause(attempt: number, response: AxiosResponse<unknown> | undefined): Promise<void> {
  const asked = retryAfterMs(text(response?.headers['retry-after']), Date.now());
  await delay(asked === undefined ? backoffMs(PAUSE, attempt - 1, Math.random()) : Math.min(asked, PAUSE.capMs));
}

/** The error itself is not passed on: axios keeps headers and body, with token and keys, in it. */
function unreachable(call: Call, error: unknown): AppError {
  const code = isAxiosError(error) ? (error.code ?? error.message) : String(error);
  return new AppError('KONG_UNREACHABLE', `${call.method} ${call.path} did not reach Kong's Admin API: ${code}`);
}

function isUnreachable(error: unknown): boolean {
  return error instanceof AppError && error.code === 'KONG_UNREACHABLE';
}

/** The node that takes the requests as long as it is there and answers. */
interface Sticky {
  current(): Promise<AdminNode>;
  /** Moves on to the next node, unless a parallel request has done so already. */
  leave(node: AdminNode): void;
}

function sticky(nodes: AdminNodes): Sticky {
  let used: string | undefined;
  let left: string | undefined;
  return {
    current: async () => {
      const all = await nodes.list();
      const place = all.findIndex(({ url }) => url === used);
      const next = all.findIndex(({ url }) => url === left) + 1;
      const node = all[place] ?? all[next % all.length];
      if (node === undefined) throw new AppError('KONG_UNREACHABLE', 'there is no Admin API to ask');
      used = node.url;
      return node;
    },
    leave: ({ url }) => {
      if (url !== used) return;
      left = used;
      used = undefined;
      nodes.unanswered();
    },
  };
}

/** Answers of a proxy before the node, or of a node without its database: another node may do better. */
const LEFT: ReadonlySet<number> = new Set([502, 503, 504]);

function sender(attempts: number, nodes: AdminNodes, http: AdminHttp, counted: () => void): Send {
  const node = sticky(nodes);
  const once = async (call: Call): Promise<AxiosResponse<unknown>> => {
    const used = await node.current();
    counted();
    try {
      const answer = await http.send(used, call);
      if (LEFT.has(answer.status)) node.leave(used);
      return answer;
    } catch (error) {
      node.leave(used);
      throw unreachable(call, error);
    }
  };
  return async (call) => {
    for (let attempt = 1; ; attempt += 1) {
      const last = attempt >= attempts;
      const answer = await once(call).catch((error: unknown): undefined => {
        if (last || !isUnreachable(error)) throw error;
      });
      if (answer !== undefined && !RETRIED.has(answer.status)) return answer;
      if (answer !== undefined && last) {
        throw new AppError('KONG_UNAVAILABLE', `${call.method} ${call.path} still answered ${answer.status}`);
      }
      await pause(attempt, answer);
    }
  };
}

/** Kong's proxy, an ingress and other servers have a 404 of their own, which says nothing about an entity. */
function isForeign404({ status, data }: AxiosResponse<unknown>): boolean {
  return status === 404 && (!isBody(data) || (text(data.message) ?? '').startsWith('no Route matched'));
}

/** Leaves only answers that say something about the entity: 2xx and Kong's own 4xx. */
function checkAnswer(call: Call, answer: AxiosResponse<unknown>): void {
  const { status } = answer;
  const what = `${call.method} ${call.path} answered ${status}`;
  if (status === 401 || status === 403) throw new AppError('KONG_UNAUTHORIZED', what);
  if (status >= 500 || (status >= 300 && status < 400) || isForeign404(answer)) {
    throw new AppError('KONG_ANSWER_INVALID', what);
  }
}

function reader(send: Send): (path: string) => Promise<Body | undefined> {
  return async (path) => {
    const call: Call = { method: 'GET', path };
    const answer = await send(call);
    checkAnswer(call, answer);
    if (answer.status === 404) return undefined;
    if (answer.status !== 200 || !isBody(answer.data)) {
      throw new AppError('KONG_ANSWER_INVALID', `GET ${path} answered ${answer.status} without an entity`);
    }
    return answer.data;
  };
}

function writerOf(send: Send): (type: EntityType, call: Call) => Promise<Written> {
  return async (type, call) => {
    const answer = await send(call);
    checkAnswer(call, answer);
    if (answer.status < 300) return { ok: true, body: isBody(answer.data) ? answer.data : {} };
    return { ok: false, rejection: rejection(type, answer.status, answer.data) };
  };
}

async function* pages(read: (path: string) => Promise<Body | undefined>, first: string): AsyncGenerator<Body[]> {
  for (let path: string | undefined = first; path !== undefined;) {
    const page: Body | undefined = await read(path);
    // A list is never answered by 404; taking that for "nothing there" could delete everything.
    if (page === undefined || !Array.isArray(page.data)) {
      throw new AppError('KONG_ANSWER_INVALID', `GET ${path} did not answer a list`);
    }
    yield page.data.filter(isBody);
    path = text(page.next);
  }
}

/**
 * A client for the control plane of `config`; close it when done. `attempts` bounds how often a request is sent; `nodes`
 * are those of `config.adminUrls` unless given.
 */
export function adminClient(
  config: KongConfig,
  attempts: number = ATTEMPTS,
  nodes: AdminNodes = fixedNodes(nodesAt(config.adminUrls)),
): AdminClient {
  const http = adminHttp(config);
  let count = 0;
  const send = sender(attempts, nodes, http, () => {
    count += 1;
  });
  const read = reader(send);
  const write = writerOf(send);
  const schemas = new Map<string, Promise<Schema | undefined>>();
  const fetchSchema = async (name: string): Promise<Schema | undefined> => {
    const body = await read(`/schemas/${name.split('/').map(encodeURIComponent).join('/')}`);
    return body === undefined ? undefined : parseSchema(body);
  };
  return {
    put: (type, id, body) => write(type, { method: 'PUT', path: entityPath(type, id), body }),
    createTarget: (upstreamId, body) =>
      write('targets', { method: 'POST', path: collectionPath('targets', upstreamId), body }),
    updateTarget: (upstreamId, id, body) =>
      write('targets', { method: 'PATCH', path: entityPath('targets', id, upstreamId), body }),
    remove: async (type, id, upstreamId) => {
      const result = await write(type, { method: 'DELETE', path: entityPath(type, id, upstreamId) });
      return !result.ok && result.rejection.status === 404 ? { ok: true, body: {} } : result;
    },
    get: (type, id, upstreamId) => read(entityPath(type, id, upstreamId)),
    list: (type, tags) => {
      const filter = tags.map(encodeURIComponent).join(',');
      return pages(read, `${collectionPath(type)}?size=1000&tags=${filter}`);
    },
    root: async () => kongRoot(await read('/')),
    schema: (name) => {
      const cached = schemas.get(name);
      if (cached !== undefined) return cached;
      const fetched = fetchSchema(name);
      schemas.set(name, fetched);
      fetched.catch(() => schemas.delete(name));
      return fetched;
    },
    validate: async (type, body) => {
      const call: Call = { method: 'POST', path: `/schemas/${type}/validate`, body };
      const answer = await send(call);
      checkAnswer(call, answer);
      return answer.status < 300 ? undefined : violation(type, answer.status, answer.data);
    },
    requests: () => count,
    close: () => {
      http.close();
    },
  };
}

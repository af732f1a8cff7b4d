import http from 'node:http';
import https from 'node:https';
import type { IncomingMessage } from 'node:http';
import { CANARY_HEADER, CANARY_HOST, canaryIds, canaryPath } from '../kong/canary.ts';
import { canaryOpinion, CONNECTIONS } from './canary-verdict.ts';
import type { CanarySeen } from './canary-verdict.ts';
import type { KongConfig } from '../config.ts';
import type { ConvergenceConfig } from './config.ts';
import type { Opinion, Unavailable } from './opinion-verdict.ts';
import type { Revision } from './types.ts';

/** All connections to one proxy, ms. */
const TIMEOUT_MS = 5_000;
/** What is longer is no epoch and no error of Kong's, whose connection is kept; bytes. */
const MAX_BYTES = 4_096;
/** Epochs that one connection is asked for: as many as a route has paths (`CANARY_EPOCHS`). */
const MOST = 10;
/** Answers of plugins that apply to every route and come before the canary's. */
const REFUSALS: readonly number[] = [401, 403, 429];

interface Answer {
  readonly status: number;
  /** The epoch in the body; undefined when it is none. */
  readonly epoch: number | undefined;
  /** The connection was there before. */
  readonly reused: boolean;
}

/** Why a proxy gives no evidence. */
class Refused extends Error {}

async function epochIn(response: IncomingMessage): Promise<number | undefined> {
  let body = '';
  response.setEncoding('latin1');
  for await (const chunk of response) {
    body += String(chunk);
    // Leaving the loop closes the connection.
    if (body.length > MAX_BYTES) return undefined;
  }
  return /^\d{1,15}$/.test(body) ? Number(body) : undefined;
}

/** One request; rejects when the connection fails or `signal` aborts. */
async function ask(agent: http.Agent, url: string, id: string, epoch: number, signal: AbortSignal): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const { request: send } = url.startsWith('https:') ? https : http;
  const headers = { host: CANARY_HOST, [CANARY_HEADER]: id };
  const request = send(new URL(canaryPath(epoch), url), { agent, headers, signal }, resolve);
  request.on('error', reject);
  request.end();
  const response = await promise;
  return { status: response.statusCode ?? 0, epoch: await epochIn(response), reused: request.reusedSocket };
}

/** The newest of the epochs that one fresh connection has, by path (router) and body (plugins). */
async function connection(
  url: string,
  id: string,
  epochs: readonly number[],
  signal: AbortSignal,
): Promise<number | undefined> {
  const options = { keepAlive: true, maxSockets: 1 };
  const agent = url.startsWith('https:') ? new https.Agent(options) : new http.Agent(options);
  try {
    for (const [place, epoch] of epochs.entries()) {
      const answer = await ask(agent, url, id, epoch, signal);
      // Another connection may be another worker's.
      if (place > 0 && !answer.reused) return undefined;
      if (REFUSALS.includes(answer.status)) throw new Refused(`its proxy refuses the canary with ${answer.status}`);
      if (answer.status === 200 && answer.epoch !== undefined && answer.epoch >= epoch) return epoch;
    }
    return undefined;
  } finally {
    agent.destroy();
  }
}

/** Probes one proxy on fresh connections, one after the other. Never rejects. */
async function probe(url: string, id: string, epochs: readonly number[]): Promise<CanarySeen> {
  const answers: (number | undefined)[] = [];
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  try {
    while (answers.length < CONNECTIONS) answers.push(await connection(url, id, epochs, signal));
    return { answers, failure: undefined };
  } catch (error) {
    return { answers, failure: error instanceof Refused ? error.message : 'its proxy does not answer' };
  }
}

type CanaryConfig = Pick<KongConfig & ConvergenceConfig, 'workspace' | 'filterTags' | 'canary' | 'probeUrls'>;

/** A node that a verdict is wanted of. */
export interface Probed {
  readonly id: string;
  /** Under which of them KONG_PROBE_URLS may have its address. */
  readonly names: readonly string[];
}

/** By node id, what the canary says of it; nothing while it is off. `revisions` newest first. Never rejects. */
export async function canaries(
  { config }: { readonly config: CanaryConfig },
  revisions: readonly Revision[],
  nodes: readonly Probed[],
): Promise<ReadonlyMap<string, Opinion | Unavailable>> {
  if (config.canary !== true) return new Map();
  const { route } = canaryIds(config);
  // Without an epoch of the newest revision there is nothing to see.
  const epochs = revisions[0]?.epoch === undefined ? [] : revisions.flatMap((item) => item.epoch ?? []).slice(0, MOST);
  const judged = async ({ id, names }: Probed): Promise<readonly [string, Opinion | Unavailable]> => {
    const url = names.flatMap((name) => config.probeUrls?.get(name) ?? [])[0];
    if (url === undefined) return [id, { evidence: 'canary', unavailable: 'KONG_PROBE_URLS has no address of it' }];
    const seen = epochs.length === 0 ? { answers: [], failure: undefined } : await probe(url, route, epochs);
    return [id, canaryOpinion(revisions, seen)];
  };
  return new Map(await Promise.all(nodes.map(judged)));
}

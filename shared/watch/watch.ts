import { setTimeout as delay } from 'node:timers/promises';
import type { KubernetesConfig } from '../config.ts';
import { discoveredVersions } from '../kubernetes/discovery.ts';
import { httpTransport, streamTransport } from '../kubernetes/http.ts';
import { KINDS, isKind } from '../kubernetes/kinds.ts';
import type { Kind } from '../kubernetes/resources.ts';
import { retrying } from '../kubernetes/transport.ts';
import { type Target, delivery } from './deliver.ts';
import { type WatchCounts, follow } from './follow.ts';

/** What a watch has done so far. */
export interface WatchReport extends WatchCounts {
  /** Kinds that were listed, or are known to be absent, of `kinds`. */
  readonly ready: number;
  readonly kinds: number;
  /** Changes and requests that the target took. */
  readonly published: number;
  /** Those that wait for it. */
  readonly waiting: number;
}

export interface WatchOptions {
  readonly kubernetes: KubernetesConfig;
  readonly target: Target;
  /** Ends it: watches at once, deliveries within `drainMs`. */
  readonly signal: AbortSignal;
  /** How long what waits may take when it ends, ms. */
  readonly drainMs: number;
  /** One line about what went wrong, without secrets. */
  readonly log: (problem: string) => void;
}

/** A running watch. */
export interface Watch {
  report(): WatchReport;
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
}

const KIND_NAMES = Object.keys(KINDS).filter(isKind);

/** Ends early, and without an error, when `signal` aborts. */
async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  await delay(ms, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
}

/**
 * Follows every known kind of a cluster and posts what changes. Holds a name and a version an object, and nothing else of
 * it. Asks for a reconcile when it begins: what changed before, nobody told.
 */
export function startWatch({ kubernetes, target, signal, drainMs, log }: WatchOptions): Watch {
  const { cluster } = kubernetes;
  const requests = httpTransport(kubernetes);
  const streams = streamTransport(kubernetes);
  const send = retrying((request) => requests.send(request));
  const counts: WatchCounts = { events: 0, duplicates: 0, statusWrites: 0, relists: 0, failures: 0 };
  const ready = new Set<Kind>();
  const common = { cluster, random: Math.random, now: () => new Date().toISOString() };
  const sink = delivery({ ...common, target, sleep, onFailure: log });
  const tools = {
    ...common,
    sink,
    counts,
    signal,
    source: { ...streams, send, versions: discoveredVersions(send) },
    sleep: (ms: number) => sleep(ms, signal),
    onReady: (kind: Kind) => void ready.add(kind),
    onFailure: (kind: Kind, reason: string) => log(`${KINDS[kind].plural}: ${reason}`),
  };
  const ended = Promise.all(KIND_NAMES.map((kind) => follow(kind, tools))).then(async () => {
    await Promise.race([sink.idle(), sleep(drainMs)]);
    requests.close();
    streams.close();
  });
  return {
    ended,
    report: () => ({
      ...counts,
      ready: ready.size,
      kinds: KIND_NAMES.length,
      published: sink.published,
      waiting: sink.waiting,
    }),
  };
}

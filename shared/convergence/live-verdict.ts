import type { DataPlaneRow } from './types.ts';

/** A control plane drops a data plane after so long without a ping; a live one pings every 30 s (DB §2.3). */
export const SEEN_LATELY_MS = 45_000;

/** A data plane's pod. */
export interface Pod {
  readonly name: string;
  readonly ip: string;
}

/** Which data planes count. */
export type LiveSet =
  /** Ready pods: one without a row, or whose row is old, may serve what it had; rows without a pod are dead. */
  | { readonly kind: 'pods'; readonly pods: readonly Pod[] }
  /** Names, ids or addresses that must be there. */
  | { readonly kind: 'list'; readonly nodes: readonly string[] }
  /** Those that were heard of lately; a silent one is waited for during this time, ms, and then forgotten. */
  | { readonly kind: 'seen'; readonly forgetAfterMs: number };

/** Rows, and how to tell who lives. */
export interface LiveFacts {
  /** ms of the clock of Kong's PostgreSQL. */
  readonly now: number;
  readonly rows: readonly DataPlaneRow[];
  readonly live: LiveSet;
  /** From then on a silent data plane counts as cut off, ms; `SEEN_LATELY_MS` unless given. */
  readonly silentAfterMs?: number;
}

/** Heard of lately by either clock: believing a dead row to be alive only delays, the other way round would lie. */
export function heardOf(
  row: DataPlaneRow,
  { now, silentAfterMs = SEEN_LATELY_MS }: Pick<LiveFacts, 'now' | 'silentAfterMs'>,
): boolean {
  return now - row.lastSeen <= silentAfterMs || now - row.rowSince <= silentAfterMs;
}

/** The newest row that a name of the list stands for. */
function rowOf(name: string, rows: readonly DataPlaneRow[]): DataPlaneRow | undefined {
  const matching = rows.filter((row) => [row.id, row.hostname, row.ip].includes(name));
  return matching.toSorted((a, b) => b.lastSeen - a.lastSeen)[0];
}

/** Hostname is the pod's name, but with sync v2, where it is the node id; the address may be that of a NAT. */
function rowOfPod({ name, ip }: Pod, rows: readonly DataPlaneRow[]): DataPlaneRow | undefined {
  return rowOf(name, rows) ?? rowOf(ip, rows);
}

/** The rows of data planes that count. Pure. */
export function liveRows(facts: LiveFacts): readonly DataPlaneRow[] {
  const { live, rows, now } = facts;
  if (live.kind === 'list') return [...new Set(live.nodes.flatMap((name) => rowOf(name, rows) ?? []))];
  if (live.kind === 'pods') return [...new Set(live.pods.flatMap((pod) => rowOfPod(pod, rows) ?? []))];
  return rows.filter((row) => heardOf(row, facts) || now - row.lastSeen <= live.forgetAfterMs);
}

/** Data planes that count and that no row stands for, by name. Pure. */
export function missingNodes({ live, rows }: LiveFacts): readonly string[] {
  if (live.kind === 'list') return live.nodes.filter((name) => rowOf(name, rows) === undefined);
  if (live.kind === 'seen') return [];
  return live.pods.filter((pod) => rowOfPod(pod, rows) === undefined).map(({ name, ip }) => name || ip);
}

/** What the live set cannot see, to be said with a proof; undefined: nothing. */
export function unseen(live: LiveSet): string | undefined {
  return live.kind === 'seen' ? 'one that was not heard of for long' : undefined;
}

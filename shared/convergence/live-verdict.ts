import type { DataPlaneRow } from './types.ts';

/** A control plane drops a data plane after so long without a ping; a live one pings every 30 s (DB §2.3). */
export const SEEN_LATELY_MS = 45_000;

/** Which data planes count. */
export type LiveSet =
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

/** The rows of data planes that count. Pure. */
export function liveRows(facts: LiveFacts): readonly DataPlaneRow[] {
  const { live, rows, now } = facts;
  if (live.kind === 'list') return [...new Set(live.nodes.flatMap((name) => rowOf(name, rows) ?? []))];
  return rows.filter((row) => heardOf(row, facts) || now - row.lastSeen <= live.forgetAfterMs);
}

/** Names that count and that no row stands for. Pure. */
export function missingNodes({ live, rows }: LiveFacts): readonly string[] {
  return live.kind === 'seen' ? [] : live.nodes.filter((name) => rowOf(name, rows) === undefined);
}

/** What the live set cannot see, to be said with a proof; undefined: nothing. */
export function unseen(live: LiveSet): string | undefined {
  return live.kind === 'seen' ? 'a data plane that was not heard of for long would not be seen' : undefined;
}

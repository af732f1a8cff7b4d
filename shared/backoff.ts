/** How long to pause between attempts, ms: the first pause is around `baseMs`, each next one twice as long, at most `capMs`. */
export interface Backoff {
  readonly baseMs: number;
  readonly capMs: number;
}

/**
 * The pause before attempt `attempt` + 1, ms: half of it fixed, half by `random` (0 to 1), so that many callers that
 * failed together do not come back together.
 */
export function backoffMs({ baseMs, capMs }: Backoff, attempt: number, random: number): number {
  const full = Math.min(capMs, baseMs * 2 ** Math.min(attempt, 30));
  return Math.round(full / 2 + (full / 2) * random);
}

/** What a Retry-After header asks for, ms: seconds or an HTTP date (RFC 9110 §10.2.3); undefined when it says nothing usable. */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined || header.trim() === '') return undefined;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return seconds >= 0 ? seconds * 1000 : undefined;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}

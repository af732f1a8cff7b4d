const UNITS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** What Kong takes instead of "no limit". */
const LONGEST_MS = 2_147_483_646;

/** A Gateway API duration (`1h30m`, `500ms`) in ms; 0 means no limit and gives the longest; undefined when it is none. */
export function durationMs(text: string): number | undefined {
  if (!/^(?:\d{1,5}(?:h|ms|m|s)){1,4}$/.test(text)) return undefined;
  const parts = [...text.matchAll(/(\d+)(h|ms|m|s)/g)];
  const sum = parts.reduce((ms, [, amount, unit]) => ms + Number(amount) * (UNITS[unit ?? ''] ?? 0), 0);
  return sum === 0 ? LONGEST_MS : Math.min(sum, LONGEST_MS);
}

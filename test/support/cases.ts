/** How many times as many cases as usual property tests go through: `CASES=10 npm run test:unit`. */
const FACTOR = Number(process.env['CASES'] ?? 1);

/** So many cases, times the environment's factor. */
export function cases(usual: number): number {
  return Math.max(1, Math.round(usual * FACTOR));
}

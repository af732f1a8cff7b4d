import type { ConvergenceConfig } from './config.ts';
import type { Revision, Verdict } from './types.ts';

/**
 * The newest revision that every data plane has. None without data planes: that would prove nothing. Those that Kong
 * refuses to configure never have it, and are left out where `incompatible` says so; `revisions` newest first. Pure.
 */
export function provenEverywhere(
  verdicts: readonly Verdict[],
  revisions: readonly Revision[],
  incompatible: ConvergenceConfig['incompatible'],
): string | undefined {
  const counted = incompatible === 'ignore' ? verdicts.filter(({ state }) => state !== 'incompatible') : verdicts;
  const places = counted.map(({ revision }) => revisions.findIndex(({ id }) => id === revision));
  if (places.length === 0 || places.includes(-1)) return undefined;
  return revisions[Math.max(...places)]?.id;
}

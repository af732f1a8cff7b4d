import type { Evidence, Verdict } from './types.ts';
import { EVIDENCES } from './types.ts';

/** What one kind of evidence says of a data plane. */
export type Opinion = Pick<Verdict, 'evidence' | 'state' | 'revision' | 'proof' | 'marginMs' | 'reason'>;

/** Evidence that was asked for and could not be had, with the reason. */
export interface Unavailable {
  readonly evidence: Evidence;
  readonly unavailable: string;
}

function rank({ evidence }: { readonly evidence: Evidence }): number {
  return EVIDENCES.indexOf(evidence);
}

/**
 * The strongest opinion; a weaker one never overrules it. Its reason also says which stronger evidence could not be had,
 * and why. Without any opinion the data plane is unknown. Pure.
 */
export function strongest(said: readonly (Opinion | Unavailable)[]): Opinion {
  const ranked = said.toSorted((a, b) => rank(a) - rank(b));
  const best = ranked.find((item): item is Opinion => 'state' in item);
  const missing = ranked.flatMap((item) =>
    'unavailable' in item && (best === undefined || rank(item) < rank(best))
      ? [`no evidence by ${item.evidence}: ${item.unavailable}`]
      : [],
  );
  if (best !== undefined) return { ...best, reason: [best.reason, ...missing].join('; ') };
  const evidence = ranked[0]?.evidence ?? 'agreement';
  const reason = missing.join('; ') || 'there is no evidence';
  return { evidence, state: 'unknown', revision: undefined, proof: undefined, marginMs: undefined, reason };
}

import { keyOfRef, type Key } from '../kubernetes/keys.ts';
import type { Outcome } from '../plan/types.ts';
import type { Finding } from '../translate/types.ts';
import type { Decision } from './decide.ts';
import type { Gathered } from './gather.ts';

function isError({ severity }: Finding): boolean {
  return severity === 'error';
}

/** Roots that had an error when they were translated last, have none now, and of which nothing waits. Pure. */
export function recoveredRoots(gathered: Gathered, decision: Decision, outcome: Outcome): readonly Key[] {
  const later = [
    ...decision.resolution.findings,
    ...decision.findings,
    ...outcome.rejected.map((item) => item.finding),
  ].filter(isError);
  const waiting = decision.plan.withheld.flatMap(({ change }) =>
    change.action === 'delete' ? [] : [keyOfRef(change.desired.root)],
  );
  const troubled = new Set([...later.map((finding) => keyOfRef(finding.object)), ...waiting]);
  return [...gathered.translated].flatMap(([key, { object, findings, proposals }]) => {
    const well = object !== undefined && proposals !== undefined && !findings.some(isError) && !troubled.has(key);
    return well && gathered.loaded.failing.has(key) ? [key] : [];
  });
}

import { connectConvergence } from '../convergence/connect.ts';
import type { Convergence } from '../convergence/converge.ts';
import type { RevisionRecord } from '../convergence/revisions.ts';
import type { Verdict } from '../convergence/types.ts';
import { proofText } from '../page/format.ts';
import { guarded } from '../slice.ts';
import { chosenCluster, withCluster } from './kubernetes.ts';
import { table } from './print.ts';

/** Connects as converge does, works, and closes the connections whatever came of it. */
export async function withConvergence<Result>(work: (run: Convergence) => Promise<Result>): Promise<Result> {
  const connected = await connectConvergence(await withCluster(await chosenCluster(process.env), undefined));
  try {
    return await guarded(() => work(connected));
  } finally {
    await connected.close();
  }
}

/** A table of verdicts, each with its evidence and how much it proves. Pure. */
export function verdictLines(verdicts: readonly Verdict[]): readonly string[] {
  if (verdicts.length === 0) return ['no data plane is known'];
  return table(
    ['data plane', 'state', 'revision', 'evidence', 'proof', 'reason'],
    verdicts.map((verdict) => [
      verdict.name,
      verdict.state,
      verdict.revision ?? '-',
      verdict.evidence,
      proofText(verdict),
      verdict.reason,
    ]),
  );
}

/** What Kong's settings cost, a line each. Pure. */
export function warningLines(warnings: readonly string[]): readonly string[] {
  return warnings.map((warning) => `warning: ${warning}`);
}

function time(ms: number | undefined): string {
  return ms === undefined ? '-' : new Date(ms).toISOString();
}

function seconds(revision: RevisionRecord): string {
  const { writtenAt, convergedAt } = revision;
  return convergedAt === undefined ? 'not yet' : `${((convergedAt - writtenAt) / 1000).toFixed(1)} s`;
}

/** A table of revisions, the newest first. Pure. */
export function revisionLines(revisions: readonly RevisionRecord[]): readonly string[] {
  if (revisions.length === 0) return ['nothing has been written yet'];
  return table(
    ['revision', 'changes', 'written', 'converged after'],
    revisions.map((item) => [item.id, String(item.changes), time(item.writtenAt), seconds(item)]),
  );
}

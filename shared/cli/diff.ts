import { listCluster } from '../kubernetes/cluster.ts';
import { preview, type Preview } from '../reconcile/preview.ts';
import { parseArguments } from './arguments.ts';
import { withControl } from './kubernetes.ts';
import { print } from './print.ts';
import {
  adoptionReport,
  changeLine,
  changeReport,
  distinctFindings,
  findingLine,
  pendingReport,
  type ChangeReport,
} from './report.ts';
import type { Finding } from '../translate/types.ts';

export const usage = `diff [--kubeconfig FILE] [--json]
  Shows what a reconcile would do, and changes nothing: neither Kong nor the index. Fields are named, values never shown.
  Exit code 2 when changes are pending, 0 when none.
  kong-ingress diff --json | jq '.changes[] | select(.action == "delete")'`;

interface Report {
  readonly changes: readonly ChangeReport[];
  readonly adoptions: readonly ChangeReport[];
  readonly withheld: readonly (ChangeReport & { readonly reason: string })[];
  readonly findings: readonly Finding[];
  readonly braked: boolean;
}

function reportOf({ changes, adoptions, withheld, findings, braked }: Preview): Report {
  return {
    changes: changes.map(pendingReport),
    adoptions: adoptions.map(adoptionReport),
    withheld: withheld.map(({ change, reason }) => ({ ...changeReport(change), reason })),
    findings: distinctFindings(findings),
    braked,
  };
}

function lines({ changes, adoptions, withheld, findings, braked }: Report): readonly string[] {
  const count = (action: ChangeReport['action']): number => changes.filter((item) => item.action === action).length;
  return [
    ...adoptions.map(changeLine),
    ...changes.map(changeLine),
    ...withheld.map((item) => `withheld ${changeLine(item)}: ${item.reason}`),
    ...findings.map(findingLine),
    `${count('create')} to create, ${count('update')} to update, ${count('delete')} to delete, ` +
      `${adoptions.length} to adopt without a write, ${withheld.length} withheld`,
    ...(braked ? ['so many deletes are held back by a reconcile without --force'] : []),
  ];
}

/** Runs `diff`. Returns the exit code. Throws ARGUMENTS_INVALID and what `preview` throws. */
export async function run(args: readonly string[]): Promise<number> {
  const options = { kubeconfig: { type: 'string' }, json: { type: 'boolean', default: false } } as const;
  const { values } = parseArguments({ args: [...args], options }, usage);
  return withControl(values.kubeconfig, async ({ dependencies, kubernetes }) => {
    const report = reportOf(await preview({ dependencies, list: () => listCluster(kubernetes) }));
    print(values.json, report, () => lines(report));
    return report.changes.length + report.withheld.length > 0 ? 2 : 0;
  });
}

import { listCluster } from '../kubernetes/cluster.ts';
import { reconcile, type ReconcileReport } from '../reconcile.ts';
import { parseArguments } from './arguments.ts';
import { withControl } from './kubernetes.ts';
import { print } from './print.ts';
import { hasTrouble, slicesLines, slicesReport } from './report.ts';

export const usage = `reconcile [--force] [--kubeconfig FILE] [--json]
  Compares the whole cluster with Kong and writes what differs. --force releases the brake on many deletes.
  Exit code 2 when Kong rejected something, a finding is an error, or the brake holds deletes back.
  kong-ingress reconcile --kubeconfig ~/.kube/config`;

function summary({ objects, listRequests, differences, orphans, braked }: ReconcileReport): readonly string[] {
  const { roots, gone, drifted, managed } = differences;
  const found =
    `${objects} objects in ${listRequests} requests, ${managed} entities of ours in Kong; ` +
    `${roots.length} objects differ, ${gone.length} are gone, ${drifted} entities drifted, ${orphans} are nobody's`;
  const held = `${braked} deletes are held back: run it with --force when they are meant`;
  return braked === 0 ? [found] : [found, held];
}

/** Runs `reconcile`. Returns the exit code. Throws ARGUMENTS_INVALID and what `reconcile` throws. */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArguments(
    {
      args: [...args],
      options: {
        force: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        kubeconfig: { type: 'string' },
      },
    },
    usage,
  );
  return withControl(values.kubeconfig, async ({ dependencies, kubernetes }) => {
    const result = await reconcile({
      dependencies,
      list: () => listCluster(kubernetes),
      remainingMs: () => Number.POSITIVE_INFINITY,
      force: values.force,
    });
    const { slices, ...found } = result;
    const report = slicesReport(slices);
    print(values.json, { ...found, ...report }, () => [...slicesLines(report), ...summary(result)]);
    return hasTrouble(report) || result.braked > 0 ? 2 : 0;
  });
}

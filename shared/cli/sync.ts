import { setTimeout as sleep } from 'node:timers/promises';
import type { ChangeEvent } from '../events.ts';
import { runSlice } from '../slice.ts';
import { syncBatch } from '../sync/batch.ts';
import { badArguments, parseArguments } from './arguments.ts';
import { withControl } from './kubernetes.ts';
import { OBJECT, refOf } from './objects.ts';
import { print } from './print.ts';
import { hasTrouble, slicesLines, slicesReport } from './report.ts';

export const usage = `sync ${OBJECT} … [--kubeconfig FILE] [--json]
  Works these objects off as if they had just changed; KIND/NAME for kinds without a namespace.
  Exit code 2 when Kong rejected something or a finding is an error.
  kong-ingress sync ingress/shop/web secret/shop/web-tls ingressclass/kong`;

/** The change that an argument stands for. Throws ARGUMENTS_INVALID. */
export function changeOf(argument: string, cluster: string, observedAt: string): ChangeEvent {
  return { ref: refOf(argument, cluster, usage), operation: 'update', observedAt };
}

/** Runs `sync`. Returns the exit code. Throws ARGUMENTS_INVALID and what slices throw. */
export async function run(args: readonly string[]): Promise<number> {
  const options = { kubeconfig: { type: 'string' }, json: { type: 'boolean', default: false } } as const;
  const { values, positionals } = parseArguments({ args: [...args], options, allowPositionals: true }, usage);
  if (positionals.length === 0) throw badArguments('no object is named', usage);
  const now = new Date().toISOString();
  const changes = (cluster: string): readonly ChangeEvent[] => positionals.map((item) => changeOf(item, cluster, now));
  // What cannot be read must not cost a connection first.
  changes('');
  return withControl(values.kubeconfig, async ({ dependencies }) => {
    const messages = changes(dependencies.options.cluster).map((change, index) => ({ id: String(index), change }));
    const { slices, errors } = await syncBatch(messages, {
      run: (request) => runSlice(request, dependencies),
      sleep: (ms) => sleep(ms),
      remainingMs: () => Number.POSITIVE_INFINITY,
      earlyDelaysMs: [],
    });
    const report = slicesReport(slices);
    if (slices.length > 0) print(values.json, report, () => slicesLines(report));
    if (errors[0] !== undefined) throw errors[0];
    return hasTrouble(report) ? 2 : 0;
  });
}

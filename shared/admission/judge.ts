import type { Environment } from '../config.ts';
import { type Control, type Patience, connectOnce } from '../control.ts';
import { hasIndex } from '../index/migrate.ts';
import { actualState } from '../kong/actual.ts';
import type { AdmissionWrite, Verdict } from '../webhook/verdict.ts';
import { type AdmissionTools, admit } from './admit.ts';

/** An API server waits, and somebody before it: what does not answer soon is better not waited for. */
const HASTY: Patience = {
  attempts: 2,
  retry: { backoff: { baseMs: 50, capMs: 200 }, deadlineMs: 1_000 },
  requestMs: 3_000,
  statementMs: 3_000,
  connections: 3,
};

/** What is there of the index is looked at; before the first slice has made it, there is nothing to look at. */
async function toolsOf({ dependencies }: Control): Promise<AdmissionTools> {
  const { kongPool, statePool, kong, kubernetes, admin, options } = dependencies;
  return {
    cluster: options.cluster,
    index: (await hasIndex(statePool)) ? statePool : undefined,
    actual: actualState(kongPool, kong),
    filterTags: kong.filterTags,
    kubernetes,
    admin,
    options,
  };
}

/** Judges the writes of a cluster that the deployment serves; see `Judge`. */
export type ClusterJudge = (write: AdmissionWrite, cluster: string) => Promise<Verdict>;

/** A judge that connects at the first write of a cluster, by the environment as it is then, and keeps its connections. */
export function connectedJudge(env: () => Environment): ClusterJudge {
  const fleet = connectOnce(env, HASTY);
  const known = new Map<string, { readonly control: Control; readonly tools: AdmissionTools }>();
  return async (write, cluster) => {
    const control = await (await fleet()).of(cluster);
    const before = known.get(cluster);
    if (before?.control === control && before.tools.index !== undefined) return admit(write, before.tools);
    const tools = await toolsOf(control);
    known.set(cluster, { control, tools });
    return admit(write, tools);
  };
}

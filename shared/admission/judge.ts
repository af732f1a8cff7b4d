import type { Environment } from '../config.ts';
import { type Control, type Patience, connectOnce } from '../control.ts';
import { hasIndex } from '../index/migrate.ts';
import { actualState } from '../kong/actual.ts';
import type { Judge } from '../webhook/verdict.ts';
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

/** A judge that connects at the first write, by the environment as it is then, and keeps its connections. */
export function connectedJudge(env: () => Environment): Judge {
  const control = connectOnce(env, HASTY);
  let known: { readonly control: Control; readonly tools: AdmissionTools } | undefined;
  return async (write) => {
    const connected = await control();
    if (known?.control !== connected || known.tools.index === undefined) {
      known = { control: connected, tools: await toolsOf(connected) };
    }
    return admit(write, known.tools);
  };
}

import { connect, type Control } from '../../../shared/control.ts';
import { listCluster } from '../../../shared/kubernetes/cluster.ts';
import { actualState } from '../../../shared/kong/actual.ts';
import { subject } from '../../../shared/plan/plan.ts';
import { preview } from '../../../shared/reconcile/preview.ts';
import { addresses, type Stack } from '../stack.ts';
import { until } from './meter.ts';

/** Looks at what Kong holds, beside the functions. */
export interface StateReader {
  /** Waits until Kong holds what the cluster asks for, all of it and nothing else; gives how many entities of each type that is. */
  settled(): Promise<string>;
  close(): Promise<void>;
}

const SETTLED_TIMEOUT_MS = 60_000;

/** What a reconcile would write. */
async function differences({ dependencies, kubernetes }: Control): Promise<readonly string[]> {
  const { changes } = await preview({ dependencies, list: () => listCluster(kubernetes) });
  return changes.map(({ change }) => `${change.action} ${subject(change).type}`);
}

async function counts({ dependencies }: Control): Promise<string> {
  const managed = await actualState(dependencies.kongPool, dependencies.kong).managed();
  const found = [...managed].filter(([, rows]) => rows.length > 0).map(([type, rows]) => `${rows.length} ${type}`);
  return found.toSorted().join(', ');
}

/** Connects to Kong and the cluster of a stack. */
export async function readState(stack: Stack): Promise<StateReader> {
  const control = await connect(addresses(stack));
  return {
    settled: () =>
      until('Kong as the cluster wants it', SETTLED_TIMEOUT_MS, async () => {
        stack.cloud.retryNow();
        return (await differences(control)).length === 0 ? counts(control) : undefined;
      }),
    close: () => control.close(),
  };
}

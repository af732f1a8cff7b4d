import { ingress } from '../support/manifests.ts';
import { apply, served } from './act.ts';
import { startLab, type Lab } from './lab.ts';
import { foundation } from './objects.ts';
import { plantForeign } from './state.ts';

/** A lab with foreign entities in Kong, whose keys are `theirs`, and one Ingress, `steady`, that is served. */
export async function steadyLab(): Promise<{ readonly lab: Lab; readonly theirs: readonly string[] }> {
  const lab = await startLab();
  try {
    const theirs = await plantForeign(lab);
    await apply(lab, ...foundation(lab), ingress('steady', ['steady.test / echo 80']));
    await served(lab, 'steady.test');
    return { lab, theirs };
  } catch (error) {
    // Nobody else knows of the lab yet, and a running one would keep the test's process alive.
    await lab.stop();
    throw error;
  }
}

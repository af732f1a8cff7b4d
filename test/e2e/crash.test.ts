import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { AppError } from '../../shared/errors.ts';
import type { ChangeEvent } from '../../shared/events.ts';
import type { KubernetesObject } from '../../shared/kubernetes/resources.ts';
import { ingress } from '../support/manifests.ts';
import { tlsSecret } from '../support/tls.ts';
import { changed, codes, reconcile, served, sync, unseen } from './act.ts';
import { heal, startLab, type Lab } from './lab.ts';
import { backed, foundation, manifests, slice } from './objects.ts';
import { assertDesired, foreign, plantForeign } from './state.ts';

let lab: Lab;
let theirs: readonly string[];
let states: readonly (readonly KubernetesObject[])[];
let state = 0;
before(async () => {
  lab = await startLab();
  theirs = await plantForeign(lab);
  const secrets = [await tlsSecret('old-tls', 'stays.test'), await tlsSecret('new-tls', 'stays.test')];
  states = [
    [
      slice(lab, 'echo'),
      ingress('stays', ['stays.test /old echo 80'], { tlsSecret: 'old-tls' }),
      ingress('even', ['even.test / other 80']),
    ],
    [
      slice(lab, 'echo', ['127.0.0.1', '127.0.0.2']),
      ingress('stays', ['stays.test /new echo 80'], { tlsSecret: 'new-tls' }),
      ingress('odd', ['odd.test / more 80']),
    ],
  ];
  const all = [...foundation(lab), ...backed(lab, 'other'), ...backed(lab, 'more'), ...secrets, ...(states[0] ?? [])];
  await unseen(lab, all.length, () => lab.cluster.apply(...manifests(...all)));
  await reconcile(lab);
});
after(() => lab.stop());

/** Turns the cluster into its other state, unseen: entities of every level are created, changed and deleted at once. */
async function flip(): Promise<readonly ChangeEvent[]> {
  const gone = states[state]?.slice(-1) ?? [];
  state = 1 - state;
  const next = states[state] ?? [];
  await unseen(lab, next.length + gone.length, async () => {
    await lab.cluster.apply(...manifests(...next));
    await lab.cluster.remove(...manifests(...gone));
  });
  return [...next.map((object) => changed(object)), ...gone.map((object) => changed(object, 'delete'))];
}

/** Kong is gone from the n-th request on, which it may still have worked off. Gives how many requests came. */
function cutFrom(n: number, when: 'cut' | 'cut-after'): () => number {
  let requests = 0;
  lab.faults.kong = () => {
    requests += 1;
    if (requests < n) return undefined;
    // What comes after a cut connection is refused at once, so that nobody waits.
    return requests === n ? when : { status: 503, headers: { 'retry-after': '0' } };
  };
  return () => requests;
}

async function attempt(changes: readonly ChangeEvent[]): Promise<number> {
  try {
    return await sync(lab, ...changes);
  } catch (error) {
    assert.ok(error instanceof AppError, String(error));
    return changes.length;
  }
}

for (const when of ['cut', 'cut-after'] as const) {
  test(`ended by its n-th request to Kong (${when}), the next run ends where it should`, async (context) => {
    for (let n = 1; ; n += 1) {
      const changes = await flip();
      const from = lab.log.length;
      const requests = cutFrom(n, when);
      const failed = await attempt(changes);
      heal(lab);
      const point = `${when} request ${n}`;
      if (requests() < n) {
        assert.equal(failed, 0, point);
        assert.ok(n > 10, `only ${n} requests`);
        context.diagnostic(`${n - 1} points`);
        break;
      }
      assert.equal(failed, changes.length, point);
      assert.match(codes(lab, from).join(), /^KONG_[A-Z_]+$/, point);
      // Every other time the messages come again; else they are lost, and reconcile finds out.
      if (n % 2 === 0) assert.equal(await attempt(changes), 0, point);
      else await reconcile(lab, true);
      await assertDesired(lab, point);
      assert.deepEqual(await foreign(lab), theirs, point);
    }
    await served(lab, 'stays.test', 200, state === 0 ? '/old' : '/new');
    await served(lab, state === 0 ? 'even.test' : 'odd.test');
    await served(lab, state === 0 ? 'odd.test' : 'even.test', 404);
  });
}

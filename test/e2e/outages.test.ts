import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import type { Faults } from '../../infra/local/kubernetes/index.ts';
import { AppError, type ErrorCode } from '../../shared/errors.ts';
import { ingress } from '../support/manifests.ts';
import { apply, codes, reconcile, redeliver, served, unseen } from './act.ts';
import { heal, startLab, type Lab } from './lab.ts';
import { foundation, manifests } from './objects.ts';
import { assertDesired, foreign, plantForeign, rows } from './state.ts';

let lab: Lab;
let theirs: readonly string[];
const STEADY = ['one', 'two', 'three'].map((name) => ingress(name, [`${name}.test / echo 80`]));
before(async () => {
  lab = await startLab({ pageLimit: 2 });
  theirs = await plantForeign(lab);
  await apply(lab, ...foundation(lab), ...STEADY);
  await served(lab, 'three.test');
});
after(() => lab.stop());

async function assertUnharmed(): Promise<void> {
  await assertDesired(lab);
  assert.deepEqual(await foreign(lab), theirs);
  assert.deepEqual(lab.stack.cloud.deadLetters(), []);
}

async function rejectsWith(code: ErrorCode, work: Promise<unknown>): Promise<void> {
  await assert.rejects(work, (error) => error instanceof AppError && error.code === code);
}

/** Lets the second page of the Ingresses fail, as often as `times`. */
function secondPage(fault: Exclude<ReturnType<Faults>, undefined>, times = Number.POSITIVE_INFINITY): () => number {
  let hits = 0;
  lab.faults.kubernetes = (method, path) => {
    if (method !== 'GET' || !/\/ingresses\?.*continue=/.test(path) || hits >= times) return undefined;
    hits += 1;
    return fault;
  };
  return () => hits;
}

test('a list whose second page cannot be read ends the run: nothing is taken for deleted, nothing is written', async () => {
  // Lost events, so that there is something to do, and something that looks deleted.
  const fourth = ingress('four', ['four.test / echo 80']);
  await unseen(lab, 1, () => lab.cluster.apply(...manifests(fourth)));
  const [earlier, writes] = [await rows(lab), lab.writes.length];
  for (const [fault, code] of [
    [403, 'KUBERNETES_FORBIDDEN'],
    [410, 'KUBERNETES_LIST_EXPIRED'],
  ] as const) {
    const hits = secondPage(fault);
    const from = lab.log.length;
    await rejectsWith(code, reconcile(lab));
    assert.ok(hits() > 0);
    assert.deepEqual(codes(lab, from), [code]);
  }
  assert.deepEqual(await rows(lab), earlier);
  assert.equal(lab.writes.length, writes);

  const hits = secondPage('cut', 2);
  await reconcile(lab);
  assert.equal(hits(), 2);
  heal(lab);
  await served(lab, 'four.test');
  await assertUnharmed();
});

test('while lists fail, events are worked off; an object that may not be read is not taken for gone', async () => {
  secondPage(500);
  const lists = lab.faults.kubernetes;
  lab.faults.kubernetes = (method, path) =>
    method === 'GET' && path.includes('/ingresses/one') ? 403 : lists(method, path);
  const from = lab.log.length;
  const listing = rejectsWith('KUBERNETES_UNAVAILABLE', reconcile(lab));
  const earlier = await rows(lab);
  await apply(lab, ingress('one', ['one.test / echo 80', 'one.test /moved echo 80']));
  assert.deepEqual(codes(lab, from), ['KUBERNETES_FORBIDDEN']);
  assert.deepEqual(await rows(lab), earlier);
  await served(lab, 'one.test');
  lab.faults.kubernetes = lists;
  await redeliver(lab);
  await apply(lab, ingress('five', ['five.test / echo 80']));
  await served(lab, 'five.test');
  await listing;
  heal(lab);
  await assertUnharmed();
});

test('PostgreSQL goes and comes back: messages wait, data planes serve on, the schedules say what is wrong', async () => {
  const { postgres } = lab.stack.kong;
  assert.ok(postgres !== undefined);
  await postgres.stop();
  try {
    const from = lab.log.length;
    await apply(lab, ingress('six', ['six.test / echo 80']));
    assert.deepEqual(codes(lab, from), ['INDEX_UNAVAILABLE']);
    await rejectsWith('INDEX_UNAVAILABLE', reconcile(lab));
    await rejectsWith('INDEX_UNAVAILABLE', lab.stack.cloud.tick('converge'));
    await served(lab, 'one.test');
  } finally {
    await postgres.start();
  }
  await redeliver(lab);
  await served(lab, 'six.test');
  await assertUnharmed();
});

test('PostgreSQL goes in the middle of writing: what was written is found again, the rest follows', async () => {
  const { postgres } = lab.stack.kong;
  assert.ok(postgres !== undefined);
  let stopping: Promise<void> | undefined;
  lab.faults.kong = (method) => {
    if (method !== 'GET') stopping ??= postgres.stop();
    return undefined;
  };
  const from = lab.log.length;
  const names = ['seven', 'eight', 'nine'];
  await apply(lab, ...names.map((name) => ingress(name, [`${name}.test / echo 80`])));
  assert.match(codes(lab, from).join(), /^(KONG_[A-Z_]+|INDEX_UNAVAILABLE|LOCK_LOST)$/);
  await stopping;
  await postgres.start();
  heal(lab);
  await redeliver(lab);
  for (const name of names) await served(lab, `${name}.test`);
  await assertUnharmed();
});

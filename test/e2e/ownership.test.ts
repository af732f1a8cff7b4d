import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { ingress } from '../support/manifests.ts';
import { apply, findings, reconcile, remove, served, unseen } from './act.ts';
import { startLab, type Lab } from './lab.ts';
import { foundation, manifests } from './objects.ts';
import { admin, assertDesired, FILTER_TAG, foreign, plantForeign, rows } from './state.ts';

let lab: Lab;
let theirs: readonly string[];
const NAMES = Array.from({ length: 16 }, (_, n) => `web-${n}`);
const INGRESSES = NAMES.map((name) => ingress(name, [`${name}.test / echo 80`]));
before(async () => {
  lab = await startLab();
  theirs = await plantForeign(lab);
  await apply(lab, ...foundation(lab), ...INGRESSES);
  await served(lab, 'web-15.test');
});
after(() => lab.stop());

/** The route of an Ingress with one path. */
const route = (name: string): string => `/routes/default.${name}.echo.${name}.test.80`;

async function idOf(path: string): Promise<string> {
  return String((await admin(lab, 'GET', path))['id']);
}

test('what somebody changed or deleted in Kong is repaired by exactly the writes that takes', async () => {
  await admin(lab, 'PATCH', '/services/default.echo.80', { retries: 1 });
  await admin(lab, 'PATCH', route('web-1'), { hosts: ['elsewhere.test'] });
  const lost = await idOf(route('web-2'));
  await admin(lab, 'DELETE', route('web-2'));
  // Written, but not changed: nothing to repair, nothing to write.
  await admin(lab, 'PATCH', route('web-3'), { hosts: ['web-3.test'] });
  await served(lab, 'web-2.test', 404);
  const [service, changed] = [await idOf('/services/default.echo.80'), await idOf(route('web-1'))];
  const [earlier, writes] = [await rows(lab), lab.writes.length];

  await reconcile(lab);
  const expected = [`PUT /routes/${changed}`, `PUT /routes/${lost}`, `PUT /services/${service}`];
  assert.deepEqual(lab.writes.slice(writes).toSorted(), expected.toSorted());
  const now = await rows(lab);
  const touched = new Set(expected.map((write) => write.replace('PUT /', '')));
  for (const [key, row] of earlier) if (!touched.has(key)) assert.deepEqual(now.get(key), row, key);
  for (const name of ['web-1', 'web-2', 'web-3']) await served(lab, `${name}.test`);
  await assertDesired(lab);
  await reconcile(lab);
  assert.deepEqual(await rows(lab), now);
});

test('an entity of ours that nobody proposes is deleted; one without the tag never is', async () => {
  await admin(lab, 'POST', '/upstreams', { name: 'orphan', tags: [FILTER_TAG, 'team-b'] });
  await admin(lab, 'POST', '/upstreams', { name: 'alike', tags: ['managed-by-ingress-controllers'] });
  const writes = lab.writes.length;
  await reconcile(lab);
  assert.equal(lab.writes.length, writes + 1);
  await assertDesired(lab);
  assert.equal((await foreign(lab)).length, theirs.length + 1);
  await admin(lab, 'DELETE', '/upstreams/alike');
});

test('an entity that lost the tag is left alone, also when its object goes', async () => {
  const from = lab.log.length;
  const name = route('web-4');
  await admin(lab, 'PATCH', name, { tags: ['taken-over'] });
  const taken = await foreign(lab);
  await reconcile(lab);
  assert.deepEqual(findings(lab, from), ['KongEntityNotOurs Ingress default/web-4']);
  await remove(lab, ingress('web-4', []));
  await reconcile(lab);
  assert.deepEqual(await foreign(lab), taken);
  await served(lab, 'web-4.test');
  await admin(lab, 'DELETE', name);
});

test('very many deletes at once are held back until somebody insists', async () => {
  const gone = INGRESSES.filter((_, n) => n > 5);
  await unseen(lab, gone.length, () => lab.cluster.remove(...manifests(...gone)));
  await unseen(lab, 1, () => lab.cluster.apply(...manifests(ingress('web-0', ['web-0.test /moved echo 80']))));
  const from = lab.log.length;
  const report = await reconcile(lab);
  assert.equal(report['braked'], gone.length);
  assert.ok(lab.log.slice(from).some((record) => record['level'] === 'ERROR' && record['function'] === 'reconcile'));
  await served(lab, 'web-15.test');
  // What is no delete is done all the same.
  await served(lab, 'web-0.test', 200, '/moved');

  assert.equal((await reconcile(lab, true))['braked'], 0);
  await served(lab, 'web-15.test', 404);
  await served(lab, 'web-1.test');
  await assertDesired(lab);
  assert.deepEqual(await foreign(lab), theirs);
});

import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { until } from '../../infra/local/demo/meter.ts';
import { ingress, service } from '../support/manifests.ts';
import { auditEvent, auditList } from '../webhook/payloads.ts';
import { apply, attempted, changed, codes, findings, reconcile, served, sync, unseen } from './act.ts';
import { type Lab } from './lab.ts';
import { manifests } from './objects.ts';
import { assertDesired, foreign, rows } from './state.ts';
import { steadyLab } from './steady.ts';

let lab: Lab;
let theirs: readonly string[];
before(async () => {
  ({ lab, theirs } = await steadyLab());
});
after(() => lab.stop());

type Verb = 'create' | 'patch' | 'delete';

/** RFC 3339: older than the webhook's window an event would be taken for a replay. */
function secondsAgo(seconds: number): string {
  return new Date(Date.now() - seconds * 1_000).toISOString();
}

/** An audit event about an Ingress of the namespace `default`, as the API server's webhook sends it. */
function audited(verb: Verb, name: string, resourceVersion: string): Record<string, unknown> {
  const metadata = { name, namespace: 'default', resourceVersion };
  return auditEvent(
    { verb, responseObject: { metadata }, stageTimestamp: secondsAgo(60 - Number(resourceVersion)) },
    { name, namespace: 'default', resourceVersion: undefined, uid: undefined },
  );
}

async function send(...events: readonly unknown[]): Promise<void> {
  const { url, token } = lab.stack.webhook;
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify(auditList(...events)),
  });
  assert.ok(response.ok, String(response.status));
}

test('the same event five times, at once and one after the other, changes no row and sends no write', async () => {
  const steady = audited('patch', 'steady', '1');
  const [earlier, writes] = [await rows(lab), lab.writes.length];
  const { published, invocations } = lab.stack.cloud.counters();
  await attempted(lab, () => Promise.all([send(steady), send(steady), send(steady)]));
  await attempted(lab, () => send(steady));
  await attempted(lab, () => send(steady));
  assert.equal(lab.stack.cloud.counters().published - published, 5);
  assert.ok((lab.stack.cloud.counters().invocations['sync'] ?? 0) - (invocations['sync'] ?? 0) >= 3);
  assert.deepEqual(await rows(lab), earlier);
  assert.equal(lab.writes.length, writes);
});

test('reconcile without anything to do sends nothing to the Admin API and changes no row', async () => {
  await reconcile(lab);
  const [earlier, writes] = [await rows(lab), lab.writes.length];
  let asked = 0;
  lab.faults.kong = () => {
    asked += 1;
    return undefined;
  };
  await reconcile(lab);
  await reconcile(lab, true);
  assert.equal(asked, 0);
  assert.deepEqual(await rows(lab), earlier);
  assert.equal(lab.writes.length, writes);
});

test('events in reverse order end as they would in order', async () => {
  const [born, moved] = ['old', 'new'].map((path) => ingress('gone', [`gone.test /${path} echo 80`]));
  const [first, last] = ['old', 'new'].map((path) => ingress('kept', [`kept.test /${path} echo 80`]));
  assert.ok(born !== undefined && moved !== undefined && first !== undefined && last !== undefined);
  await unseen(lab, 5, async () => {
    await lab.cluster.apply(...manifests(born, first, moved, last));
    await lab.cluster.remove(...manifests(born));
  });
  const from = lab.log.length;
  for (const [verb, version] of [
    ['delete', '3'],
    ['patch', '2'],
    ['create', '1'],
  ] as const) {
    const kept = verb === 'delete' ? [] : [audited(verb, 'kept', version)];
    await attempted(lab, () => send(audited(verb, 'gone', version), ...kept));
  }
  await served(lab, 'kept.test', 200, '/new');
  await served(lab, 'kept.test', 404, '/old');
  await served(lab, 'gone.test', 404, '/new');
  await assertDesired(lab);
  assert.deepEqual([findings(lab, from), codes(lab, from)], [[], []]);
});

test('syncs and a reconcile at once write each entity once', async () => {
  const many = Array.from({ length: 8 }, (_, n) => ingress(`many-${n}`, [`many-${n}.test / echo 80`]));
  const retried = service('echo', 80, { 'konghq.com/retries': '2' });
  const all = [...many, retried];
  await unseen(lab, all.length, () => lab.cluster.apply(...manifests(...all)));
  const [earlier, writes] = [await rows(lab), lab.writes.length];
  const parts = [many.slice(0, 4), [...many.slice(2, 6), retried], [...many.slice(4), retried]];
  const runs = parts.map((part) => sync(lab, ...part.map((object) => changed(object))));
  const [failed] = await Promise.all([Promise.all(runs), reconcile(lab)]);
  assert.deepEqual(failed, [0, 0, 0]);
  const sent = lab.writes.slice(writes);
  assert.equal(new Set(sent).size, sent.length, sent.toSorted().join('\n'));
  assert.equal(sent.length, many.length + 1);
  const kept = [...earlier].filter(([key, { managed }]) => managed && !key.startsWith('services/'));
  const now = await rows(lab);
  for (const [key, row] of kept) assert.deepEqual(now.get(key), row, key);
  await assertDesired(lab);
});

test('a lost event is found by reconcile, and a refused delivery comes again', async () => {
  await unseen(lab, 1, () => lab.cluster.apply(...manifests(ingress('lost', ['lost.test / echo 80']))));
  await served(lab, 'lost.test', 404);
  await reconcile(lab);
  await served(lab, 'lost.test');

  lab.stack.cloud.failNextEntries(1);
  lab.stack.cloud.failNextDeliveries(1);
  await apply(lab, ingress('refused', ['refused.test / echo 80']));
  await until('the refused event', 30_000, () => (lab.stack.cloud.counters().failedEntries > 0 ? true : undefined));
  await served(lab, 'refused.test');
  await assertDesired(lab);
  assert.deepEqual(await foreign(lab), theirs);
});

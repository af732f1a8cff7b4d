import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import type { Faults } from '../../infra/local/kong/index.ts';
import { ingress } from '../support/manifests.ts';
import { apply, codes, findings, redeliver, remove, served } from './act.ts';
import { heal, type Lab } from './lab.ts';
import { foundation } from './objects.ts';
import { admin, assertDesired, foreign, translated } from './state.ts';
import { steadyLab } from './steady.ts';

let lab: Lab;
let theirs: readonly string[];
before(async () => {
  ({ lab, theirs } = await steadyLab());
});
after(() => lab.stop());

type Fault = Exclude<ReturnType<Faults>, undefined>;

/** The route that an Ingress becomes. */
async function routePath(name: string): Promise<string> {
  const entities = await translated([...foundation(lab), ingress(name, [`${name}.test / echo 80`])]);
  const route = entities.find((entity) => entity.type === 'routes');
  assert.ok(route !== undefined);
  return `/routes/${route.id}`;
}

/** Lets writes of these paths fail, the first `times` ones of each; gives how often each has failed. */
function failing(faults: ReadonlyMap<string, Fault>, times = Number.POSITIVE_INFINITY): () => readonly number[] {
  const hits = new Map([...faults.keys()].map((path) => [path, 0]));
  lab.faults.kong = (method, path) => {
    const failed = hits.get(path) ?? 0;
    if (method === 'GET' || !faults.has(path) || failed >= times) return undefined;
    hits.set(path, failed + 1);
    return faults.get(path);
  };
  return () => [...hits.values()];
}

type Named = readonly (readonly [name: string, fault: Fault])[];

async function byRoute(named: Named): Promise<ReadonlyMap<string, Fault>> {
  return new Map(await Promise.all(named.map(async ([name, fault]) => [await routePath(name), fault] as const)));
}

function ingresses(names: readonly string[], corrected = false): readonly ReturnType<typeof ingress>[] {
  const annotations = { 'konghq.com/tags': corrected ? 'corrected' : 'new' };
  return names.map((name) => ingress(name, [`${name}.test / echo 80`], { annotations }));
}

async function assertUnharmed(): Promise<void> {
  await assertDesired(lab);
  assert.deepEqual(await foreign(lab), theirs);
  assert.deepEqual(lab.stack.cloud.deadLetters(), []);
}

const AT_ONCE = { 'retry-after': '0' };
const SCHEMA = { message: 'schema violation (hosts: invalid)', name: 'schema violation', code: 2 };
const UNIQUE = { message: 'UNIQUE violation', name: 'unique constraint violation', code: 5, fields: {} };

test('an entity that Kong refuses waits alone, with a finding, until its object changes', async () => {
  const refused: Named = [
    ['bad-400', { status: 400, body: SCHEMA }],
    ['bad-409', { status: 409, body: UNIQUE }],
    ['bad-413', { status: 413, body: { message: 'Payload too large' } }],
    ['bad-500', { status: 500, headers: AT_ONCE }],
  ];
  const names = refused.map(([name]) => name);
  const hits = failing(await byRoute(refused));
  const from = lab.log.length;
  await apply(lab, ...ingresses([...names, 'beside']));
  assert.deepEqual(
    findings(lab, from),
    names.map((name) => `KongRejected Ingress default/${name}`),
  );
  assert.deepEqual(codes(lab, from), []);
  const [, , , tries = 0] = hits();
  assert.deepEqual(hits().slice(0, 3), [1, 1, 1]);
  assert.ok(tries > 1, 'an answer that may pass was taken for the last word');
  for (const host of ['beside.test', 'steady.test']) await served(lab, host);
  for (const name of names) await served(lab, `${name}.test`, 404);

  await apply(lab, ...ingresses(['later']));
  await served(lab, 'later.test');
  heal(lab);
  await apply(lab, ...ingresses(names, true));
  for (const name of names) await served(lab, `${name}.test`);
  await assertUnharmed();
});

test('an answer that passes is waited for, and nobody notices', async () => {
  const passing: Named = [
    ['slow-429', { status: 429, headers: AT_ONCE }],
    ['slow-500', { status: 500, headers: AT_ONCE }],
    ['slow-503', { status: 503, headers: AT_ONCE }],
    ['slow-cut', 'cut'],
    ['slow-cut-after', 'cut-after'],
  ];
  const names = passing.map(([name]) => name);
  const hits = failing(await byRoute(passing), 2);
  const from = lab.log.length;
  await apply(lab, ...ingresses(names));
  assert.deepEqual(hits(), [2, 2, 2, 2, 2]);
  assert.deepEqual([findings(lab, from), codes(lab, from)], [[], []]);
  for (const name of names) await served(lab, `${name}.test`);
  heal(lab);
  await assertUnharmed();
});

const OUTAGES: Named = [
  ['429', { status: 429, headers: AT_ONCE }],
  ['503', { status: 503, headers: AT_ONCE }],
  ['cut', 'cut'],
  ['cut-after', 'cut-after'],
];

for (const [name, fault] of OUTAGES) {
  test(`Kong out of reach (${name}): messages wait, nothing is lost, data planes serve on`, async () => {
    lab.faults.kong = () => fault;
    const from = lab.log.length;
    const moved = ingress('steady', ['steady.test / echo 80', `moved.test /${name} echo 80`]);
    await apply(lab, moved, ...ingresses([`new-${name}`]));
    assert.deepEqual(codes(lab, from), ['KONG_WRITE_INTERRUPTED']);
    await served(lab, 'steady.test');
    heal(lab);
    await redeliver(lab);
    await served(lab, `new-${name}.test`);
    await served(lab, 'moved.test', 200, `/${name}`);
    await assertUnharmed();
  });
}

test('a name that somebody else has in Kong stays theirs', async () => {
  const name = 'default.taken.echo.taken.test.80';
  await admin(lab, 'POST', '/services/theirs/routes', { name, hosts: ['theirs-too.example'] });
  const earlier = await foreign(lab);
  const from = lab.log.length;
  const taken = ingress('taken', ['taken.test / echo 80']);
  await apply(lab, taken, ingress('beside', ['beside.test / echo 80']));
  assert.deepEqual(findings(lab, from), ['KongEntityNotOurs Ingress default/taken']);
  await served(lab, 'beside.test');
  assert.deepEqual(await foreign(lab), earlier);
  await remove(lab, taken);
  assert.deepEqual(await foreign(lab), earlier);
  await admin(lab, 'DELETE', `/routes/${name}`);
  await assertUnharmed();
});

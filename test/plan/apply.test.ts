import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AppError } from '../../shared/errors.ts';
import type { ActualState, Holder } from '../../shared/kong/actual.ts';
import type { Pacer } from '../../shared/kong/pacer.ts';
import type { AdminClient, Written } from '../../shared/kong/admin.ts';
import type { Child } from '../../shared/kong/children.ts';
import type { Body, EntityType } from '../../shared/kong/entities.ts';
import type { KongRoot } from '../../shared/kong/root.ts';
import type { ObjectRef } from '../../shared/kubernetes/resources.ts';
import { apply, ApplyInterrupted } from '../../shared/plan/apply.ts';
import type { Change, Plan } from '../../shared/plan/types.ts';

const ROOT: ObjectRef = {
  cluster: 'test',
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'Ingress',
  namespace: 'default',
  name: 'shop',
};

function write(type: EntityType, id: string, body: Body = {}, action: 'create' | 'update' = 'create'): Change {
  return {
    action,
    desired: { slot: `${type}/${id}`, entity: { type, id, body, tags: ['ours'] }, hash: id, root: ROOT },
  };
}

function remove(type: EntityType, id: string): Change {
  return { action: 'delete', current: { type, id, slot: `${type}/${id}` } };
}

const plan = (...levels: readonly (readonly Change[])[]): Plan => ({ levels, withheld: [] });
const idOf = (change: Change): string => (change.action === 'delete' ? change.current.id : change.desired.entity.id);
const ok: Written = { ok: true, body: {} };
const refused = (status: number, code?: number): Written => ({
  ok: false,
  rejection: { status, code, name: 'schema violation', fields: ['host'], message: 'schema violation (host: bad)' },
});

const KONG: KongRoot = {
  nodeId: 'n',
  version: '3.9.3',
  edition: 'community',
  role: 'traditional',
  database: 'postgres',
  routerFlavor: 'traditional_compatible',
  dbUpdateFrequency: 5,
  dbUpdatePropagation: 0,
  workerStateUpdateFrequency: 5,
  workerConsistency: 'eventual',
  readOnlyHost: undefined,
  clusterMaxPayload: undefined,
  databaseAddress: undefined,
  plugins: [],
  pluginVersions: new Map(),
};

interface Fakes {
  /** Kong fails on everything. */
  readonly down?: boolean;
  /** Answers by `METHOD type id`; 2xx unless given. An Error is thrown. */
  readonly answers?: Readonly<Record<string, Written | Error>>;
  readonly snis?: ReadonlyMap<string, readonly string[]>;
  readonly upstreams?: ReadonlyMap<string, string>;
  readonly holders?: ReadonlyMap<string, Holder>;
  readonly children?: readonly Child[];
}

interface Fake {
  readonly calls: string[];
  readonly bodies: Map<string, Body>;
  /** The most requests at the same time. */
  readonly peak: () => number;
  readonly admin: AdminClient;
  readonly actual: ActualState;
  readonly concurrency: number;
}

function unused(): never {
  throw new Error('apply does not need this');
}

function fake(fakes: Fakes = {}, concurrency = 4): Fake {
  const calls: string[] = [];
  const bodies = new Map<string, Body>();
  let running = 0;
  let peak = 0;
  const request = async (call: string, body: Body = {}): Promise<Written> => {
    calls.push(call);
    bodies.set(call, body);
    running += 1;
    peak = Math.max(peak, running);
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
    const answer = fakes.answers?.[call] ?? ok;
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const admin: AdminClient = {
    put: (type, id, body) => request(`PUT ${type} ${id}`, body),
    createTarget: (upstream, body) => request(`POST target ${upstream} ${JSON.stringify(body.id).slice(1, -1)}`, body),
    updateTarget: (upstream, id, body) => request(`PATCH target ${upstream} ${id}`, body),
    remove: (type, id, upstream) => request(`DELETE ${type} ${upstream === undefined ? '' : `${upstream} `}${id}`),
    get: unused,
    list: unused,
    root: () =>
      fakes.down === true ? Promise.reject(new AppError('KONG_UNAVAILABLE', 'root failed')) : Promise.resolve(KONG),
    schema: unused,
    validate: unused,
    requests: () => calls.length,
    close: () => undefined,
  };
  const actual: ActualState = {
    versions: unused,
    lacks: unused,
    managed: unused,
    targets: unused,
    findUnique: () => Promise.resolve(fakes.holders ?? new Map()),
    snisOf: (ids) => Promise.resolve(new Map([...(fakes.snis ?? [])].filter(([id]) => ids.includes(id)))),
    upstreamsOf: (ids) => Promise.resolve(new Map([...(fakes.upstreams ?? [])].filter(([id]) => ids.includes(id)))),
    children: (refs) =>
      Promise.resolve((fakes.children ?? []).filter((child) => refs.some((ref) => ref.id === child.parentId))),
  };
  return { calls, bodies, peak: () => peak, admin, actual, concurrency };
}

test('levels are written one after the other, inside a level at most as many at once as allowed', async () => {
  const services = Array.from({ length: 9 }, (_item, n) => write('services', `s${n}`));
  const kong = fake({}, 3);
  const outcome = await apply(plan([write('upstreams', 'u')], [], services, [write('routes', 'r')]), kong);
  assert.deepEqual(kong.calls, [
    'PUT upstreams u',
    ...services.map((item) => `PUT services ${idOf(item)}`),
    'PUT routes r',
  ]);
  assert.equal(kong.peak(), 3);
  assert.equal(outcome.applied.length, 11);
  assert.equal(outcome.requests, 11);
  assert.deepEqual(kong.bodies.get('PUT upstreams u'), { tags: ['ours'] });
});

test('a refusal leaves out what refers to it and nothing else, with findings on the root', async () => {
  const kong = fake({ answers: { 'PUT services bad': refused(400, 2) } });
  const outcome = await apply(
    plan(
      [write('services', 'bad'), write('services', 'good')],
      [write('routes', 'r-bad', { service: { id: 'bad' } }), write('routes', 'r-good', { service: { id: 'good' } })],
      [write('plugins', 'p-bad', { route: { id: 'r-bad' } }), write('plugins', 'p-good', { route: { id: 'r-good' } })],
    ),
    kong,
  );
  assert.deepEqual(outcome.applied.map(idOf), ['good', 'r-good', 'p-good']);
  assert.deepEqual(
    outcome.rejected.map(({ change, finding }) => [idOf(change), finding.reason, finding.object]),
    [
      ['bad', 'KongRejected', ROOT],
      ['r-bad', 'KongDependencyRejected', ROOT],
      ['p-bad', 'KongDependencyRejected', ROOT],
    ],
  );
  assert.match(outcome.rejected[0]?.finding.message ?? '', /services bad.*host/);
  assert.ok(!kong.calls.some((call) => /r-bad|p-bad/.test(call)));
});

test('a service that trusts a rejected CA certificate is left out', async () => {
  const kong = fake({ answers: { 'PUT ca_certificates ca': refused(400, 2) } });
  const outcome = await apply(
    plan([write('ca_certificates', 'ca')], [write('services', 's', { ca_certificates: ['ca'] })]),
    kong,
  );
  assert.deepEqual(
    outcome.rejected.map(({ finding }) => finding.reason),
    ['KongRejected', 'KongDependencyRejected'],
  );
});

test('a certificate is always put with the SNIs that Kong has on it', async () => {
  const kong = fake({ snis: new Map([['c1', ['a.test', 'b.test']]]) });
  await apply(plan([write('certificates', 'c1', { cert: 'x' }, 'update'), write('certificates', 'c2')]), kong);
  assert.deepEqual(kong.bodies.get('PUT certificates c1'), { cert: 'x', tags: ['ours'], snis: ['a.test', 'b.test'] });
  assert.deepEqual(kong.bodies.get('PUT certificates c2')?.snis, []);
});

const target = (action: 'create' | 'update'): Change =>
  write('targets', 't', { upstream: { id: 'u' }, target: '10.0.0.1:80', weight: 7 }, action);
const holder = (managed: boolean): ReadonlyMap<string, Holder> =>
  new Map([['t', { type: 'targets', id: 'there', xmin: '1', managed, adopts: true }]]);

const targets = [
  { title: 'is created by POST with its id', action: 'create', fakes: {}, calls: ['POST target u t'], done: 't' },
  { title: 'is changed by PATCH', action: 'update', fakes: {}, calls: ['PATCH target u t'], done: 't' },
  {
    title: 'that our own lost request made is updated',
    action: 'create',
    fakes: { answers: { 'POST target u t': refused(400, 3) } },
    calls: ['POST target u t', 'PATCH target u t'],
    done: 't',
  },
  {
    title: 'that vanished is created again',
    action: 'update',
    fakes: { answers: { 'PATCH target u t': refused(404) } },
    calls: ['PATCH target u t', 'POST target u t'],
    done: 't',
  },
  {
    title: 'of ours under another id is taken over',
    action: 'create',
    fakes: { answers: { 'POST target u t': refused(409, 5) }, holders: holder(true) },
    calls: ['POST target u t', 'PATCH target u there'],
    done: 'there',
  },
  {
    title: 'of somebody else is left alone',
    action: 'create',
    fakes: { answers: { 'POST target u t': refused(409, 5) }, holders: holder(false) },
    calls: ['POST target u t'],
    done: undefined,
  },
  {
    title: 'that Kong refuses is rejected',
    action: 'create',
    fakes: { answers: { 'POST target u t': refused(400, 2) } },
    calls: ['POST target u t'],
    done: undefined,
  },
] as const;

for (const { title, action, fakes, calls, done } of targets) {
  test(`a target ${title}`, async () => {
    const kong = fake(fakes);
    const outcome = await apply(plan([target(action)]), kong);
    assert.deepEqual(kong.calls, calls);
    assert.deepEqual(outcome.applied.map(idOf), done === undefined ? [] : [done]);
    assert.equal(outcome.rejected.length, done === undefined ? 1 : 0);
  });
}

test('a target is deleted below its upstream; one that went with it needs no request', async () => {
  const kong = fake({ upstreams: new Map([['t1', 'u1']]) });
  const outcome = await apply(plan([remove('targets', 't1'), remove('targets', 't2')]), kong);
  assert.deepEqual(kong.calls, ['DELETE targets u1 t1']);
  assert.deepEqual(outcome.applied.map(idOf).toSorted(), ['t1', 't2']);
});

const child = (more: Partial<Child>): Child => ({
  parentId: 'parent',
  table: 'plugins',
  id: 'child',
  managed: true,
  cascades: true,
  ...more,
});

const deletes = [
  { title: 'goes when nothing refers to it', children: [], sent: true },
  { title: 'goes with its own children', children: [child({})], sent: true },
  { title: 'stays when a child of somebody else would go with it', children: [child({ managed: false })], sent: false },
  { title: 'stays while something of ours blocks it', children: [child({ cascades: false })], sent: false },
  {
    title: 'stays while something foreign blocks it',
    children: [child({ cascades: false, managed: false })],
    sent: false,
  },
];

for (const { title, children, sent } of deletes) {
  test(`an entity ${title}`, async () => {
    const kong = fake({ children });
    const outcome = await apply(plan([remove('services', 'parent')]), kong);
    assert.deepEqual(kong.calls, sent ? ['DELETE services parent'] : []);
    assert.deepEqual(
      outcome.rejected.map(({ finding }) => finding.reason),
      sent ? [] : ['KongEntityInUse'],
    );
  });
}

const pointed = child({ id: 'r', table: 'routes', cascades: false });

const moves = [
  { title: 'deleted in the same plan', before: remove('routes', 'r'), refused: false, sent: true },
  {
    title: 'pointed elsewhere in the same plan',
    before: write('routes', 'r', { service: { id: 'other' } }, 'update'),
    refused: false,
    sent: true,
  },
  {
    title: 'written and still pointing there',
    before: write('routes', 'r', { service: { id: 'parent' } }, 'update'),
    refused: false,
    sent: false,
  },
  { title: 'that Kong refused to delete', before: remove('routes', 'r'), refused: true, sent: false },
];

for (const { title, before, refused: no, sent } of moves) {
  test(`a service whose route is ${title} ${sent ? 'goes' : 'stays'}`, async () => {
    const kong = fake({ children: [pointed], answers: no ? { 'DELETE routes r': refused(400) } : {} });
    await apply(plan([before], [remove('services', 'parent')]), kong);
    assert.equal(kong.calls.includes('DELETE services parent'), sent);
  });
}

test('an orphan’s finding names the entity itself, a root’s names the root', async () => {
  const kong = fake({ answers: { 'DELETE routes a': refused(400), 'DELETE routes b': refused(400) } });
  const withRoot: Change = { action: 'delete', current: { type: 'routes', id: 'b', slot: 'routes/b', root: ROOT } };
  const outcome = await apply(plan([remove('routes', 'a'), withRoot]), kong);
  assert.deepEqual(outcome.rejected.map(({ finding }) => `${finding.object.kind} ${finding.object.name}`).toSorted(), [
    'Ingress shop',
    'routes a',
  ]);
});

test('an entity that Kong fails on is left out while Kong is well, and ends the run when it is not', async () => {
  const answers = { 'PUT services bad': new AppError('KONG_UNAVAILABLE', 'PUT still answered 500') };
  const planned = plan(
    [write('services', 'bad'), write('services', 'good')],
    [write('routes', 'r', { service: { id: 'bad' } })],
  );
  const outcome = await apply(planned, fake({ answers }));
  assert.deepEqual(outcome.applied.map(idOf), ['good']);
  assert.deepEqual(
    outcome.rejected.map(({ finding }) => finding.reason),
    ['KongRejected', 'KongDependencyRejected'],
  );
  await assert.rejects(apply(planned, fake({ answers, down: true })), ApplyInterrupted);
});

test('an unreachable Kong ends the run with what was written until then', async () => {
  const gone = new AppError('KONG_UNREACHABLE', 'no route to Kong');
  const kong = fake({ answers: { 'PUT services s2': gone } }, 1);
  const three = [write('services', 's1'), write('services', 's2'), write('services', 's3')];
  await assert.rejects(apply(plan(three, [write('routes', 'r')]), kong), (error: unknown) => {
    assert.ok(error instanceof ApplyInterrupted);
    assert.equal(error.code, 'KONG_WRITE_INTERRUPTED');
    assert.equal(error.info.retryable, true);
    assert.equal(error.cause, gone);
    assert.deepEqual(error.outcome.applied.map(idOf), ['s1']);
    assert.equal(error.outcome.requests, 2);
    return true;
  });
  assert.deepEqual(kong.calls, ['PUT services s1', 'PUT services s2']);
});

test('writes under way when another one fails are waited for and counted', async () => {
  const kong = fake({ answers: { 'PUT services s0': new AppError('KONG_UNREACHABLE', 'gone') } }, 3);
  const level = Array.from({ length: 6 }, (_item, n) => write('services', `s${n}`));
  await assert.rejects(apply(plan(level), kong), (error: unknown) => {
    assert.ok(error instanceof ApplyInterrupted);
    assert.deepEqual(
      error.outcome.applied.map(idOf),
      kong.calls.slice(1).map((call) => call.split(' ')[2]),
    );
    return true;
  });
});

test('hooks: asked before every level that writes, told of every write; a lost lock stops the rest', async () => {
  const told: string[] = [];
  const levels: number[] = [];
  const kong = fake();
  const hooks = {
    beforeLevel: async (level: readonly Change[]) => {
      levels.push(level.length);
      if (levels.length === 2) throw new AppError('KONG_UNREACHABLE', 'lock lost');
    },
    applied: async (change: Change) => void told.push(idOf(change)),
  };
  await assert.rejects(
    apply(plan([], [write('services', 's')], [write('routes', 'r')]), kong, hooks),
    ApplyInterrupted,
  );
  assert.deepEqual(levels, [1, 1]);
  assert.deepEqual(told, ['s']);
  assert.deepEqual(kong.calls, ['PUT services s']);
});

test('every change is either applied or rejected, whatever Kong refuses', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.array(fc.record({ parent: fc.nat(30), refuse: fc.boolean(), gone: fc.boolean() }), { maxLength: 8 }),
        {
          maxLength: 4,
        },
      ),
      fc.integer({ min: 1, max: 5 }),
      async (shape, concurrency) => {
        const answers: Record<string, Written> = {};
        const ids: string[] = [];
        const levels = shape.map((level, l) => {
          const changes = level.map(({ parent, refuse, gone }, n): Change => {
            const id = `${l}-${n}`;
            if (refuse) answers[`${gone ? 'DELETE' : 'PUT'} routes ${id}`] = refused(400, 2);
            const service = ids[parent % Math.max(1, ids.length)];
            return gone
              ? remove('routes', id)
              : write('routes', id, service === undefined ? {} : { service: { id: service } });
          });
          ids.push(...changes.filter((change) => change.action !== 'delete').map(idOf));
          return changes;
        });
        const outcome = await apply(plan(...levels), fake({ answers }, concurrency));
        const seen = [...outcome.applied.map(idOf), ...outcome.rejected.map(({ change }) => idOf(change))];
        assert.deepEqual(seen.toSorted(), levels.flat().map(idOf).toSorted());
        const applied = new Set(outcome.applied.map(idOf));
        for (const change of outcome.applied) {
          const service = change.action === 'delete' ? undefined : change.desired.entity.body.service;
          const parent = typeof service === 'object' && service !== null && 'id' in service ? service.id : undefined;
          if (typeof parent === 'string')
            assert.ok(applied.has(parent), `${idOf(change)} was written without ${parent}`);
        }
      },
    ),
    { numRuns: 300 },
  );
});

/** A pacer that lets everything through, and whose runs end with these ids unannounced. */
function pacerOf(...ends: readonly (readonly string[])[]): Pacer & { readonly log: string[] } {
  const log: string[] = [];
  const left = [...ends];
  return {
    log,
    admit: () => {
      log.push('admit');
      return Promise.resolve(log.length);
    },
    wrote: ({ type, id }) => void log.push(`${type} ${id}`),
    settle: () => Promise.resolve((left.shift() ?? []).map((id) => ({ type: 'routes' as const, id }))),
  };
}

test('every request waits for the pacer, and what Kong took is told to it', async () => {
  const kong = fake({ answers: { 'PUT services bad': refused(400, 2) } }, 1);
  const pace = pacerOf();
  await apply(plan([write('services', 'bad'), write('services', 'good')], [write('routes', 'r')]), { ...kong, pace });
  assert.deepEqual(pace.log, ['admit', 'admit', 'services good', 'admit', 'routes r']);
});

test('what Kong has not announced is written once more', async () => {
  const kong = fake();
  const levels = plan([write('routes', 'a'), write('routes', 'b')]);
  const outcome = await apply(levels, { ...kong, pace: pacerOf(['b']) });
  assert.deepEqual(kong.calls, ['PUT routes a', 'PUT routes b', 'PUT routes b']);
  assert.deepEqual(outcome.applied.map(idOf), ['a', 'b']);
});

for (const { title, changes, ends } of [
  { title: 'a write that is not announced either time', changes: [write('routes', 'a')], ends: [['a'], ['a']] },
  { title: 'a delete that is not announced', changes: [remove('routes', 'a')], ends: [['a'], []] },
]) {
  test(`${title} is KONG_EVENTS_LOST, and what was written stays known`, async () => {
    await assert.rejects(apply(plan(changes), { ...fake(), pace: pacerOf(...ends) }), (error: unknown) => {
      assert.ok(error instanceof ApplyInterrupted);
      assert.ok(error.cause instanceof AppError && error.cause.code === 'KONG_EVENTS_LOST');
      assert.equal(error.outcome.applied.length, 1);
      return true;
    });
  });
}

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import pg from 'pg';
import { checkAgain, pauseAfter } from '../../shared/convergence/again.ts';
import { announceVerdicts, changedTroubles } from '../../shared/convergence/announce.ts';
import type { Converged } from '../../shared/convergence/converge.ts';
import { rememberVerdicts } from '../../shared/convergence/remember.ts';
import type { DataPlaneState, Verdict } from '../../shared/convergence/types.ts';
import { AppError } from '../../shared/errors.ts';
import { migrate } from '../../shared/index/migrate.ts';
import type { Publisher } from '../../shared/publish.ts';
import { temporaryPostgres } from '../support/postgres.ts';
import type { TemporaryPostgres } from '../support/postgres.ts';

let server: TemporaryPostgres;
let index: pg.Pool;
let published: { readonly type: string; readonly detail: Readonly<Record<string, unknown>> }[];

const publisher: Publisher = {
  publishChanges: async () => 0,
  publishReconcileRequests: async () => 0,
  publishOutcome: async (type, detail) => void published.push({ type, detail: { ...detail } }),
};

before(async () => {
  server = await temporaryPostgres();
  index = new pg.Pool({ connectionString: server.url, max: 4 });
  index.on('error', () => undefined);
  await migrate(index);
});

beforeEach(async () => {
  published = [];
  await index.query(
    'TRUNCATE kong_ingress.verdicts, kong_ingress.runs, kong_ingress.revisions, kong_ingress.next_check RESTART IDENTITY',
  );
});

after(async () => {
  await index.end();
  await server.stop();
});

function verdict(node: string, state: DataPlaneState): Verdict {
  const proof = state === 'converged' ? ('stored' as const) : undefined;
  return {
    node,
    name: node,
    state,
    revision: undefined,
    evidence: 'agreement',
    proof,
    marginMs: undefined,
    sinceWriteMs: undefined,
    reason: `it is ${state}`,
  };
}

function found(states: Readonly<Record<string, DataPlaneState>>, more: Partial<Converged> = {}): Converged {
  const verdicts = Object.entries(states).map(([node, state]) => verdict(node, state));
  return { topology: 'hybrid', verdicts, newest: undefined, converged: [], proven: undefined, warnings: [], ...more };
}

/** A run of converge that found this; gives the events that it published. */
async function run(result: Converged, bus = publisher): Promise<readonly string[]> {
  const told = published.length;
  await rememberVerdicts(index, result);
  await announceVerdicts(index, result, bus);
  return published.slice(told).map(({ type, detail }) => `${type} ${String(detail['name'])}`);
}

test('a trouble is told once, when it begins, and again only after it was over', async () => {
  assert.deepEqual(await run(found({ a: 'converged', b: 'partitioned' })), ['DataPlaneLost b']);
  assert.deepEqual(await run(found({ a: 'converged', b: 'partitioned' })), []);
  assert.deepEqual(await run(found({ a: 'rejecting', b: 'partitioned' })), ['DataPlaneDiverged a']);
  assert.deepEqual(await run(found({ a: 'rejecting', b: 'applying' })), []);
  assert.deepEqual(await run(found({ a: 'incompatible', b: 'converged' })), ['DataPlaneIncompatible a']);
  assert.deepEqual(await run(found({ a: 'incompatible', b: 'partitioned' })), ['DataPlaneLost b']);
});

test('runs without evidence, or without the data plane, tell nothing and forget nothing', async () => {
  assert.deepEqual(await run(found({ a: 'partitioned' })), ['DataPlaneLost a']);
  assert.deepEqual(await run(found({ 'Admin API': 'unknown' })), []);
  assert.deepEqual(await run(found({ a: 'unknown' })), []);
  assert.deepEqual(await run(found({ a: 'partitioned' })), []);
});

test('what the bus did not take is told by the next run', async () => {
  const broken: Publisher = {
    ...publisher,
    publishOutcome: () => Promise.reject(new AppError('EVENTS_NOT_PUBLISHED', 'no answer')),
  };
  await assert.rejects(run(found({ a: 'partitioned' }), broken), { code: 'EVENTS_NOT_PUBLISHED' });
  assert.deepEqual(await run(found({ a: 'partitioned' })), ['DataPlaneLost a']);
});

test('what is proven is told with the seconds that it took and how it is known', async () => {
  await index.query(
    `INSERT INTO kong_ingress.revisions (written_at, snapshot_xmax, changes, converged_at)
     VALUES (now() - interval '4 s', '1', 1, now()), (now() - interval '1.5 s', '2', 1, now())`,
  );
  await run(found({ a: 'converged' }, { converged: ['1', '2'] }));
  assert.deepEqual(published, [
    {
      type: 'DataPlanesConverged',
      detail: {
        topology: 'hybrid',
        revision: '2',
        revisions: [
          { id: '1', seconds: 4 },
          { id: '2', seconds: 1.5 },
        ],
        dataPlanes: [{ name: 'a', evidence: 'agreement', proof: 'stored' }],
      },
    },
  ]);
});

async function since(): Promise<unknown> {
  const { rows } = await index.query<{ since: Date }>("SELECT since FROM kong_ingress.verdicts WHERE node = 'a'");
  return rows[0]?.since;
}

test('a state lasts since the first of the runs that found it', async () => {
  await run(found({ a: 'applying' }));
  const first = await since();
  await run(found({ a: 'applying' }));
  assert.deepEqual(await since(), first);
  await run(found({ a: 'converged' }));
  assert.notDeepEqual(await since(), first);
});

test('two names for one data plane are remembered as one', async () => {
  await rememberVerdicts(index, {
    topology: 'hybrid',
    warnings: [],
    verdicts: [verdict('a', 'applying'), verdict('a', 'applying')],
  });
  assert.equal((await index.query('SELECT FROM kong_ingress.verdicts')).rowCount, 1);
});

test('nothing changes for verdicts that are as they were announced', () => {
  assert.deepEqual(changedTroubles([verdict('a', 'partitioned')], new Map([['a', 'DataPlaneLost']])), []);
  assert.equal(changedTroubles([verdict('a', 'applying')], new Map([['a', 'DataPlaneLost']])).length, 1);
});

for (const [state, ageMs, pause] of [
  ['applying', 0, 'short'],
  ['applying', 9_999, 'short'],
  ['applying', 10_000, 'long'],
  ['applying', 60_000, 'long'],
  ['applying', 60_001, undefined],
  ['applying', undefined, undefined],
  ['converged', 0, undefined],
  ['partitioned', 0, 'long'],
  ['unknown', 60_000, 'long'],
  ['unknown', 60_001, undefined],
  ['incompatible', 0, undefined],
] as const) {
  test(`a data plane that is ${state} ${ageMs} ms after the write: ${pause ?? 'no'} pause`, () => {
    assert.equal(pauseAfter([verdict('a', 'converged'), verdict('b', state)], ageMs), pause);
  });
}

test('another check is asked for while one is applying, by one of the runs that overlap', async () => {
  await index.query(
    "INSERT INTO kong_ingress.revisions (written_at, snapshot_xmax, changes) VALUES (now() - interval '1 s', '1', 1)",
  );
  const newest = { id: '1', changes: 1, startedAt: 0, writtenAt: 0, snapshotXmax: '1', convergedAt: undefined };
  const result = found({ a: 'applying' }, { newest });
  await Promise.all([1, 2, 3].map(() => checkAgain(index, result, publisher)));
  assert.deepEqual(published, [{ type: 'ConvergencePending', detail: { pause: 'short', revision: '1' } }]);
  await index.query("UPDATE kong_ingress.next_check SET at = now() - interval '1 ms'");
  await checkAgain(index, result, publisher);
  assert.equal(published.length, 2);
});

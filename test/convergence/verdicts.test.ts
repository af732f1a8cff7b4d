import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canaryOpinion } from '../../shared/convergence/canary-verdict.ts';
import { boundMs, holdMs } from '../../shared/convergence/delays.ts';
import { fenceOf, versionOf } from '../../shared/convergence/fence.ts';
import { hybridVerdicts } from '../../shared/convergence/hybrid-verdict.ts';
import type { HybridFacts } from '../../shared/convergence/hybrid-verdict.ts';
import { traditionalVerdicts } from '../../shared/convergence/traditional-verdict.ts';
import type { NodeFacts } from '../../shared/convergence/traditional-verdict.ts';
import { provenEverywhere } from '../../shared/convergence/proven-verdict.ts';
import type { DataPlaneRow, Pushes, Revision, Verdict } from '../../shared/convergence/types.ts';

const NOW = 1_000_000;
const HOLD = 8_000;
const REVISION: Revision = {
  id: '7',
  changes: 3,
  startedAt: NOW - 30_100,
  writtenAt: NOW - 30_000,
  snapshotXmax: '500',
  convergedAt: undefined,
};

function row(more: Partial<DataPlaneRow> = {}): DataPlaneRow {
  return {
    id: 'a',
    hostname: 'dp-a',
    ip: '10.0.0.1',
    version: '3.9.3',
    syncStatus: 'normal',
    hash: 'new',
    lastSeen: NOW - 5_000,
    afterRevision: 0,
    firstSeen: NOW - 900_000,
    hashSince: NOW - 20_000,
    rowSince: NOW - 5_000,
    rowFloor: NOW - 6_000,
    reportBefore: undefined,
    earlier: [],
    status: undefined,
    ...more,
  };
}

const other = (more: Partial<DataPlaneRow> = {}): DataPlaneRow =>
  row({ id: 'b', hostname: 'dp-b', ip: '10.0.0.2', ...more });

function facts(rows: readonly DataPlaneRow[], more: Partial<HybridFacts> = {}): HybridFacts {
  const live = { kind: 'seen', forgetAfterMs: 300_000 } as const;
  return {
    now: NOW,
    revisions: [REVISION],
    rows,
    live,
    holdMs: HOLD,
    reportMs: 3_000,
    marginMs: 500,
    pauseMs: 5_000,
    oneControlPlane: true,
    replica: false,
    pushes: pushes(),
    steadySince: NOW - 900_000,
    ...more,
  };
}

/** Announcements of the revision's writes. */
function pushes(): Pushes {
  const own = [0, 10, 20].map((ms) => REVISION.startedAt + 50 + ms);
  return { at: own, completeFrom: NOW - 600_000 };
}

const stale = { lastSeen: NOW - 46_000, rowSince: NOW - 46_000 };
const converged = [{ ...REVISION, convergedAt: NOW - 10_000 }];
const old = { hashSince: NOW - 900_000, hash: 'old' };
const long = [{ ...REVISION, startedAt: NOW - 900_000, writtenAt: NOW - 900_000 }];

const cases: readonly (readonly [title: string, facts: HybridFacts, states: readonly string[]])[] = [
  ['one hash, new, when no push can come any more', facts([row(), other()]), ['converged', 'converged']],
  ['new for shorter than a rebuild', facts([row(), other({ hashSince: NOW - 499 })]), ['converged', 'applying']],
  [
    'a moment before the last push can have come',
    facts([row(), other()], { revisions: [{ ...REVISION, writtenAt: NOW - HOLD + 1 }] }),
    ['applying', 'applying'],
  ],
  [
    'Kong announced the write late',
    facts([row(), other()], { pushes: { at: [NOW - HOLD + 1], completeFrom: 0 } }),
    ['applying', 'applying'],
  ],
  [
    'a control plane restarted, and they have not reported since all pushes',
    facts([row(), other({ rowFloor: REVISION.writtenAt + HOLD - 1 })], { steadySince: NOW - 40_000 }),
    ['applying', 'applying'],
  ],
  [
    'a control plane restarted, and a report has just come, after one that said the same',
    facts([row(), other({ rowSince: NOW, reportBefore: { floor: NOW - 20_000, since: NOW - 3_000 } })], {
      steadySince: NOW - 40_000,
    }),
    ['converged', 'converged'],
  ],
  [
    'a control plane restarted, and they have reported since',
    facts([row(), other()], { steadySince: NOW - 40_000 }),
    ['converged', 'converged'],
  ],
  ['control planes read a replica', facts([row(), other()], { replica: true }), ['unknown', 'unknown']],
  [
    'they say themselves what they have',
    facts([row({ status: { hash: 'z', since: NOW - 1_000 } }), other({ status: { hash: 'z', since: NOW - 999 } })]),
    ['converged', 'applying'],
  ],
  ['two hashes', facts([row(), other({ hash: 'newer' })]), ['applying', 'applying']],
  ['the hash of before the write', facts([row(), other(old)]), ['applying', 'applying']],
  [
    'the hash of before the write for long',
    facts([row({ hashSince: NOW - 800_000 }), other({ ...old, hashSince: NOW - 950_000 })], { revisions: long }),
    ['applying', 'rejecting'],
  ],
  [
    'nobody took it for long',
    facts([row({ ...old, hashSince: NOW - 950_000 }), other({ ...old, hashSince: NOW - 950_000 })], {
      revisions: long,
    }),
    ['unknown', 'unknown'],
  ],
  ['not heard of since the write', facts([row(), other({ afterRevision: undefined })]), ['applying', 'applying']],
  ['nothing received yet', facts([row(), other({ hash: '0'.repeat(32) })]), ['applying', 'applying']],
  [
    'incompatible ones are not waited for',
    facts([row(), other({ syncStatus: 'plugin_set_incompatible' })]),
    ['converged', 'incompatible'],
  ],
  ['silent for 45 s', facts([row(), other({ ...stale, ...old })]), ['converged', 'partitioned']],
  [
    'silent by the control plane’s clock alone',
    facts([row(), other({ lastSeen: NOW - 90_000 })]),
    ['converged', 'converged'],
  ],
  [
    'silent for so long that it is forgotten',
    facts([row(), other({ lastSeen: NOW - 300_001, rowSince: NOW - 300_001 })]),
    ['converged'],
  ],
  [
    'proven before, and something else was pushed since',
    facts([row({ hash: 'x', hashSince: NOW }), other()], { revisions: converged }),
    ['converged', 'converged'],
  ],
  [
    'a new data plane that agrees with proven ones',
    facts([row(), other({ firstSeen: NOW - 9_000, hashSince: NOW - 9_000 })], { revisions: converged }),
    ['converged', 'converged'],
  ],
  [
    'a new data plane that does not',
    facts([row(), other({ firstSeen: NOW - 9_000, hashSince: NOW - 9_000, hash: 'part' })], { revisions: converged }),
    ['converged', 'applying'],
  ],
  [
    'a baseline, with the hash of ever',
    facts([row(old), other(old)], { revisions: [{ ...REVISION, changes: 0 }] }),
    ['converged', 'converged'],
  ],
  ['nothing written', facts([row()], { revisions: [] }), ['unknown']],
  ['no data planes', facts([]), []],
];

for (const [title, given, expected] of cases) {
  test(`hybrid: ${title}`, () => {
    const verdicts = hybridVerdicts(given);
    assert.deepEqual(
      verdicts.map(({ state }) => state),
      expected,
    );
    for (const { state, proof, reason, marginMs } of verdicts) {
      assert.equal(marginMs !== undefined, proof === 'stored');
      assert.equal(proof, state === 'converged' ? 'stored' : undefined);
      assert.ok(reason.length > 10);
    }
  });
}

function judged(state: Verdict['state'], revision: string | undefined): Verdict {
  return {
    node: 'n',
    name: 'n',
    state,
    revision,
    evidence: 'agreement',
    proof: undefined,
    marginMs: undefined,
    reason: '',
    sinceWriteMs: undefined,
  };
}

test('proven everywhere: the oldest of what the data planes have; incompatible ones block, or are left out', () => {
  const older: Revision = { ...REVISION, id: '6' };
  const [has, had] = [judged('converged', '7'), judged('applying', '6')];
  const broken = judged('incompatible', undefined);
  const proven = (verdicts: readonly Verdict[], policy: 'block' | 'ignore' = 'block'): string | undefined =>
    provenEverywhere(verdicts, [REVISION, older], policy);
  assert.equal(proven([has, has]), '7');
  assert.equal(proven([has, had]), '6');
  assert.equal(proven([has, judged('unknown', undefined)]), undefined);
  assert.equal(proven([has, broken]), undefined);
  assert.equal(proven([has, broken], 'ignore'), '7');
  assert.equal(proven([broken], 'ignore'), undefined);
  assert.equal(proven([]), undefined);
});

const young: Revision = { ...REVISION, startedAt: NOW - 3_000, writtenAt: NOW - 2_800 };
const sole: Revision = { ...young, changes: 1 };
const earlierOne = { hash: 'old', since: NOW - 900_000, floor: NOW - 30_000 };
const first = { hash: 'part', since: NOW - 2_500, floor: NOW - 2_600 };
const latest = { hash: 'new', hashSince: NOW - 700 };
const one: Pushes = { at: [NOW - 2_900], completeFrom: NOW - 600_000 };
const three: Pushes = { ...one, at: [NOW - 2_900, NOW - 2_890, NOW - 2_880] };
const second = row({ ...latest, earlier: [first, earlierOne] });

const complete: readonly (readonly [title: string, row: DataPlaneRow, Revision, Partial<HybridFacts>, boolean])[] = [
  [
    'a single write, in the first new configuration',
    row({ ...latest, earlier: [earlierOne] }),
    sole,
    { pushes: one },
    true,
  ],
  ['several writes, in the first one', row({ ...latest, earlier: [earlierOne] }), young, { pushes: three }, false],
  ['several writes, in the second one', second, young, { pushes: three }, true],
  ['the same with another control plane', second, young, { pushes: three, oneControlPlane: false }, false],
  ['the same after a restart', second, young, { pushes: three, steadySince: NOW - 17_000 }, false],
  ['the same when the writes took longer than a pause', second, young, { pushes: three, pauseMs: 199 }, false],
  ['the same when somebody else wrote', second, young, { pushes: { ...three, at: [NOW - 2_950, ...three.at] } }, false],
  [
    'the same when somebody wrote before',
    second,
    young,
    { pushes: { ...three, at: [NOW - 37_000, ...three.at] } },
    false,
  ],
  ['the same when one write is not announced', second, young, { pushes: { ...three, at: three.at.slice(1) } }, false],
  [
    'the same when announcements are not known so far back',
    second,
    young,
    { pushes: { ...three, completeFrom: NOW - 37_000 } },
    false,
  ],
  ['the same when nothing is known of announcements', second, young, { pushes: undefined }, false],
  [
    'the second one is the one of before',
    row({ ...latest, earlier: [first, { ...earlierOne, hash: 'new' }] }),
    young,
    { pushes: three },
    false,
  ],
  ['nobody saw what was before', row({ ...latest, earlier: [first] }), young, { pushes: three }, false],
  [
    'a second after the write is not over',
    row({ ...latest, earlier: [earlierOne] }),
    { ...sole, writtenAt: NOW - 999 },
    { pushes: one },
    false,
  ],
];

for (const [title, given, revision, more, expected] of complete) {
  test(`hybrid, by what was before: ${title}`, () => {
    const [verdict] = hybridVerdicts(facts([given], { revisions: [revision], ...more }));
    assert.equal(verdict?.state, expected ? 'converged' : 'applying', verdict?.reason);
  });
}

test('hybrid, by what was before: not while the data planes had different configurations when the writes began', () => {
  const late = other({ ...latest, hash: 'x', earlier: [{ ...earlierOne, hash: 'older' }] });
  const verdicts = hybridVerdicts(facts([second, late], { revisions: [young], pushes: three }));
  assert.deepEqual(
    verdicts.map(({ state }) => state),
    ['applying', 'applying'],
  );
});

test('hybrid, by what was before: not while what one of them had before is forgotten', () => {
  const forgotten = other({ ...latest, earlier: [first] });
  const given = facts([row({ ...latest, earlier: [earlierOne] }), forgotten], { revisions: [sole], pushes: one });
  assert.ok(hybridVerdicts(given).every(({ state }) => state === 'applying'));
});

test('a stronger evidence decides, and says nothing of what it does not need; what it could not be is said', () => {
  const agreeing = [row(), other()];
  const shadow = {
    evidence: 'shadow',
    holds: (hash: string) => (hash === 'newer' ? 0 : undefined),
    newest: 0,
    extraMarginMs: 0,
  } as const;
  const [held, overruled] = [
    hybridVerdicts(facts([row({ hash: 'newer' })], { shadow, replica: true })),
    hybridVerdicts(facts(agreeing, { shadow })),
  ];
  assert.deepEqual([held[0]?.state, held[0]?.evidence, held[0]?.proof], ['converged', 'shadow', 'stored']);
  assert.deepEqual([overruled[0]?.state, overruled[0]?.evidence], ['applying', 'shadow']);
  const missing = hybridVerdicts(
    facts(agreeing, { shadow: { evidence: 'shadow', unavailable: 'a wrong certificate' } }),
  );
  assert.deepEqual([missing[0]?.state, missing[0]?.evidence], ['converged', 'agreement']);
  assert.match(missing[0]?.reason ?? '', /shadow: a wrong certificate/);
});

test('hybrid: the canary overrules all but that a data plane will never have the change', () => {
  const applying = canaryOpinion([{ ...REVISION, epoch: 2 }], { answers: [1], failure: 'silence' });
  const canaries = new Map(['a', 'b'].map((id) => [id, applying]));
  const said = (rows: readonly DataPlaneRow[]): unknown =>
    hybridVerdicts(facts(rows, { canaries })).map(({ state }) => state);
  assert.deepEqual(said([row(), other()]), ['applying', 'applying']);
  assert.deepEqual(said([row(), other({ syncStatus: 'plugin_set_incompatible' })]), ['applying', 'incompatible']);
});

test('hybrid: an older revision is proven while the newest is not', () => {
  const older: Revision = { ...REVISION, id: '6', startedAt: NOW - 60_000, writtenAt: NOW - 59_000 };
  const newest: Revision = { ...REVISION, startedAt: NOW - 2_000, writtenAt: NOW - 1_000 };
  const rows = [row({ afterRevision: 1 }), other({ afterRevision: 1 })];
  const verdicts = hybridVerdicts(facts(rows, { revisions: [newest, older] }));
  assert.deepEqual(
    verdicts.map(({ state, revision }) => [state, revision]),
    [
      ['applying', '6'],
      ['applying', '6'],
    ],
  );
});

test('hybrid: a list is matched by name, id or address, by the newest row of a name, and ignores all others', () => {
  const live = { kind: 'list', nodes: ['dp-a', '10.0.0.2', 'gone'] } as const;
  const before = row({ id: 'z', lastSeen: NOW - 60_000, rowSince: NOW - 60_000, hash: 'dead' });
  const stranger = row({ id: 'c', hostname: 'dp-c', ip: '10.0.0.3', hash: 'else' });
  const verdicts = hybridVerdicts(facts([before, row(), other(), stranger], { live }));
  assert.deepEqual(
    verdicts.map(({ node, state }) => `${node} ${state}`),
    ['a converged', 'b converged', 'gone unknown'],
  );
});

const bound = 11_000;
const event = REVISION.writtenAt + 500;
const nodes: readonly (readonly [
  title: string,
  now: number,
  lastEvent: number | undefined,
  boundMs: number | undefined,
  state: string,
])[] = [
  ['after the bound', event + bound, event, bound, 'converged'],
  ['a moment before', event + bound - 1, event, bound, 'applying'],
  [
    'an event before the commit counts from the commit',
    REVISION.writtenAt + bound - 1,
    REVISION.writtenAt - 500,
    bound,
    'applying',
  ],
  ['no event yet', REVISION.writtenAt + 60_000, undefined, bound, 'applying'],
  ['no event ever', REVISION.writtenAt + 60_001, undefined, bound, 'unknown'],
  ['an Admin API that does not answer', event + 900_000, event, undefined, 'unknown'],
];

for (const [title, now, lastEvent, nodeBound, state] of nodes) {
  test(`traditional: ${title}`, () => {
    const given = {
      now,
      revisions: [REVISION],
      lastEvents: [lastEvent === undefined ? undefined : { last: lastEvent, versions: {}, balancer: false }],
      told: false,
      nodes: [{ node: 'n:8001', boundMs: nodeBound, rebuildMs: 6_500, versions: [] }],
    };
    const [verdict] = traditionalVerdicts(given);
    assert.equal(verdict?.state, state);
    assert.equal(verdict?.proof, state === 'converged' ? 'bounded' : undefined);
    assert.equal(verdict?.revision, state === 'converged' ? '7' : undefined);
  });
}

const versions = { 'router:version': event, 'plugins_iterator:version': event - 100 };
const changed = (floor: number, since: number): NodeFacts['versions'] =>
  Object.keys(versions).map((key) => ({ key, since, floor, dropped: false }));

test('traditional: a cache that changed after the last announcement shortens the wait, an earlier change does not', () => {
  const at = (time: number, floor: number): Verdict | undefined =>
    traditionalVerdicts({
      now: time,
      revisions: [REVISION],
      lastEvents: [{ last: event, versions, balancer: false }],
      told: true,
      nodes: [{ node: 'n', boundMs: 12_500, rebuildMs: 6_500, versions: changed(floor, event + 2_000) }],
    })[0];
  assert.deepEqual([at(event + 8_500, event)?.state, at(event + 8_500, event)?.evidence], ['converged', 'cache']);
  assert.equal(at(event + 8_499, event)?.state, 'applying');
  assert.deepEqual(
    [at(event + 8_500, event - 1)?.state, at(event + 8_500, event - 1)?.evidence],
    ['applying', 'bound'],
  );
});

test('traditional: a node whose cache has what it had before the write is not converged when the time is over', () => {
  const at = (time: number, dropped: boolean): Verdict | undefined =>
    traditionalVerdicts({
      now: time,
      revisions: [REVISION],
      lastEvents: [{ last: event, versions, balancer: false }],
      told: true,
      nodes: [
        {
          node: 'n',
          boundMs: 12_500,
          rebuildMs: 6_500,
          versions: changed(0, REVISION.startedAt).map((item) => ({ ...item, dropped })),
        },
      ],
    })[0];
  assert.deepEqual([at(event + 12_500, false)?.state, at(event + 12_500, false)?.evidence], ['applying', 'cache']);
  assert.equal(at(event + 12_501, false)?.state, 'partitioned');
  assert.equal(at(event + 12_500, true)?.state, 'converged');
});

test('traditional: a cache that has followed an earlier write is not blamed for one that changes targets alone', () => {
  const earlier = REVISION.startedAt - 2_000;
  const [verdict] = traditionalVerdicts({
    now: event + 12_501,
    revisions: [REVISION],
    // Announced in the seconds before, which are looked at too.
    lastEvents: [{ last: event, versions: { 'router:version': earlier }, balancer: true }],
    told: true,
    nodes: [
      {
        node: 'n',
        boundMs: 12_500,
        rebuildMs: 6_500,
        versions: [{ key: 'router:version', since: earlier + 500, floor: earlier, dropped: false }],
      },
    ],
  });
  assert.deepEqual([verdict?.state, verdict?.evidence], ['converged', 'bound']);
});

test('the hold covers the pause, export, apply and ping, a second control plane, and size', () => {
  const settings = { dbUpdateFrequency: 5, dbUpdatePropagation: 0 };
  const input = { settings, controlPlanes: 1, entities: 0 };
  assert.equal(holdMs(input), 8_000);
  assert.equal(holdMs({ ...input, controlPlanes: 2 }), 23_000);
  assert.equal(holdMs({ ...input, entities: 10_000 }), 13_000);
  assert.equal(holdMs({ ...input, settings: { dbUpdateFrequency: 0.2, dbUpdatePropagation: 0.5 } }), 3_700);
});

test('the bound covers the poll, its look-back, the worker timers and the rebuild', () => {
  const settings = { dbUpdateFrequency: 5, dbUpdatePropagation: 0, workerStateUpdateFrequency: 5 };
  assert.equal(boundMs(settings, 0), 12_500);
  assert.equal(boundMs({ ...settings, dbUpdatePropagation: 1 }, 10_000), 15_000);
});

test('the live set: a ready pod without a row is partitioned, a row without a pod is dead', () => {
  const live = {
    kind: 'pods',
    pods: [
      { name: 'dp-a', ip: '10.0.0.1' },
      { name: 'x', ip: '10.0.0.2' },
      { name: 'dp-n', ip: '10.0.0.9' },
    ],
  } as const;
  const verdicts = hybridVerdicts(
    facts([row(), other(), other({ id: 'c', hostname: 'gone', ip: '10.0.0.3' })], { live }),
  );
  assert.deepEqual(
    verdicts.map(({ node, state }) => `${node} ${state}`),
    ['a converged', 'b converged', 'dp-n partitioned'],
  );
});

/** Versions from 10 downwards; each with the place of the oldest revision that it came after. */
function versionRows(...after: readonly (number | null)[]): { version: number; after: number | null }[] {
  return after.map((place, n) => ({ version: 10 - n, after: place }));
}

test('versions of sync v2: a later one is a fence, the own one only when it is alone', () => {
  assert.deepEqual(['0'.repeat(31) + '7', '0'.repeat(32), `v02_${'0'.repeat(26)}1f`, 'ab'.repeat(16)].map(versionOf), [
    7,
    undefined,
    31,
    undefined,
  ]);
  assert.equal(fenceOf(versionRows(0, 0, 1, 1), REVISION, 0, false), 9, 'the first one after it');
  assert.equal(fenceOf(versionRows(0, 0, 1, 1), REVISION, 0, true), undefined, 'changes come one by one');
  assert.equal(fenceOf(versionRows(1, 1), REVISION, 0, false), undefined, 'several own ones');
  assert.equal(fenceOf(versionRows(1, 2), { ...REVISION, changes: 1 }, 0, true), 10, 'its only one');
  assert.equal(fenceOf(versionRows(1, 1), { ...REVISION, changes: 1 }, 0, false), undefined, 'somebody else wrote too');
  assert.equal(fenceOf(versionRows(null), { ...REVISION, changes: 1 }, 0, false), 10);
  assert.equal(fenceOf(versionRows(null, null), { ...REVISION, changes: 1 }, 0, false), undefined);
});

import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { keyOfRef } from '../../shared/kubernetes/keys.ts';
import type { ObjectRef } from '../../shared/kubernetes/resources.ts';
import { referenceId } from '../../shared/kong/json.ts';
import { resolve, type Resolution } from '../../shared/plan/resolve.ts';
import type { Proposal } from '../../shared/translate/types.ts';

const TAGS = { filterTags: ['ours'] };

function root(name: string): ObjectRef {
  return { cluster: 'c', group: 'networking.k8s.io', version: 'v1', kind: 'Ingress', namespace: 'default', name };
}

function proposal(change: Partial<Proposal> & Pick<Proposal, 'slot' | 'type'>, by = 'a', rankClass = 0): Proposal {
  return {
    id: change.slot,
    body: {},
    tags: [],
    refs: {},
    root: root(by),
    rank: { class: rankClass, createdAt: '2026-01-01T00:00:00Z', name: `default/${by}` },
    ...change,
  };
}

function service(body: Proposal['body'], by = 'a', rankClass = 0, more: Partial<Proposal> = {}): Proposal {
  return proposal({ slot: 'services/s', type: 'services', body, ...more }, by, rankClass);
}

function route(name: string, by = 'a', more: Partial<Proposal> = {}): Proposal {
  const refs = { service: { slot: 'services/s' } };
  return proposal({ slot: `routes/${name}`, type: 'routes', body: { name }, refs, ...more }, by);
}

function reasons({ findings }: Resolution): readonly string[] {
  return findings.map((finding) => `${finding.object.name} ${finding.reason}`);
}

function slots({ desired }: Resolution): readonly string[] {
  return desired.map((item) => item.slot);
}

test('the better rank wins: class, then age, then name', () => {
  const old = { class: 1, createdAt: '2020-01-01T00:00:00Z', name: 'z' };
  const cases: [Proposal, Proposal][] = [
    [service({ n: 1 }, 'b', 0), service({ n: 2 }, 'a', 1)],
    [service({ n: 1 }, 'b', 0, { rank: old }), service({ n: 2 }, 'a', 1)],
    [service({ n: 1 }, 'a'), service({ n: 2 }, 'b')],
  ];
  for (const [winner, loser] of cases) {
    const resolution = resolve([loser, winner], TAGS);
    assert.deepEqual(
      resolution.desired.map((item) => item.entity.body),
      [winner.body],
    );
    assert.deepEqual(reasons(resolution), [`${loser.root.name} SlotLost`]);
  }
});

test('equal bodies are shared without a finding, quiet losers have none', () => {
  assert.deepEqual(reasons(resolve([service({ n: 1 }, 'a'), service({ n: 1 }, 'b', 0, { tags: ['t'] })], TAGS)), []);
  assert.deepEqual(reasons(resolve([service({ n: 1 }, 'a'), service({ n: 2 }, 'b', 0, { quiet: true })], TAGS)), []);
});

test("references get the winner's id, an adopted one included, and filter tags follow the object's", () => {
  const proposals = [
    service({}, 'a', 0, { id: 'mine' }),
    service({}, 'b', 1, { id: 'other' }),
    route('r', 'b', { tags: ['t', 'ours'] }),
  ];
  const { desired } = resolve(proposals, TAGS);
  assert.deepEqual(desired[0]?.entity, {
    type: 'routes',
    id: 'routes/r',
    body: { name: 'r', service: { id: 'mine' } },
    tags: ['t', 'ours'],
  });
  const adopted = resolve(proposals, {
    ...TAGS,
    adopted: new Map([['services/s', { proposedId: 'mine', id: 'theirs' }]]),
  });
  assert.deepEqual(adopted.desired[0]?.entity.body['service'], { id: 'theirs' });
  assert.notEqual(adopted.desired[0]?.hash, desired[0]?.hash);
  const outdated = resolve(proposals, {
    ...TAGS,
    adopted: new Map([['services/s', { proposedId: 'former', id: 'x' }]]),
  });
  assert.deepEqual(outdated.desired[0]?.hash, desired[0]?.hash);
});

test('what needs its own version of a lost parent goes with it, and so does what refers to that', () => {
  const own = { refs: { service: { slot: 'services/s', own: true as const } } };
  const plugin = proposal({ slot: 'plugins/p', type: 'plugins', refs: { route: { slot: 'routes/r' } } }, 'b');
  const lost = resolve([service({ n: 1 }, 'a'), service({ n: 2 }, 'b', 1), route('r', 'b', own), plugin], TAGS);
  assert.deepEqual(slots(lost), ['services/s']);
  assert.deepEqual(reasons(lost), ['b SlotLost', 'b DependencyLost']);
  const shared = resolve([service({ n: 1 }, 'a'), service({ n: 1 }, 'b', 1), route('r', 'b', own), plugin], TAGS);
  assert.deepEqual(slots(shared), ['plugins/p', 'routes/r', 'services/s']);
});

test('a withheld proposal does not keep the slot from another', () => {
  const own = { refs: { service: { slot: 'services/s', own: true as const } } };
  const better = route('r', 'b', { ...own, rank: { class: 0, createdAt: '', name: '' } });
  const resolution = resolve([service({ n: 1 }, 'a'), service({ n: 2 }, 'b', 1), better, route('r', 'a')], TAGS);
  assert.equal(resolution.winners.get('routes/r')?.root.name, 'a');
});

test('a gated proposal counts only while its root wins the gate, and goes without a finding', () => {
  const proposals = ['b', 'a'].flatMap((by) => [
    route('elected', by, { body: { by }, quiet: true, refs: {} }),
    service({ by }, by, 0, { gate: 'routes/elected' }),
  ]);
  const resolution = resolve(proposals, TAGS);
  assert.deepEqual(
    resolution.desired.map((item) => item.root.name),
    ['a', 'a'],
  );
  assert.deepEqual(reasons(resolution), []);
  assert.deepEqual(
    resolution.stored.map((item) => [item.root.name, item.type, item.withheld]),
    [
      ['b', 'routes', false],
      ['b', 'services', true],
      ['a', 'routes', false],
      ['a', 'services', false],
    ],
  );
});

test('a reference to what nobody provides withholds with a finding', () => {
  const resolution = resolve([route('r')], TAGS);
  assert.deepEqual(slots(resolution), []);
  assert.deepEqual(reasons(resolution), ['a DependencyLost']);
});

test('a winner outside without its body gives its id, and an equal body here gives its entity', () => {
  const [outside] = resolve([service({ n: 1 }, 'a', 0, { id: 'out' })], TAGS).stored;
  assert.ok(outside !== undefined);
  const other = resolve([service({ n: 2 }, 'b', 1), route('r', 'b')], { ...TAGS, outside: [outside] });
  assert.deepEqual(
    other.desired.map((item) => item.entity.body),
    [{ name: 'r', service: { id: 'out' } }],
  );
  const equal = resolve([service({ n: 1 }, 'b', 1)], { ...TAGS, outside: [outside] });
  assert.deepEqual(
    equal.desired.map((item) => [item.entity.id, item.root.name]),
    [['out', 'a']],
  );
});

function hash(body: Proposal['body'], tags: string[]): string | undefined {
  return resolve([service(body, 'a', 0, { tags })], TAGS).desired[0]?.hash;
}

test('the hash is of content: field and tag order do not matter, fields and tags do', () => {
  assert.equal(hash({ a: 1, b: { c: 1, d: 2 } }, ['x', 'y']), hash({ b: { d: 2, c: 1 }, a: 1 }, ['y', 'x']));
  assert.notEqual(hash({ a: 1 }, []), hash({ a: '1' }, []));
  assert.notEqual(hash({ a: 1 }, []), hash({ a: 1 }, ['x']));
});

const arbitraryProposal: fc.Arbitrary<Proposal> = fc
  .record({
    by: fc.constantFrom('a', 'b', 'c'),
    kind: fc.constantFrom('services', 'routes', 'plugins'),
    name: fc.constantFrom('x', 'y'),
    parent: fc.constantFrom('x', 'y', 'z'),
    variant: fc.integer({ min: 0, max: 1 }),
    rank: fc.integer({ min: 0, max: 1 }),
    own: fc.boolean(),
    gated: fc.boolean(),
  })
  .map(({ by, kind, name, parent, variant, rank, own, gated }) => {
    const mark = own ? { own: true as const } : {};
    const more = { body: { variant }, ...(gated && `${kind}/${name}` !== 'routes/x' ? { gate: 'routes/x' } : {}) };
    if (kind === 'services') return proposal({ slot: `services/${name}`, type: 'services', ...more }, by, rank);
    const [field, type] = kind === 'routes' ? ['service', 'services'] : ['route', 'routes'];
    const refs = { [field]: { slot: `${type}/${parent}`, ...mark } };
    if (kind === 'routes') return proposal({ slot: `routes/${name}`, type: 'routes', refs, ...more }, by, rank);
    return proposal({ slot: `plugins/${name}`, type: 'plugins', refs, ...more }, by, rank);
  });

test('any proposals: their order never matters, every entity has its references, arguments stay as they are', () => {
  fc.assert(
    fc.property(fc.array(arbitraryProposal, { maxLength: 14 }), fc.infiniteStream(fc.nat()), (proposals, keys) => {
      const before = JSON.stringify(proposals);
      const resolution = resolve(proposals, TAGS);
      assert.equal(JSON.stringify(proposals), before);
      const shuffled = proposals
        .map((item) => ({ item, key: keys.next().value ?? 0 }))
        .toSorted((a, b) => a.key - b.key)
        .map(({ item }) => item);
      const again = resolve(shuffled, TAGS);
      assert.deepEqual(again.desired, resolution.desired);
      assert.deepEqual(reasons(again).toSorted(), reasons(resolution).toSorted());
      const ids = new Set(resolution.desired.map((item) => item.entity.id));
      for (const { entity } of resolution.desired) {
        for (const field of ['service', 'route']) {
          const value = entity.body[field];
          if (value !== undefined) assert.ok(ids.has(referenceId(value) ?? ''));
        }
      }
      assert.equal(new Set(slots(resolution)).size, resolution.desired.length);
      for (const winner of resolution.winners.values()) {
        if (winner.gate !== undefined && winner.slot !== winner.gate) {
          const holder = resolution.winners.get(winner.gate);
          if (holder !== undefined) assert.equal(keyOfRef(holder.root), keyOfRef(winner.root));
        }
      }
    }),
    { numRuns: 1_000 },
  );
});

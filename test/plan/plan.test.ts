import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ENTITIES, type Body, type EntityType } from '../../shared/kong/entities.ts';
import { brakes } from '../../shared/plan/brake.ts';
import { changesOf, plan, subject, type Work } from '../../shared/plan/plan.ts';
import type { Change, Desired } from '../../shared/plan/types.ts';

const ROOT = { cluster: '', group: '', version: 'v1', kind: 'Ingress', namespace: 'default', name: 'web' };

function desired(type: EntityType, id: string, body: Body = {}): Desired {
  return { slot: `${type}/${id}`, entity: { type, id, body, tags: [] }, hash: 'h', root: ROOT };
}

function current(type: EntityType, id: string): Work['deletes'][number] {
  return { type, id, slot: `${type}/${id}` };
}

function show(change: Change): string {
  return `${change.action} ${subject(change).id}`;
}

/** Where a change belongs: writes by level, then deletes against it. */
function order(change: Change): number {
  const { level } = ENTITIES[subject(change).type];
  return change.action === 'delete' ? 100 - level : level;
}

test('parents before children, deletes after everything and in reverse', () => {
  const planned = plan({
    creates: [desired('plugins', 'p'), desired('routes', 'r'), desired('certificates', 'c'), desired('targets', 't')],
    updates: [desired('services', 's'), desired('upstreams', 'u')],
    deletes: [current('upstreams', 'du'), current('routes', 'dr'), current('services', 'ds')],
  });
  assert.deepEqual(
    planned.levels.map((level) => level.map(show)),
    [
      ['create c', 'update u'],
      ['update s', 'create t'],
      ['create r'],
      ['create p'],
      ['delete dr'],
      ['delete ds'],
      ['delete du'],
    ],
  );
});

test('where a unique key moves, whoever gives it up goes first', () => {
  const deleted = plan({
    creates: [desired('consumers', 'new')],
    updates: [],
    deletes: [current('consumers', 'old'), current('routes', 'r')],
    after: new Map([['new', 'old']]),
  });
  assert.deepEqual(changesOf(deleted).map(show), ['delete old', 'create new', 'delete r']);
  const updated = plan({
    creates: [
      desired('consumers', 'new'),
      desired('keyauth_credentials', 'key', { consumer: { id: 'new' } }),
      desired('services', 's'),
    ],
    updates: [desired('consumers', 'old')],
    deletes: [],
    after: new Map([['new', 'old']]),
  });
  assert.deepEqual(changesOf(updated).map(show), ['update old', 'create s', 'create new', 'create key']);
});

test('any work: every change is in the plan once, and levels keep parents and children apart', () => {
  const types = fc.constantFrom<EntityType>(
    'upstreams',
    'services',
    'targets',
    'routes',
    'plugins',
    'certificates',
    'snis',
  );
  const items = fc.uniqueArray(fc.tuple(types, fc.nat({ max: 50 })), {
    selector: ([type, n]) => `${type}${n}`,
    maxLength: 30,
  });
  fc.assert(
    fc.property(items, fc.nat(3), (all, salt) => {
      const pick = (n: number): [EntityType, number][] => all.filter((_, index) => (index + salt) % 3 === n);
      const planned = plan({
        creates: pick(0).map(([type, n]) => desired(type, `${type}${n}`)),
        updates: pick(1).map(([type, n]) => desired(type, `${type}${n}`)),
        deletes: pick(2).map(([type, n]) => current(type, `${type}${n}`)),
      });
      const changes = changesOf(planned);
      assert.equal(new Set(changes.map((change) => subject(change).id)).size, all.length);
      const levels = planned.levels.map((group) => new Set(group.map(order)));
      for (const group of levels) assert.equal(group.size, 1);
      const flat = levels.flatMap((group) => [...group]);
      assert.deepEqual(
        flat,
        flat.toSorted((a, b) => a - b),
      );
    }),
  );
});

test('the brake: more than 30 %, at least 10, unless forced', () => {
  const cases: [number, number, boolean, boolean][] = [
    [9, 9, false, false],
    [10, 33, false, true],
    [10, 34, false, false],
    [30, 100, false, false],
    [31, 100, false, true],
    [31, 100, true, false],
    [10, 0, false, true],
  ];
  for (const [deletes, managed, forced, expected] of cases) {
    assert.equal(brakes(deletes, managed, forced), expected, `${deletes} of ${managed}`);
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '../shared/errors.ts';
import type { ChangeEvent } from '../shared/events.ts';
import { type Publisher, publisher } from '../shared/publish.ts';
import { type BusRule, type TestBus, startBus } from './support/event-bus.ts';

function change(name: string, observedAt = '2026-11-23T02:00:00Z'): ChangeEvent {
  const ref = { cluster: 'prod', group: '', version: 'v1', kind: 'Service', namespace: 'shop', name };
  return { ref, operation: 'update', observedAt };
}

function changes(count: number): ChangeEvent[] {
  return Array.from({ length: count }, (_, index) => change(`s${index}`));
}

async function withBus(rule: BusRule, use: (target: Publisher, bus: TestBus) => Promise<void>): Promise<void> {
  const bus = await startBus(rule);
  try {
    await use(publisher({ client: bus.client, eventBusName: 'changes', backoff: { baseMs: 1, capMs: 2 } }), bus);
  } finally {
    await bus.stop();
  }
}

function hasCode(code: string, message: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof AppError && error.code === code && message.test(error.message);
}

test('25 events go in three calls of at most ten, to the bus by name', async () => {
  await withBus(
    () => 'take',
    async (target, bus) => {
      assert.equal(await target.publishChanges(changes(25)), 25);
      assert.deepEqual(
        bus.calls.map((entries) => entries.length).toSorted((a, b) => b - a),
        [10, 10, 5],
      );
      assert.deepEqual(
        bus.taken.map(({ detail }) => JSON.stringify(detail)).toSorted(),
        changes(25)
          .map((one) => JSON.stringify(one))
          .toSorted(),
      );
      assert.deepEqual([bus.taken[0]?.type, bus.taken[0]?.bus], ['ClusterChange', 'changes']);
    },
  );
});

test('nothing to publish is no call', async () => {
  await withBus(
    () => 'take',
    async (target, bus) => {
      assert.equal(await target.publishChanges([]), 0);
      assert.deepEqual(bus.calls, []);
    },
  );
});

test('identical hints go once, whenever they were seen; another operation is another hint', async () => {
  await withBus(
    () => 'take',
    async (target, bus) => {
      const deleted: ChangeEvent = { ...change('a'), operation: 'delete' };
      assert.equal(
        await target.publishChanges([change('a'), change('a', '2026-11-23T03:00:00Z'), deleted, change('b')]),
        3,
      );
      assert.equal(bus.taken.length, 3);
    },
  );
});

test('entries that the bus refused are sent again, and only those', async () => {
  await withBus(
    (call) => (call === 1 ? { refuse: [1, 3] } : call === 2 ? { refuse: [0] } : 'take'),
    async (target, bus) => {
      assert.equal(await target.publishChanges(changes(5)), 5);
      assert.deepEqual(
        bus.calls.map((entries) => entries.length),
        [5, 2, 1],
      );
      assert.equal(new Set(bus.taken.map(({ detail }) => JSON.stringify(detail))).size, 5);
    },
  );
});

const passing: readonly [string, BusRule][] = [
  ['cuts the connection', (call) => (call === 1 ? 'cut' : 'take')],
  ['answers 500', (call) => (call === 1 ? { status: 500, body: { __type: 'InternalException' } } : 'take')],
  ['answers without results', (call) => (call === 1 ? { body: { FailedEntryCount: 0, Entries: [] } } : 'take')],
];
for (const [title, rule] of passing) {
  test(`when the bus once ${title}, the events are sent again`, async () => {
    await withBus(rule, async (target, bus) => {
      assert.equal(await target.publishChanges(changes(3)), 3);
      assert.equal(bus.taken.length, 3);
    });
  });
}

const lasting: readonly [string, BusRule, RegExp][] = [
  ['one entry', () => ({ refuse: [0] }), /^1 of 3 events: ThrottlingException$/],
  [
    'whole calls',
    () => ({ status: 400, body: { __type: 'AccessDeniedException' } }),
    /^3 of 3 events: AccessDeniedException$/,
  ],
];
for (const [title, rule, message] of lasting) {
  test(`when the bus never takes ${title}, it ends after five attempts with an error that is retryable`, async () => {
    await withBus(rule, async (target, bus) => {
      await assert.rejects(target.publishChanges(changes(3)), hasCode('EVENTS_NOT_PUBLISHED', message));
      assert.equal(bus.calls.length, 5);
      assert.equal(new AppError('EVENTS_NOT_PUBLISHED', '').info.retryable, true);
    });
  });
}

test('calls stay below 1 MB, and a larger event is refused at once', async () => {
  await withBus(
    () => 'take',
    async (target, bus) => {
      await Promise.all(
        [300_000, 300_000].map((size) => target.publishOutcome('DriftRepaired', { text: 'x'.repeat(size) })),
      );
      assert.equal(bus.calls.length, 2);
      const large = Array.from({ length: 4 }, (_, index) => change('x'.repeat(400_000) + index));
      await target.publishChanges(large);
      assert.deepEqual(
        bus.calls.slice(2).map((entries) => entries.length),
        [2, 2],
      );
      await assert.rejects(
        target.publishOutcome('DriftRepaired', { text: 'x'.repeat(1_000_000) }),
        hasCode('EVENT_TOO_LARGE', /DriftRepaired/),
      );
      assert.equal(bus.calls.length, 4);
    },
  );
});

test('outcomes and reconcile requests have their own types', async () => {
  await withBus(
    () => 'take',
    async (target, bus) => {
      await target.publishOutcome('ConfigurationApplied', { revision: 3 });
      const asked = { cluster: 'prod', reason: 'DeleteCollection' as const, observedAt: '2026-11-23T02:00:00Z' };
      assert.equal(await target.publishReconcileRequests([asked, { ...asked, observedAt: '2026-11-23T02:00:01Z' }]), 1);
      assert.deepEqual(
        bus.taken.map(({ type }) => type),
        ['ConfigurationApplied', 'ReconcileRequested'],
      );
    },
  );
});

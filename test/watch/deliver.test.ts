import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '../../shared/errors.ts';
import type { ChangeEvent } from '../../shared/events.ts';
import { delivery, type Delivery, type Target } from '../../shared/watch/deliver.ts';

function change(name: string, resourceVersion: string): ChangeEvent {
  return {
    ref: { cluster: 'prod', group: '', version: 'v1', kind: 'Service', namespace: 'shop', name },
    operation: 'update',
    resourceVersion,
    observedAt: '2026-11-25T19:00:00Z',
  };
}

interface Posted {
  readonly queue: Delivery;
  readonly batches: string[][];
  readonly requests: object[];
  readonly pauses: number[];
  readonly problems: string[];
}

/** A delivery whose target does `before` first, which may throw or add more. */
function posting(before: (post: number) => void = () => undefined): Posted {
  const [batches, requests, pauses, problems]: [string[][], object[], number[], string[]] = [[], [], [], []];
  let posts = 0;
  const target: Target = {
    publishChanges: async (changes) => {
      posts += 1;
      before(posts);
      batches.push(changes.map(({ ref, resourceVersion }) => `${ref.name}@${resourceVersion}`));
    },
    publishReconcileRequests: async (asked) => void requests.push(...asked),
  };
  const queue = delivery({
    target,
    cluster: 'prod',
    sleep: async (ms) => void pauses.push(ms),
    random: () => 1,
    now: () => '2026-11-25T19:00:00Z',
    onFailure: (reason) => problems.push(reason),
  });
  return { queue, batches, requests, pauses, problems };
}

test('what comes together is posted together, at most 100 at a time', async () => {
  const { queue, batches } = posting();
  for (let number = 0; number < 250; number += 1) queue.change(change(`s${number}`, '1'));
  await queue.idle();
  assert.deepEqual(
    batches.map((batch) => batch.length),
    [100, 100, 50],
  );
  assert.deepEqual([queue.published, queue.waiting], [250, 0]);
});

test('of one object only the newest change waits', async () => {
  const { queue, batches } = posting();
  for (const version of ['1', '2', '3']) queue.change(change('a', version));
  await queue.idle();
  assert.deepEqual(batches, [['a@3']]);
});

test('a change that comes while the one before it is being posted is posted, too', async () => {
  const { queue, batches } = posting((post) => {
    if (post === 1) queue.change(change('a', '2'));
  });
  queue.change(change('a', '1'));
  await queue.idle();
  assert.deepEqual(batches, [['a@1'], ['a@2']]);
});

test('what the target does not take waits, with growing pauses, and nothing is lost', async () => {
  const { queue, batches, pauses, problems } = posting((post) => {
    if (post <= 3) throw new AppError('EVENTS_NOT_PUBLISHED', 'the webhook answered 503');
  });
  queue.change(change('a', '1'));
  queue.change(change('b', '1'));
  await queue.idle();
  assert.deepEqual(batches, [['a@1', 'b@1']]);
  assert.deepEqual(pauses, [100, 500, 1_000, 2_000]);
  assert.equal(problems.length, 3);
});

test('many kinds that begin together ask for one reconcile', async () => {
  const { queue, requests } = posting();
  for (let kind = 0; kind < 29; kind += 1) queue.reconcile();
  await queue.idle();
  assert.deepEqual(requests, [{ cluster: 'prod', reason: 'WatchStarted', observedAt: '2026-11-25T19:00:00Z' }]);
});

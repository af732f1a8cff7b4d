import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { backoffMs, retryAfterMs } from '../shared/backoff.ts';
import { inParallel } from '../shared/parallel.ts';

test('pauses double from the base to the cap, at least half of them fixed', () => {
  const backoff = { baseMs: 100, capMs: 1_000 };
  assert.deepEqual(
    [0, 1, 2, 3, 4, 99].map((attempt) => backoffMs(backoff, attempt, 1)),
    [100, 200, 400, 800, 1_000, 1_000],
  );
  assert.deepEqual(
    [0, 1, 2, 3, 4, 99].map((attempt) => backoffMs(backoff, attempt, 0)),
    [50, 100, 200, 400, 500, 500],
  );
});

test('a pause is never longer than the cap', () => {
  fc.assert(
    fc.property(
      fc.nat(1_000),
      fc.nat(10_000),
      fc.nat(2_000),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (attempt, baseMs, capMs, random) => {
        const pause = backoffMs({ baseMs, capMs }, attempt, random);
        assert.ok(pause >= 0 && pause <= capMs);
      },
    ),
  );
});

const NOW = Date.UTC(2026, 10, 23, 2);
const headers: readonly [header: string | undefined, ms: number | undefined][] = [
  ['3', 3_000],
  ['0', 0],
  ['Mon, 23 Nov 2026 02:00:10 GMT', 10_000],
  ['Mon, 23 Nov 2026 01:00:00 GMT', 0],
  ['soon', undefined],
  ['-1', undefined],
  ['', undefined],
  [undefined, undefined],
];
for (const [header, ms] of headers) {
  test(`Retry-After ${JSON.stringify(header)} is ${ms} ms`, () => assert.equal(retryAfterMs(header, NOW), ms));
}

/** Lets other promises go on. */
async function turn(): Promise<void> {
  await new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
}

test('parallel work keeps its order and its limit', async () => {
  let running = 0;
  let most = 0;
  const results = await inParallel(3, [5, 1, 4, 2, 3], async (turns) => {
    running += 1;
    most = Math.max(most, running);
    for (let left = turns; left > 0; left -= 1) await turn();
    running -= 1;
    return turns * 10;
  });
  assert.deepEqual(results, [50, 10, 40, 20, 30]);
  assert.equal(most, 3);
  assert.deepEqual(await inParallel(3, [], async () => 1), []);
});

test('after a failure no further item is begun, and those under way are waited for', async () => {
  const begun: number[] = [];
  const done: number[] = [];
  const work = inParallel(2, [1, 2, 3, 4], async (item) => {
    begun.push(item);
    if (item === 1) throw new Error('boom');
    for (let left = 5; left > 0; left -= 1) await turn();
    done.push(item);
  });
  await assert.rejects(work, /boom/);
  assert.deepEqual([begun, done], [[1, 2], [2]]);
});

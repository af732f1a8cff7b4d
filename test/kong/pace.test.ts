import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { adjust, MAX_RATE, MIN_RATE } from '../../shared/kong/pace.ts';
import type { Pace, Reading } from '../../shared/kong/pace.ts';
import { BURST, pacer } from '../../shared/kong/pacer.ts';
import { inParallel } from '../../shared/parallel.ts';
import { virtualTime } from '../support/virtual-time.ts';

const reading = fc.record<Reading>({
  ageMs: fc.double({ min: 0, max: 60_000, noNaN: true }),
  backlog: fc.nat(50_000),
  drainPerSecond: fc.option(fc.double({ min: 0.1, max: 5_000, noNaN: true }), { nil: undefined }),
});
const pace = fc.record<Pace>({
  rate: fc.double({ min: MIN_RATE, max: MAX_RATE, noNaN: true }),
  open: fc.boolean(),
  drainPerSecond: fc.option(fc.double({ min: 0.1, max: 5_000, noNaN: true }), { nil: undefined }),
});

test('the rate stays within its bounds, whatever is read', () => {
  fc.assert(
    fc.property(fc.array(reading, { maxLength: 50 }), (readings) => {
      let now: Pace | undefined;
      for (const item of readings) {
        now = adjust(now, item);
        assert.ok(now.rate >= MIN_RATE && now.rate <= MAX_RATE, String(now.rate));
      }
    }),
  );
});

test('an older backlog never makes it faster, nor opens what a younger one closes', () => {
  fc.assert(
    fc.property(pace, reading, fc.double({ min: 0, max: 10_000, noNaN: true }), (before, item, more) => {
      const younger = adjust(before, item);
      const older = adjust(before, { ...item, ageMs: item.ageMs + more });
      assert.ok(older.rate <= younger.rate);
      assert.ok(younger.open || !older.open);
    }),
  );
});

interface Load {
  /** Events that Kong's queue writes per second; may depend on the time, ms. */
  readonly drain: number | ((ms: number) => number);
  readonly writes: number;
  /** Time of one Admin API request, ms. */
  readonly requestMs: number;
  readonly connections: number;
  /** How many events never come, from the burst's end on. */
  readonly lost?: number;
  /** After so many writes, nothing is written for 10 s. */
  readonly restAfter?: number;
  /** Writes of one run, of several that follow one another; all in one unless set. */
  readonly perRun?: number;
}

interface Seen {
  /** The longest time that an event came after its write, ms, of writes after the burst. */
  readonly worstMs: number;
  readonly seconds: number;
  readonly readings: number;
  readonly unannounced: number;
}

test('a short run reads nothing and waits for nothing', async () => {
  const { readings, seconds } = await simulate({ drain: 1, writes: BURST, requestMs: 10, connections: 10 });
  assert.equal(readings, 0);
  assert.equal(seconds, (BURST / 10) * 0.01);
});

test('a Kong that becomes slow in the middle is followed', async () => {
  const slow = { drain: (ms: number) => (ms < 4_000 ? 2_000 : 150), writes: 4_000, requestMs: 10, connections: 10 };
  const { worstMs, unannounced } = await simulate(slow);
  assert.equal(unannounced, 0);
  assert.ok(worstMs < 4_000, `lag ${worstMs} ms`);
});

test('events that never come stop the writing, and are told of after half a minute', async () => {
  const { unannounced, seconds } = await simulate({ drain: 500, writes: 600, requestMs: 10, connections: 10, lost: 3 });
  assert.equal(unannounced, 3);
  assert.ok(seconds > 30 && seconds < 90, `${seconds} s`);
});

test('runs that follow one another lag as little as one, and go on at the pace that was found', async () => {
  const load = { drain: 400, writes: 8_000, requestMs: 10, connections: 10 };
  const [one, many] = [await simulate(load), await simulate({ ...load, perRun: 800 })];
  assert.ok(many.worstMs < 2_000, `lag ${many.worstMs} ms`);
  assert.ok(many.seconds < one.seconds * 1.3, `${many.seconds} s instead of ${one.seconds} s`);
});

test('after a rest a run is at full speed again', async () => {
  const first = await simulate({ drain: 500, writes: BURST, requestMs: 10, connections: 10 });
  const both = await simulate({ drain: 500, writes: 2 * BURST, requestMs: 10, connections: 10, restAfter: BURST });
  assert.equal(both.readings, 0);
  assert.ok(both.seconds < 2 * first.seconds + 11);
});

/** Writes through a pacer to a Kong that announces one write after the other, in virtual time. */
function simulate({
  drain,
  writes,
  requestMs,
  connections,
  lost = 0,
  restAfter = writes,
  perRun = writes,
}: Load): Promise<Seen> {
  const time = virtualTime();
  const announcedAt = new Map<string, number>();
  let readings = 0;
  let free = 0;
  let worstMs = 0;
  const run = async (): Promise<Seen> => {
    const paced = pacer({
      clock: time.clock,
      sleep: time.sleep,
      events: {
        forget: () => undefined,
        announced: async (asked) => {
          readings += 1;
          await time.sleep(5);
          return new Set(asked.filter((write) => (announcedAt.get(write.id) ?? Infinity) <= time.clock()));
        },
      },
    });
    const ids = Array.from({ length: writes }, (_item, n) => n);
    const write = async (n: number): Promise<void> => {
      const at = await paced.admit();
      await time.sleep(requestMs);
      free = Math.max(free, time.clock()) + 1000 / (typeof drain === 'number' ? drain : drain(time.clock()));
      if (n < BURST || n >= BURST + lost) announcedAt.set(String(n), free);
      if (n >= BURST) worstMs = Math.max(worstMs, free - at);
      paced.wrote({ type: 'routes', id: String(n) }, at);
    };
    let unannounced = 0;
    for (let from = 0; from < writes; from += perRun) {
      const part = ids.slice(from, from + perRun);
      await inParallel(connections, part.slice(0, restAfter), write);
      if (restAfter < part.length) await time.sleep(10_000);
      await inParallel(connections, part.slice(restAfter), write);
      unannounced += (await paced.settle()).length;
    }
    return { worstMs, seconds: time.clock() / 1000, readings, unannounced };
  };
  return time.run(run());
}

test('events lag less than 2 s behind whatever Kong can do, and most of that is used', async () => {
  const load = fc.record<Load>({
    drain: fc.integer({ min: 120, max: 2_000 }),
    writes: fc.integer({ min: 1_000, max: 4_000 }),
    requestMs: fc.integer({ min: 5, max: 30 }),
    connections: fc.constantFrom(4, 10, 16),
    perRun: fc.constantFrom(300, 800, 4_000),
  });
  await fc.assert(
    fc.asyncProperty(load, async (given) => {
      const { worstMs, seconds, unannounced } = await simulate(given);
      assert.equal(unannounced, 0);
      assert.ok(worstMs < 2_000, `lag ${worstMs} ms`);
      const possible = Math.min(Number(given.drain), (given.connections * 1000) / given.requestMs, MAX_RATE);
      assert.ok(given.writes / seconds > possible * 0.4, `${given.writes / seconds}/s of ${possible}/s`);
    }),
    { numRuns: 30 },
  );
});

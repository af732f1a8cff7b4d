import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keepConnected } from '../../shared/access/connection.ts';

interface Counted {
  readonly number: number;
  close(): Promise<void>;
}

/** Connections with numbers; `closed` are those that were closed, the first ones of `fail` cannot be made. */
function counting(fail = 0): { connect: () => Promise<Counted>; closed: number[] } {
  const closed: number[] = [];
  let made = 0;
  return {
    closed,
    connect: async () => {
      made += 1;
      const number = made;
      if (number <= fail) throw new Error('no');
      return {
        number,
        close: async () => {
          closed.push(number);
        },
      };
    },
  };
}

test('a connection is kept, and a failed one is tried again', async () => {
  const { connect, closed } = counting(1);
  const get = keepConnected(
    () => ({}),
    connect,
    () => 0,
  );
  await assert.rejects(get(), /no/);
  const both = await Promise.all([get(), get()]);
  assert.deepEqual(
    both.map(({ number }) => number),
    [2, 2],
  );
  assert.deepEqual(closed, []);
});

test('with references among the settings it is made anew when they have got old', async () => {
  const { connect, closed } = counting();
  let now = 0;
  const env = { KONG_ADMIN_TOKEN: 'ssm:/kong/token', SECRETS_MAX_AGE_SECONDS: '10' };
  const get = keepConnected(
    () => env,
    connect,
    () => now,
  );
  assert.equal((await get()).number, 1);
  now = 9_999;
  assert.equal((await get()).number, 1);
  now = 10_000;
  assert.equal((await get()).number, 2);
  assert.deepEqual(closed, [1]);
});

test('without references it is kept for ever', async () => {
  const { connect } = counting();
  let now = 0;
  const get = keepConnected(
    () => ({ KONG_ADMIN_TOKEN: 'plain' }),
    connect,
    () => now,
  );
  await get();
  now = Number.MAX_SAFE_INTEGER;
  assert.equal((await get()).number, 1);
});

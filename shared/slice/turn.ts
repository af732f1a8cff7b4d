import { AppError } from '../errors.ts';

const turns = new WeakMap<object, Promise<void>>();

async function within(waited: Promise<void>, waitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new AppError('LOCK_BUSY', `Another run of this process took longer than ${waitMs} ms`));
    }, waitMs);
  });
  try {
    await Promise.race([waited, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Runs work that needs several connections of one pool, one after the other: were all of them to wait for the lock, each
 * on a connection, the one that has it would find none left. Throws LOCK_BUSY when the turn does not come in time.
 */
export async function inTurn<T>(pool: object, waitMs: number, work: () => Promise<T>): Promise<T> {
  const earlier = turns.get(pool) ?? Promise.resolve();
  const turn = Promise.withResolvers<void>();
  turns.set(
    pool,
    earlier.then(() => turn.promise),
  );
  try {
    await within(earlier, waitMs);
    return await work();
  } finally {
    turn.resolve();
  }
}

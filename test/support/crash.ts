import type pg from 'pg';
import type { AdminClient } from '../../shared/kong/admin.ts';
import type { SliceDependencies } from '../../shared/slice.ts';

/** Where a process dies: before or after its n-th effect, the first being 1. */
export interface CrashPoint {
  readonly effect: number;
  readonly when: 'before' | 'after';
}

export class Killed extends Error {}

/** Which part an effect is on. */
export type Where = 'kong' | 'postgres' | 'kubernetes';

/** Does effects, or not. */
export interface Fate {
  effect<T>(where: Where, work: () => Promise<T>): Promise<T>;
}

/** Counts effects and dies at a point: from then on nothing has an effect any more. */
export class Mortal implements Fate {
  effects = 0;
  dead = false;
  readonly #point: CrashPoint | undefined;

  constructor(point?: CrashPoint) {
    this.#point = point;
  }

  async effect<T>(_where: Where, work: () => Promise<T>): Promise<T> {
    if (this.dead) throw new Killed();
    this.effects += 1;
    const here = this.#point?.effect === this.effects;
    if (here && this.#point?.when === 'before') this.dead = true;
    if (this.dead) throw new Killed();
    const result = await work();
    if (here) this.dead = true;
    if (this.dead) throw new Killed();
    return result;
  }
}

/** An object whose methods of these names are effects. */
function mortal<T extends object>(target: T, where: Where, names: readonly string[], life: Fate): T {
  return new Proxy(target, {
    get: (_target, property) => {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== 'function') return value;
      if (!names.includes(String(property))) return value.bind(target);
      return async (...parameters: unknown[]): Promise<unknown> =>
        life.effect(where, async () => Reflect.apply(value, target, parameters));
    },
  });
}

const ADMIN = ['put', 'createTarget', 'updateTarget', 'remove', 'get', 'schema'];

/** A process that dies takes its connections with it, also one that it has just got. */
async function mortalConnect(pool: pg.Pool, life: Fate): Promise<pg.PoolClient> {
  let client: pg.PoolClient | undefined;
  try {
    await life.effect('postgres', async () => {
      client = await pool.connect();
    });
  } catch (error) {
    client?.release(true);
    throw error;
  }
  if (client === undefined) throw new Killed();
  return mortal(client, 'postgres', ['query'], life);
}

function mortalPool<P extends pg.Pool>(pool: P, life: Fate): P {
  const queries = mortal(pool, 'postgres', ['query'], life);
  return new Proxy(queries, {
    get: (_target, property) => {
      if (property === 'connect') return () => mortalConnect(pool, life);
      const value: unknown = Reflect.get(queries, property, queries);
      return value;
    },
  });
}

/** The same dependencies for a process that dies. */
export function mortalDependencies(dependencies: SliceDependencies, life: Fate): SliceDependencies {
  const { kubernetes, actual, statePool } = dependencies;
  const kongPool = mortalPool(dependencies.kongPool, life);
  const admin: AdminClient = mortal(dependencies.admin, 'kong', ADMIN, life);
  return {
    ...dependencies,
    statePool: statePool === dependencies.kongPool ? kongPool : mortalPool(statePool, life),
    kongPool,
    admin,
    ...(actual === undefined ? {} : { actual: mortal(actual, 'postgres', Object.keys(actual), life) }),
    kubernetes: {
      get requests() {
        return kubernetes.requests;
      },
      get: (kind, namespace, name) => life.effect('kubernetes', () => kubernetes.get(kind, namespace, name)),
      list: (kind, selection) => life.effect('kubernetes', () => kubernetes.list(kind, selection)),
    },
  };
}

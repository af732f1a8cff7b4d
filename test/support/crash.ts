import type pg from 'pg';
import type { AdminClient } from '../../shared/kong/admin.ts';
import type { SliceDependencies } from '../../shared/slice.ts';

/** Where a process dies: before or after its n-th effect, the first being 1. */
export interface CrashPoint {
  readonly effect: number;
  readonly when: 'before' | 'after';
}

export class Killed extends Error {}

/** Counts effects and dies at a point: from then on nothing has an effect any more. */
export class Mortal {
  effects = 0;
  dead = false;
  readonly #point: CrashPoint | undefined;

  constructor(point?: CrashPoint) {
    this.#point = point;
  }

  async effect<T>(work: () => Promise<T>): Promise<T> {
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
function mortal<T extends object>(target: T, names: readonly string[], life: Mortal): T {
  return new Proxy(target, {
    get: (_target, property) => {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== 'function') return value;
      if (!names.includes(String(property))) return value.bind(target);
      return async (...parameters: unknown[]): Promise<unknown> =>
        life.effect(async () => Reflect.apply(value, target, parameters));
    },
  });
}

const ADMIN = ['put', 'createTarget', 'updateTarget', 'remove', 'get', 'schema'];

/** A process that dies takes its connections with it, also one that it has just got. */
async function mortalConnect(pool: pg.Pool, life: Mortal): Promise<pg.PoolClient> {
  let client: pg.PoolClient | undefined;
  try {
    await life.effect(async () => {
      client = await pool.connect();
    });
  } catch (error) {
    client?.release(true);
    throw error;
  }
  if (client === undefined) throw new Killed();
  return mortal(client, ['query'], life);
}

function mortalPool(pool: pg.Pool, life: Mortal): pg.Pool {
  const queries = mortal(pool, ['query'], life);
  return new Proxy(queries, {
    get: (_target, property) => {
      if (property === 'connect') return () => mortalConnect(pool, life);
      const value: unknown = Reflect.get(queries, property, queries);
      return value;
    },
  });
}

/** The same dependencies for a process that dies. */
export function mortalDependencies(dependencies: SliceDependencies, life: Mortal): SliceDependencies {
  const pool = mortalPool(dependencies.kongPool, life);
  const { kubernetes } = dependencies;
  const admin: AdminClient = mortal(dependencies.admin, ADMIN, life);
  return {
    ...dependencies,
    statePool: pool,
    kongPool: pool,
    admin,
    kubernetes: {
      get requests() {
        return kubernetes.requests;
      },
      get: (kind, namespace, name) => life.effect(() => kubernetes.get(kind, namespace, name)),
      list: (kind, selection) => life.effect(() => kubernetes.list(kind, selection)),
    },
  };
}

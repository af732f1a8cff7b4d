import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import fc from 'fast-check';
import { AppError } from '../../shared/errors.ts';
import type { ChangeEvent } from '../../shared/events.ts';
import { keyOf } from '../../shared/kubernetes/keys.ts';
import type { KubernetesObject } from '../../shared/kubernetes/resources.ts';
import { prepareIndex, runSlice, type SliceDependencies, type SliceResult } from '../../shared/slice.ts';
import { isRoot } from '../../shared/translate/index.ts';
import { cases } from '../support/cases.ts';
import { Mortal, mortalDependencies, type CrashPoint, type Fate, type Where } from '../support/crash.ts';
import { temporaryPostgres, type TemporaryPostgres } from '../support/postgres.ts';
import { merged, scenes, startWorld, type Scene, type World } from '../support/world.ts';

/** Cases that together have every type of entity, and so every level. */
const PARTS = [
  'ingress-tls/default',
  'consumers/default',
  'vaults/community',
  'custom-entities/default',
  'service-annotations/default',
  'targets/default',
];

function sceneOfAll(): Scene {
  const [first, ...others] = PARTS.flatMap((part) => scenes().filter(({ name }) => name === part));
  if (first === undefined) throw new Error('there are no golden cases');
  return merged(first, ...others);
}

const SCENE = sceneOfAll();

let server: TemporaryPostgres;
let world: World;
let dependencies: SliceDependencies;
before(async () => {
  server = await temporaryPostgres();
  world = await startWorld(server, 'deaths');
  await prepareIndex(world.pool);
  dependencies = world.dependencies(SCENE.options);
  for (const object of SCENE.objects) world.cluster.put(object);
  world.kong.plant('upstreams', '00000000-0000-4000-8000-000000000001', { name: 'theirs', tags: [] });
  await world.heal(dependencies);
  await world.assertFull(SCENE.options);
});
after(async () => {
  await world.stop();
  await server.stop();
});

let odd = false;

/** The same object, so that what is made of it changes. */
function touched(object: KubernetesObject): KubernetesObject {
  const { metadata } = object;
  return {
    ...object,
    metadata: { ...metadata, annotations: { ...metadata.annotations, 'konghq.com/tags': 'touched' } },
  };
}

/** Turns the cluster into its other state: of the roots every third one comes, goes or changes. */
function flip(): readonly ChangeEvent[] {
  odd = !odd;
  const { cluster } = world;
  return SCENE.objects.flatMap((object, place): ChangeEvent[] => {
    const [kind, namespace, name] = [object.kind, object.metadata.namespace ?? '', object.metadata.name];
    const there = cluster.get(keyOf(object)) !== undefined;
    const part = place % 3;
    if (part === 2 || !(isRoot(object) || object.kind === 'EndpointSlice')) {
      return part === 2 ? [cluster.put(odd ? touched(object) : object)] : [];
    }
    const stays = (part === 0) === odd;
    if (stays === there) return [];
    return [stays ? cluster.put(object) : cluster.remove(kind, namespace, name)];
  });
}

async function dieAt(point: CrashPoint | undefined, changes: readonly ChangeEvent[]): Promise<Mortal> {
  const life = new Mortal(point);
  try {
    await runSlice({ changes }, mortalDependencies(dependencies, life));
  } catch (error) {
    if (!life.dead) throw error;
  }
  return life;
}

test('killed before and after every single effect on entities of every type, the next run ends where it should', async (context) => {
  let points = 0;
  for (const when of ['before', 'after'] as const) {
    for (let effect = 1; ; effect += 1) {
      const changes = flip();
      const life = await dieAt({ effect, when }, changes);
      if (!life.dead) break;
      points += 1;
      // Every other time the event comes again; else it is lost, and reconcile finds out.
      if (effect % 2 === 0) await runSlice({ changes }, dependencies);
      else await world.heal(dependencies);
      await world.assertFull(SCENE.options, `${when} effect ${effect}`);
      assert.ok(world.kong.rows().has('upstreams/00000000-0000-4000-8000-000000000001'));
    }
  }
  context.diagnostic(`${points} crash points, ${world.kong.rows().size} entities`);
  assert.ok(points > 200, `${points} crash points`);
});

const FAULTS: Readonly<Record<Where, () => Error>> = {
  kong: () => new AppError('KONG_UNAVAILABLE', 'Kong answers 503'),
  postgres: () => Object.assign(new Error('Connection terminated unexpectedly'), { code: '57P01' }),
  kubernetes: () => new AppError('KUBERNETES_UNAVAILABLE', 'the API server answers 500'),
};

/** Lets one effect in so many fail, before it is done or after. */
class Flaky implements Fate {
  failed = 0;
  readonly #next: () => number;
  readonly #oneIn: number;

  constructor(next: () => number, oneIn: number) {
    this.#next = next;
    this.#oneIn = oneIn;
  }

  async effect<T>(where: Where, work: () => Promise<T>): Promise<T> {
    const drawn = this.#next();
    if (drawn % this.#oneIn !== 0) return work();
    this.failed += 1;
    if (drawn % (2 * this.#oneIn) === 0) await work();
    throw FAULTS[where]();
  }
}

/** Numbers that look random, the same ones for the same seed. */
function numbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 8;
  };
}

let tries = 0;
let faults = 0;

/** Delivers changes until a run takes them, as the queue does. */
async function deliver(changes: readonly ChangeEvent[], flaky: Flaky): Promise<SliceResult | undefined> {
  for (let attempt = 0; attempt < 12; attempt += 1) {
    tries += 1;
    try {
      return await runSlice({ changes }, mortalDependencies(dependencies, flaky));
    } catch (error) {
      assert.ok(error instanceof AppError && error.info.retryable, String(error));
    }
  }
  return undefined;
}

test('whatever fails at random, on Kong, PostgreSQL and Kubernetes, what comes again ends where it should', async (context) => {
  const report = await fc.check(
    fc.asyncProperty(fc.nat(), fc.constantFrom(15, 40, 120, 400), async (seed, oneIn) => {
      const flaky = new Flaky(numbers(seed), oneIn);
      const changes = flip();
      const result = await deliver(changes, flaky);
      faults += flaky.failed;
      if (result === undefined || result.rejected.length > 0) await world.heal(dependencies);
      await world.assertFull(SCENE.options, `seed ${seed}`);
    }),
    { numRuns: cases(60), endOnFailure: true },
  );
  context.diagnostic(`${report.numRuns} changes, ${tries} runs, ${faults} faults, seed ${report.seed}`);
  if (report.failed) throw new Error(fc.defaultReportMessage(report), { cause: report.errorInstance });
});

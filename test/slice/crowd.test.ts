import test, { after, before } from 'node:test';
import fc from 'fast-check';
import pg from 'pg';
import { prepareIndex, runSlice, type SliceDependencies } from '../../shared/slice.ts';
import { cases } from '../support/cases.ts';
import { temporaryPostgres, type TemporaryPostgres } from '../support/postgres.ts';
import { acts, play, scenes, startWorld, told, type Act, type Scene, type World } from '../support/world.ts';

let server: TemporaryPostgres;
let world: World;
/** Connections of another process: its slices meet the first one's at the lock. */
let others: readonly [state: pg.Pool, kong: pg.Pool];
before(async () => {
  server = await temporaryPostgres();
  world = await startWorld(server, 'crowd');
  await prepareIndex(world.pool);
  const connectionString = world.url;
  others = [new pg.Pool({ connectionString, max: 4 }), new pg.Pool({ connectionString, max: 2 })];
  for (const pool of others) pool.on('error', () => undefined);
});
after(async () => {
  for (const pool of others) await pool.end();
  await world.stop();
  await server.stop();
});

/** A change and its slice, a reconcile of the other process, or somebody else who changes Kong; after so many turns. */
interface Move {
  readonly act: Act | 'reconcile' | 'foreign';
  readonly turns: number;
  readonly elsewhere: boolean;
}

function moves(scene: Scene, foreign: boolean): fc.Arbitrary<Move[]> {
  const act = fc.oneof(
    { weight: 5, arbitrary: acts(scene) },
    { weight: 2, arbitrary: fc.constant('reconcile' as const) },
    { weight: foreign ? 3 : 0, arbitrary: fc.constant('foreign' as const) },
  );
  const one = fc.record({ act, turns: fc.nat(20), elsewhere: fc.boolean() });
  return fc.array(one, { minLength: 3, maxLength: 9 });
}

/** Somebody changes an entity of ours behind our back, or deletes it. */
function meddle(turns: number): void {
  const rows = [...world.kong.rows().keys()].filter((key) =>
    /^(routes|services|upstreams|targets|plugins)\//.test(key),
  );
  const id = rows[turns % Math.max(1, rows.length)]?.split('/')[1];
  if (id === undefined) return;
  if (turns % 3 === 0) world.kong.remove(id);
  else world.kong.mark(id, 'theirs');
}

async function move(scene: Scene, dependencies: SliceDependencies, { act, turns, elsewhere }: Move): Promise<void> {
  const [statePool, kongPool] = others;
  const mine = elsewhere ? { ...dependencies, statePool, kongPool } : dependencies;
  for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate);
  if (act === 'foreign') return meddle(turns);
  if (act === 'reconcile') {
    await world.heal({ ...mine, settings: { ...mine.settings, maxRoots: 2 } });
    return;
  }
  const changes = play(world.cluster, scene, act);
  if (changes.length > 0) await runSlice({ changes }, mine);
}

const SCENES = scenes().filter(({ objects }) => objects.length > 0);

function text(all: readonly Move[]): string {
  return all
    .map(({ act, turns, elsewhere }) => {
      return `${typeof act === 'string' ? act : told(act)} after ${turns}${elsewhere ? ' elsewhere' : ''}`;
    })
    .join(', ');
}

for (const foreign of [false, true]) {
  const end = foreign
    ? 'one reconcile after the pauses puts everything right'
    : 'the newest knowledge stays, without a further run';
  test(`slices and reconciles of two processes at once${foreign ? ', and somebody else' : ''}: ${end}`, async (context) => {
    const plays = fc
      .constantFrom(...SCENES)
      .chain((scene) => fc.record({ scene: fc.constant(scene), all: moves(scene, foreign) }));
    const report = await fc.check(
      fc.asyncProperty(plays, async ({ scene, all }) => {
        const dependencies = world.dependencies(scene.options);
        await world.clear();
        for (const object of scene.objects) world.cluster.put(object);
        await world.heal(dependencies);
        await Promise.all(all.map((one) => move(scene, dependencies, one)));
        if (foreign) {
          // Kong refused what lost its parent to the stranger in the middle of a slice.
          await world.endPauses();
          await world.heal(dependencies);
        }
        await world.assertFull(scene.options, `${scene.name}: ${text(all)}`);
      }),
      { numRuns: cases(60), endOnFailure: true },
    );
    context.diagnostic(`${report.numRuns} interleavings, seed ${report.seed}`);
    if (report.failed) throw new Error(`seed ${report.seed}`, { cause: report.errorInstance });
  });
}

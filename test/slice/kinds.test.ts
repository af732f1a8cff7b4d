import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import fc from 'fast-check';
import type { ChangeEvent } from '../../shared/events.ts';
import { prepareIndex, runSlice } from '../../shared/slice.ts';
import { cases } from '../support/cases.ts';
import { temporaryPostgres, type TemporaryPostgres } from '../support/postgres.ts';
import { acts, kindsOf, merged, play, scenes, startWorld, told, type World } from '../support/world.ts';

let server: TemporaryPostgres;
let world: World;
before(async () => {
  server = await temporaryPostgres();
  world = await startWorld(server, 'kinds');
  await prepareIndex(world.pool);
});
after(async () => {
  await world.stop();
  await server.stop();
});

const SCENES = scenes().filter(({ objects }) => objects.length > 0);

/** What the network does to the events of an act. */
type Fate = 'once' | 'twice' | 'late' | 'lost';

const fates = fc.constantFrom<Fate>('once', 'once', 'once', 'twice', 'late', 'lost');

/** One scene, or two in one cluster. */
const sets = fc.oneof(
  fc.constantFrom(...SCENES),
  fc
    .tuple(fc.constantFrom(...SCENES), fc.constantFrom(...SCENES))
    .filter(([one, two]) => one !== two && one.options.raw === two.options.raw)
    .map(([one, two]) => merged(one, two)),
);

const plays = sets.chain((scene) =>
  fc.record({
    scene: fc.constant(scene),
    /** Slices of few roots, so that changes are worked off in parts. */
    maxRoots: fc.constantFrom(1, 3, 200),
    steps: fc.array(fc.record({ act: acts(scene), fate: fates }), { minLength: 2, maxLength: 9 }),
  }),
);

type Play = typeof plays extends fc.Arbitrary<infer T> ? T : never;

function asText({ scene, maxRoots, steps }: Play): string {
  return `${scene.name}, ${maxRoots} roots a slice: ${steps.map(({ act, fate }) => `${told(act)} ${fate}`).join(', ')}`;
}

let steps = 0;

async function deliver(played: Play, changes: readonly ChangeEvent[]): Promise<void> {
  const base = world.dependencies(played.scene.options);
  const dependencies = { ...base, settings: { ...base.settings, maxRoots: played.maxRoots } };
  if (changes.length === 0) return;
  let { remaining } = await runSlice({ changes }, dependencies);
  while (remaining.length > 0) {
    const next = await runSlice({ roots: remaining }, dependencies);
    const done = new Set(next.roots);
    remaining = next.remaining.filter((key) => !done.has(key));
  }
}

async function check(played: Play): Promise<void> {
  const { scene } = played;
  const dependencies = world.dependencies(scene.options);
  await world.clear();
  for (const object of scene.objects) world.cluster.put(object);
  await world.heal(dependencies);
  await world.assertFull(scene.options, 'at first');
  const late: ChangeEvent[] = [];
  let lost = false;
  for (const { act, fate } of played.steps) {
    steps += 1;
    const changes = play(world.cluster, scene, act);
    if (fate === 'lost') lost ||= changes.length > 0;
    else if (fate === 'late') late.unshift(...changes);
    else await deliver(played, fate === 'twice' ? [...changes, ...changes] : changes);
    // Whatever has not been heard of yet may still be missing.
    if (!lost && late.length === 0) await world.assertFull(scene.options, told(act));
  }
  for (const change of late) await deliver(played, [change]);
  if (lost) await world.heal(dependencies);
  await world.assertFull(scene.options, 'in the end');
  const rows = world.kong.rows();
  const again = await world.heal(dependencies);
  assert.deepEqual([again.differences.roots, world.kong.rows()], [[], rows], 'a second run');
}

test('slices equal a full translation after every change of any kind, and a reconcile finds what was lost', async (context) => {
  const kinds = new Set(SCENES.flatMap((scene) => [...kindsOf(scene)]));
  assert.ok(kinds.size > 25, [...kinds].join(' '));
  const report = await fc.check(fc.asyncProperty(plays, check), { numRuns: cases(250) });
  context.diagnostic(`${report.numRuns} sequences, ${steps} changes of ${kinds.size} kinds, seed ${report.seed}`);
  if (!report.failed) return;
  const [played] = report.counterexample ?? [];
  const what = played === undefined ? 'nothing' : asText(played);
  throw new Error(`seed ${report.seed}, path ${report.counterexamplePath}: ${what}`, { cause: report.errorInstance });
});

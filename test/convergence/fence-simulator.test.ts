import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fenceOf } from '../../shared/convergence/fence.ts';
import type { Revision } from '../../shared/convergence/types.ts';
import { Random, Timeline } from './timeline.ts';

const COUNT = Number(process.env.SIMULATED_SCHEDULES ?? 20_000);
const SEED = Number(process.env.SIMULATED_SEED ?? 1);

/** A transaction of Kong's: begins, takes a version, and is committed; others overtake it at any of these (DB §2.5). */
interface Write {
  readonly xid: number;
  version: number;
  committed: boolean;
}

interface Written extends Revision {
  readonly writes: readonly Write[];
}

interface DataPlane {
  version: number;
  readonly has: Set<Write>;
}

/** Control planes and data planes with sync v2: whole configurations, or changes one by one as in Kong 3.9. */
class FenceWorld {
  readonly timeline = new Timeline();
  readonly writes: Write[] = [];
  readonly dataPlane: DataPlane = { version: 0, has: new Set() };
  readonly random: Random;
  readonly deltas: boolean;
  /** Newest first. */
  revisions: readonly Written[] = [];
  #xid = 100;
  #version = 0;

  constructor(seed: number) {
    this.random = new Random(seed);
    this.deltas = this.random.chance(0.5);
  }

  begin(done: () => void = () => undefined): Write {
    const write: Write = { xid: (this.#xid += 1), version: 0, committed: false };
    this.writes.push(write);
    this.timeline.after(this.random.upTo(this.random.pick([3, 60])), () => {
      write.version = this.#version += 1;
      this.timeline.after(this.random.upTo(20), () => {
        write.committed = true;
        done();
        // Kong tells the data planes at once.
        if (this.random.chance(0.8)) this.sync();
      });
    });
    return write;
  }

  sync(): void {
    const seen = this.writes.filter(({ committed }) => committed);
    const latest = Math.max(0, ...seen.map(({ version }) => version));
    if (latest <= this.dataPlane.version) return;
    const sent = this.deltas ? seen.filter(({ version }) => version > this.dataPlane.version) : seen;
    for (const write of sent) this.dataPlane.has.add(write);
    this.dataPlane.version = latest;
  }

  /** So many slices, one after the other, as the lock has it. */
  slices(left: number): void {
    if (left === 0) return;
    const count = this.random.pick([1, 1, 2, 5]);
    let open = count;
    const writes: Write[] = [];
    const done = (): void => {
      open -= 1;
      if (open > 0) return;
      this.timeline.after(this.random.upTo(5), () => {
        this.#commit(writes);
        this.timeline.after(this.random.upTo(30), () => this.slices(left - 1));
      });
    };
    for (let n = 0; n < count; n += 1) this.timeline.after(this.random.upTo(10), () => writes.push(this.begin(done)));
  }

  #commit(writes: readonly Write[]): void {
    const { now } = this.timeline;
    const place = { id: String(this.revisions.length + 1), changes: writes.length, startedAt: 0, writtenAt: now };
    this.revisions = [
      { ...place, snapshotXmax: String(this.#xid + 1), convergedAt: undefined, writes },
      ...this.revisions,
    ];
  }

  /** Revisions that the data plane is said to have, and has not; and how many it was said to have. */
  look(): { readonly wrong: readonly Written[]; readonly said: number } {
    const rows = this.writes
      .filter(({ committed }) => committed)
      .map(({ version, xid }) => {
        const after = this.revisions.findIndex(({ snapshotXmax }) => xid >= Number(snapshotXmax));
        return { version, after: after === -1 ? null : after };
      });
    const said = this.revisions.filter((revision, place) => {
      const least = fenceOf(rows, revision, place, this.deltas);
      return least !== undefined && this.dataPlane.version >= least;
    });
    const { has } = this.dataPlane;
    return { said: said.length, wrong: said.filter(({ writes }) => !writes.every((write) => has.has(write))) };
  }
}

test(`sync v2: no schedule of ${COUNT} from seed ${SEED} gives a false "converged"`, (t) => {
  const counts = { said: 0, overtaken: 0 };
  for (let seed = SEED; seed < SEED + COUNT; seed += 1) {
    const world = new FenceWorld(seed);
    const { timeline, random } = world;
    timeline.at(random.upTo(60), () => world.slices(random.between(1, 3)));
    for (let n = random.upTo(4); n > 0; n -= 1) timeline.at(random.upTo(200), () => world.begin());
    for (let at = 5; at < 300; at += 7) {
      timeline.at(at, () => {
        const { wrong, said } = world.look();
        assert.deepEqual(wrong, [], `seed ${seed}, ${at} ms`);
        counts.said += said;
      });
    }
    timeline.play(300, () => false);
    // The race is there: the data plane is at the last version, and a write is missing.
    if (world.writes.some((write) => write.committed && !world.dataPlane.has.has(write))) counts.overtaken += 1;
  }
  t.diagnostic(JSON.stringify(counts));
  assert.ok(counts.said > COUNT && counts.overtaken > COUNT / 100);
});

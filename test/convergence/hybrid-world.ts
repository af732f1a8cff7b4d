import { Random, Timeline } from './timeline.ts';

/** A data plane of a schedule. Times are ms. */
export interface PlannedDataPlane {
  readonly controlPlane: number;
  readonly applyMs: number;
  /** Its slowest worker serves what is stored so much later. */
  readonly rebuildMs: number;
  readonly pingPhaseMs: number;
  /** It stores nothing from then on, and says nothing of it. */
  readonly refusesFrom: number | undefined;
  /** Cut off from control planes. */
  readonly cut: readonly [from: number, until: number] | undefined;
  /** It starts anew then, as a new pod with a new id; the old row stays. */
  readonly renewedAt: number | undefined;
  readonly losesPings: number;
}

/** A random run of control planes, data planes and writers. Times are ms. */
export interface HybridSchedule {
  readonly seed: number;
  /** `db_update_frequency`. */
  readonly pauseMs: number;
  readonly controlPlanes: number;
  readonly dataPlanes: readonly PlannedDataPlane[];
  /** Slices: when they begin, the pauses before each write, by which control plane, and how long until the commit. */
  readonly slices: readonly {
    readonly at: number;
    readonly gaps: readonly number[];
    readonly controlPlane: number;
    readonly commitMs: number;
  }[];
  /** Writes of somebody else; an even number of them gives the configuration back that there was. */
  readonly foreign: readonly number[];
  /** A control plane's process ends and is there again after a time. */
  readonly restart: { readonly controlPlane: number; readonly at: number; readonly downMs: number } | undefined;
  /** Exports read a replica that is so late; 0: the primary. */
  readonly replicaLagMs: number;
  readonly exportMs: number;
  /** ms by which the control planes' clocks are wrong. */
  readonly skewMs: number;
  /** How long after a write its announcement is in `cluster_events`, at most. */
  readonly announceMs: number;
}

/** A row of `clustering_data_planes`. */
export interface WorldRow {
  readonly id: string;
  readonly hash: string;
  readonly xid: number;
  readonly lastSeen: number;
}

interface ControlPlane {
  readonly place: number;
  node: string;
  up: boolean;
  pending: boolean;
  busyUntil: number;
  /** The configuration that it pushed last, as a count of writes. */
  cached: number | undefined;
  readonly clients: Set<DataPlane>;
}

interface DataPlane {
  readonly plan: PlannedDataPlane;
  readonly place: number;
  id: string;
  link: ControlPlane | undefined;
  stored: number;
  served: number;
  /** The most that it ever had: what a lagging replica makes of it later is another matter. */
  mostStored: number;
  mostServed: number;
  /** When each count of writes was stored first. */
  readonly storedAt: Map<number, number>;
  waiting: number | undefined;
  applying: boolean;
  rebuilding: boolean;
  news: boolean;
  generation: number;
  /** It has never had a configuration. */
  blank: boolean;
}

const PING_MS = 30_000;
const TICK_MS = 1_000;

/** Control planes and data planes that behave as DB §2.2 to §2.4 say. Content is a count of the writes that it has. */
export class HybridWorld {
  readonly timeline = new Timeline();
  readonly rows = new Map<string, WorldRow>();
  readonly announced: number[] = [];
  readonly dataPlanes: readonly DataPlane[];
  readonly #schedule: HybridSchedule;
  readonly #random: Random;
  readonly #controlPlanes: readonly ControlPlane[];
  /** By count of writes: how many of them were ours, and the hash. */
  readonly #hashes: string[] = ['h0/0'];
  readonly #writtenAt: number[] = [0];
  #ours = 0;
  #others = 0;
  xid = 100;
  /** Writes that wait for a control plane to answer. */
  writesWaiting = 0;

  constructor(schedule: HybridSchedule) {
    this.#schedule = schedule;
    this.#random = new Random(schedule.seed ^ 0x5bd1e995);
    this.#controlPlanes = Array.from({ length: schedule.controlPlanes }, (_item, place) => ({
      place,
      node: `cp-${place}`,
      up: true,
      pending: false,
      busyUntil: 0,
      cached: undefined,
      clients: new Set<DataPlane>(),
    }));
    this.dataPlanes = schedule.dataPlanes.map((plan, place) => this.#dataPlane(plan, place));
    const { restart } = schedule;
    if (restart !== undefined) this.timeline.at(restart.at, () => this.#restart(restart.controlPlane, restart.downMs));
  }

  /** Number of writes so far. */
  get writes(): number {
    return this.#hashes.length - 1;
  }

  /** Node ids of the control planes that answer. */
  get running(): readonly string[] {
    return this.#controlPlanes.flatMap(({ up, node }) => (up ? [node] : []));
  }

  /** When the last of the data planes that are there now had stored a number of writes; undefined: not all have. */
  appliedAt(count: number): number | undefined {
    const times = this.dataPlanes.map(({ storedAt }) =>
      Math.min(...[...storedAt].flatMap(([stored, at]) => (stored >= count ? [at] : []))),
    );
    const last = Math.max(...times);
    return Number.isFinite(last) ? last : undefined;
  }

  hash(count: number): string {
    return this.#hashes[count] ?? '';
  }

  /** Writes through a control plane, or through another one when that is down. */
  write(place: number, own: boolean, done: () => void = () => undefined): void {
    const up = this.#controlPlanes.filter((item) => item.up);
    const through = this.#controlPlanes[place]?.up === true ? this.#controlPlanes[place] : up[0];
    if (through === undefined) {
      // Nobody answers: the writer tries again.
      this.writesWaiting += 1;
      this.timeline.after(500, () => {
        this.writesWaiting -= 1;
        this.write(place, own, done);
      });
      return;
    }
    if (own) this.#ours += 1;
    else this.#others += 1;
    this.xid += 1;
    this.#hashes.push(`h${this.#ours}/${this.#others % 2}`);
    this.#writtenAt.push(this.timeline.now);
    done();
    const { node } = through;
    this.timeline.after(1 + this.#random.upTo(this.#schedule.announceMs), () => {
      this.announced.push(this.timeline.now);
    });
    this.timeline.after(this.#random.upTo(2), () => {
      if (through.node === node) this.#ring(through);
    });
    for (const other of this.#controlPlanes) {
      if (other !== through) {
        const poll = this.#random.upTo(this.#schedule.pauseMs) + this.#schedule.announceMs;
        this.timeline.after(poll, () => this.#ring(other));
      }
    }
  }

  /** What a silent data plane would be sent now: the configuration that was pushed last, or one exported for it. */
  frames(): readonly number[] {
    return this.#controlPlanes.flatMap((item) => (item.up ? [item.cached ?? this.#exported()] : []));
  }

  #exported(): number {
    const seen = this.timeline.now - this.#schedule.replicaLagMs;
    let count = this.writes;
    while (count > 0 && (this.#writtenAt[count] ?? 0) > seen) count -= 1;
    return count;
  }

  #ring(controlPlane: ControlPlane): void {
    controlPlane.pending = true;
    this.#push(controlPlane);
  }

  #push(controlPlane: ControlPlane): void {
    const { now } = this.timeline;
    const { up, pending, busyUntil, clients, node } = controlPlane;
    if (!up || !pending || now < busyUntil || clients.size === 0) return;
    controlPlane.pending = false;
    const count = this.#exported();
    const { exportMs, pauseMs } = this.#schedule;
    controlPlane.busyUntil = now + exportMs + pauseMs;
    this.timeline.after(exportMs, () => {
      if (controlPlane.node !== node || !controlPlane.up) return;
      controlPlane.cached = count;
      for (const client of clients) this.#receive(client, count);
    });
    this.timeline.at(controlPlane.busyUntil, () => this.#push(controlPlane));
  }

  #restart(place: number, downMs: number): void {
    const controlPlane = this.#controlPlanes[place];
    if (controlPlane === undefined) return;
    controlPlane.up = false;
    controlPlane.pending = false;
    controlPlane.cached = undefined;
    controlPlane.node = `${controlPlane.node}'`;
    // Deleting from a set while it is gone through is fine.
    for (const client of controlPlane.clients) this.#disconnect(client);
    this.timeline.after(downMs, () => {
      controlPlane.up = true;
      controlPlane.busyUntil = 0;
    });
  }

  #dataPlane(plan: PlannedDataPlane, place: number): DataPlane {
    const made: DataPlane = {
      plan,
      place,
      id: `dp-${place}`,
      link: this.#controlPlanes[plan.controlPlane],
      stored: 0,
      served: 0,
      mostStored: 0,
      mostServed: 0,
      storedAt: new Map([[0, 0]]),
      waiting: undefined,
      applying: false,
      rebuilding: false,
      news: false,
      generation: 0,
      blank: false,
    };
    made.link?.clients.add(made);
    if (made.link !== undefined) made.link.cached = 0;
    this.rows.set(made.id, { id: made.id, hash: this.hash(0), xid: 1, lastSeen: 0 });
    this.timeline.at(plan.pingPhaseMs % TICK_MS, () => this.#tick(made));
    this.timeline.at(plan.pingPhaseMs, () => this.#periodic(made));
    const { cut, renewedAt } = plan;
    if (cut !== undefined) {
      this.timeline.at(cut[0], () => this.#disconnect(made));
      this.timeline.at(cut[1], () => this.#connect(made));
    }
    if (renewedAt !== undefined) this.timeline.at(renewedAt, () => this.#renew(made));
    return made;
  }

  #isCut({ plan: { cut } }: DataPlane): boolean {
    return cut !== undefined && this.timeline.now >= cut[0] && this.timeline.now < cut[1];
  }

  #tick(dataPlane: DataPlane): void {
    if (dataPlane.news && dataPlane.link !== undefined) {
      dataPlane.news = false;
      this.#ping(dataPlane);
    }
    this.timeline.after(TICK_MS, () => this.#tick(dataPlane));
  }

  #periodic(dataPlane: DataPlane): void {
    this.#ping(dataPlane);
    this.timeline.after(PING_MS, () => this.#periodic(dataPlane));
  }

  #ping(dataPlane: DataPlane): void {
    if (dataPlane.link === undefined || this.#random.chance(dataPlane.plan.losesPings)) return;
    this.xid += 1;
    const { id, stored, blank } = dataPlane;
    const hash = blank ? '0'.repeat(32) : this.hash(stored);
    this.rows.set(id, { id, hash, xid: this.xid, lastSeen: this.timeline.now + this.#schedule.skewMs });
  }

  #disconnect(dataPlane: DataPlane): void {
    const { link } = dataPlane;
    if (link === undefined) return;
    link.clients.delete(dataPlane);
    if (link.clients.size === 0) link.cached = undefined;
    dataPlane.link = undefined;
    dataPlane.waiting = undefined;
    if (!this.#isCut(dataPlane))
      this.timeline.after(this.#random.between(5_000, 10_000), () => this.#connect(dataPlane));
  }

  #connect(dataPlane: DataPlane): void {
    if (dataPlane.link !== undefined || this.#isCut(dataPlane)) return;
    const up = this.#controlPlanes.filter((item) => item.up);
    const link = up[this.#random.upTo(Math.max(0, up.length - 1))];
    if (link === undefined) {
      this.timeline.after(this.#random.between(5_000, 10_000), () => this.#connect(dataPlane));
      return;
    }
    dataPlane.link = link;
    link.clients.add(dataPlane);
    this.#ping(dataPlane);
    link.cached ??= this.#exported();
    this.timeline.after(this.#schedule.exportMs, () => {
      if (dataPlane.link === link && link.cached !== undefined) this.#receive(dataPlane, link.cached);
    });
    // What was written while nobody was there is pushed within a second.
    this.timeline.after(this.#random.upTo(1_000), () => this.#push(link));
  }

  #renew(dataPlane: DataPlane): void {
    this.#disconnect(dataPlane);
    dataPlane.generation += 1;
    dataPlane.id = `dp-${dataPlane.place}-${dataPlane.generation}`;
    dataPlane.stored = 0;
    dataPlane.served = 0;
    dataPlane.mostStored = 0;
    dataPlane.mostServed = 0;
    dataPlane.news = false;
    dataPlane.blank = true;
    this.#connect(dataPlane);
  }

  #receive(dataPlane: DataPlane, count: number): void {
    dataPlane.waiting = count;
    if (!dataPlane.applying) this.#apply(dataPlane);
  }

  #apply(dataPlane: DataPlane): void {
    const { waiting: count, generation, plan } = dataPlane;
    if (count === undefined) return;
    dataPlane.waiting = undefined;
    dataPlane.applying = true;
    this.timeline.after(plan.applyMs, () => {
      dataPlane.applying = false;
      const refuses = plan.refusesFrom !== undefined && this.timeline.now >= plan.refusesFrom;
      if (generation === dataPlane.generation && !refuses) this.#store(dataPlane, count);
      this.#apply(dataPlane);
    });
  }

  #store(dataPlane: DataPlane, count: number): void {
    dataPlane.stored = count;
    dataPlane.mostStored = Math.max(dataPlane.mostStored, count);
    dataPlane.blank = false;
    dataPlane.news = true;
    if (!dataPlane.storedAt.has(count)) dataPlane.storedAt.set(count, this.timeline.now);
    if (!dataPlane.rebuilding) this.#rebuild(dataPlane);
  }

  /** Workers build what is stored when they begin; what comes meanwhile waits for the next time. */
  #rebuild(dataPlane: DataPlane): void {
    const { generation, stored } = dataPlane;
    dataPlane.rebuilding = true;
    this.timeline.after(dataPlane.plan.rebuildMs, () => {
      dataPlane.rebuilding = false;
      if (generation === dataPlane.generation) {
        dataPlane.served = stored;
        dataPlane.mostServed = Math.max(dataPlane.mostServed, stored);
      }
      if (dataPlane.served !== dataPlane.stored) this.#rebuild(dataPlane);
    });
  }
}

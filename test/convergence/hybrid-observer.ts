import { holdMs, marginMs, reportMs } from '../../shared/convergence/delays.ts';
import { canaryOpinion, CONNECTIONS } from '../../shared/convergence/canary-verdict.ts';
import { hybridVerdicts } from '../../shared/convergence/hybrid-verdict.ts';
import type { HybridFacts } from '../../shared/convergence/hybrid-verdict.ts';
import type { DataPlaneRow, Earlier, Revision, Verdict } from '../../shared/convergence/types.ts';
import type { HybridSchedule, HybridWorld, WorldRow } from './hybrid-world.ts';

/** Who looks, and with what. Times are ms. */
export interface Observing {
  /** Between two looks. */
  readonly everyMs: number;
  readonly firstMs: number;
  /** Beside the database: asks a control plane what it pushes. */
  readonly shadow: boolean;
  /** Beside the database: asks the data planes what they have. */
  readonly status: boolean;
  /** Beside the database: probes the data planes' workers. */
  readonly canary: boolean;
  /** How many control planes are said to be there. */
  readonly controlPlanes: number;
}

interface Observation {
  hash: string;
  xid: number;
  firstSeen: number;
  hashSince: number;
  rowSince: number;
  rowFloor: number;
  reportBefore: DataPlaneRow['reportBefore'];
  seen: number;
  earlier: readonly Earlier[];
  statusHash: string | undefined;
  statusSince: number;
}

/** A revision, and the number of its last write. */
export interface Written extends Revision {
  readonly lastWrite: number;
}

/** A "converged" that was not true. */
export interface False {
  readonly at: number;
  readonly verdict: Verdict;
}

/** Looks at a world as `converge` looks at a database, and knows what is true. */
export class HybridObserver {
  readonly false: False[] = [];
  /** When each revision was first said to be everywhere. */
  readonly provenAt = new Map<string, number>();
  revisions: readonly Written[] = [];
  readonly #world: HybridWorld;
  readonly #schedule: HybridSchedule;
  readonly #observing: Observing;
  readonly #observations = new Map<string, Observation>();
  /** Control planes' processes → when they were seen first. */
  readonly #nodes = new Map<string, number>();
  /** Configuration → number of the newest revision that it was seen to hold. */
  readonly #shadowed = new Map<string, number>();

  constructor(world: HybridWorld, schedule: HybridSchedule, observing: Observing) {
    this.#world = world;
    this.#schedule = schedule;
    this.#observing = observing;
  }

  /** A slice is committed. */
  commit(startedAt: number, changes: number, lastWrite: number): void {
    const revision: Written = {
      id: String(this.revisions.length + 1),
      changes,
      startedAt,
      writtenAt: this.#world.timeline.now,
      snapshotXmax: String(this.#world.xid + 1),
      convergedAt: undefined,
      lastWrite,
      ...(this.#observing.canary ? { epoch: this.revisions.length + 1 } : {}),
    };
    this.revisions = [revision, ...this.revisions];
  }

  get allProven(): boolean {
    return this.revisions.every(({ convergedAt }) => convergedAt !== undefined);
  }

  look(): void {
    const { now } = this.#world.timeline;
    // As the index gives them: the newest, and those that are open.
    const revisions = this.revisions.filter(({ convergedAt }, place) => place === 0 || convergedAt === undefined);
    const verdicts = hybridVerdicts(this.#facts(now, revisions));
    for (const verdict of verdicts) this.#check(verdict, now);
    const places = verdicts.map(({ revision }) => revisions.findIndex(({ id }) => id === revision));
    const proven = places.includes(-1) || places.length === 0 ? undefined : revisions[Math.max(...places)];
    if (proven === undefined) return;
    this.revisions = this.revisions.map((item) => {
      if (item.convergedAt !== undefined || Number(item.id) > Number(proven.id)) return item;
      this.provenAt.set(item.id, now);
      return { ...item, convergedAt: now };
    });
  }

  #check(verdict: Verdict, now: number): void {
    const dataPlane = this.#world.dataPlanes.find(({ id }) => id === verdict.node);
    const revision = this.revisions.find(({ id }) => id === verdict.revision);
    // Rows of data planes that are gone say nothing that could be false.
    if (dataPlane === undefined || revision === undefined) return;
    const has =
      revision === this.revisions[0] && verdict.state === 'converged'
        ? this.#observing.canary
          ? dataPlane.served
          : dataPlane.mostServed
        : dataPlane.mostStored;
    if (has < revision.lastWrite) this.false.push({ at: now, verdict });
  }

  #facts(now: number, revisions: readonly Written[]): HybridFacts {
    const { pauseMs, replicaLagMs } = this.#schedule;
    const { controlPlanes } = this.#observing;
    const settings = { dbUpdateFrequency: pauseMs / 1000, dbUpdatePropagation: 0 };
    return {
      now,
      revisions,
      rows: [...this.#world.rows.values()].map((row) => this.#observe(row, now, revisions)),
      live: { kind: 'seen', forgetAfterMs: 60_000 },
      holdMs: holdMs({ settings, controlPlanes, entities: 0 }),
      reportMs: reportMs(0),
      marginMs: marginMs(0),
      pauseMs,
      oneControlPlane: controlPlanes === 1,
      replica: replicaLagMs > 0,
      pushes: {
        at: this.#world.announced,
        completeFrom: -600_000,
      },
      steadySince: this.#steadySince(now),
      ...(this.#observing.shadow ? { shadow: this.#shadow(revisions) } : {}),
      ...(this.#observing.canary ? { canaries: this.#canaries(revisions) } : {}),
    };
  }

  /** Every other connection meets the slowest worker. */
  #canaries(revisions: readonly Written[]): NonNullable<HybridFacts['canaries']> {
    const epochAt = (count: number): number | undefined =>
      this.revisions.find((item) => count >= item.lastWrite)?.epoch;
    return new Map(
      this.#world.dataPlanes.map(({ id, stored, served }) => {
        const answers = Array.from({ length: CONNECTIONS }, (_, n) => epochAt(n % 2 === 0 ? stored : served));
        return [id, canaryOpinion(revisions, { answers, failure: undefined })];
      }),
    );
  }

  #steadySince(now: number): number {
    const { running } = this.#world;
    for (const node of running) if (!this.#nodes.has(node)) this.#nodes.set(node, now);
    return running.length === 0 ? now : Math.max(...running.map((node) => this.#nodes.get(node) ?? now));
  }

  #shadow(revisions: readonly Written[]): NonNullable<HybridFacts['shadow']> {
    const frames = this.#world.frames();
    for (const count of frames) {
      const holds = this.revisions.find(({ lastWrite }) => count >= lastWrite);
      const hash = this.#world.hash(count);
      if (holds !== undefined) this.#shadowed.set(hash, Math.max(this.#shadowed.get(hash) ?? 0, Number(holds.id)));
    }
    if (frames.length === 0) return { evidence: 'shadow', unavailable: 'no control plane answers' };
    const placeOf = (number: number): number | undefined => {
      const place = revisions.findIndex(({ id }) => Number(id) <= number);
      return place === -1 ? undefined : place;
    };
    return {
      evidence: 'shadow',
      holds: (hash) => placeOf(this.#shadowed.get(hash) ?? 0),
      newest: placeOf(Math.max(0, ...this.#shadowed.values())),
      extraMarginMs: 0,
    };
  }

  #observe(row: WorldRow, now: number, revisions: readonly Written[]): DataPlaneRow {
    const seen = this.#remember(row, now);
    const place = revisions.findIndex(({ snapshotXmax }) => row.xid >= Number(snapshotXmax));
    return {
      id: row.id,
      hostname: row.id,
      ip: '127.0.0.1',
      version: '3.9.3',
      syncStatus: 'normal',
      hash: row.hash,
      lastSeen: row.lastSeen,
      afterRevision: place === -1 ? undefined : place,
      firstSeen: seen.firstSeen,
      hashSince: seen.hashSince,
      rowSince: seen.rowSince,
      rowFloor: seen.rowFloor,
      reportBefore: seen.reportBefore,
      earlier: seen.earlier,
      status: seen.statusHash === undefined ? undefined : { hash: seen.statusHash, since: seen.statusSince },
    };
  }

  #status({ id }: WorldRow): string | undefined {
    const dataPlane = this.#world.dataPlanes.find((item) => item.id === id);
    return this.#observing.status && dataPlane !== undefined ? this.#world.hash(dataPlane.stored) : undefined;
  }

  /** As shared/convergence/observations.ts does in SQL. */
  #remember(row: WorldRow, now: number): Observation {
    const statusHash = this.#status(row);
    const seen = this.#observations.get(row.id);
    const { hash, xid } = row;
    if (seen === undefined) {
      const made: Observation = {
        hash,
        xid,
        firstSeen: now,
        hashSince: now,
        rowSince: now,
        rowFloor: 0,
        reportBefore: undefined,
        seen: now,
        earlier: [],
        statusHash,
        statusSince: now,
      };
      this.#observations.set(row.id, made);
      return made;
    }
    if (seen.xid !== xid) {
      seen.reportBefore = seen.hash === hash ? { floor: seen.rowFloor, since: seen.rowSince } : undefined;
    }
    if (seen.hash !== hash) {
      seen.earlier = [{ hash: seen.hash, since: seen.hashSince, floor: seen.rowFloor }, ...seen.earlier].slice(0, 3);
      Object.assign(seen, { hash, hashSince: now });
    }
    if (seen.xid !== xid) Object.assign(seen, { xid, rowSince: now, rowFloor: seen.seen });
    if (seen.statusHash !== statusHash) Object.assign(seen, { statusHash, statusSince: now });
    seen.seen = now;
    return seen;
  }
}

import { holdMs } from '../../shared/convergence/delays.ts';
import { hybridVerdicts } from '../../shared/convergence/hybrid-verdict.ts';
import type { LiveSet } from '../../shared/convergence/hybrid-verdict.ts';
import type { DataPlaneRow, Revision, Verdict } from '../../shared/convergence/types.ts';

/** A random run of control planes, data planes, writers and looks at the database. Times are ms. */
export interface Schedule {
  /** `db_update_frequency`. */
  readonly pauseMs: number;
  readonly controlPlanes: number;
  /** Of each data plane: its control plane, how long it applies, and when it pings beside that. */
  readonly dataPlanes: readonly {
    readonly controlPlane: number;
    readonly applyMs: number;
    readonly pingPhaseMs: number;
    /** It stores nothing after this time, and says nothing about it. */
    readonly refusesFrom: number | undefined;
    /** Cut off from its control plane during this time. */
    readonly cut: readonly [from: number, until: number] | undefined;
  }[];
  /** Slices: the time of each write, by which control plane, and how long until the slice is committed. */
  readonly slices: readonly {
    readonly at: number;
    readonly gaps: readonly number[];
    readonly controlPlane: number;
    readonly commitMs: number;
  }[];
  /** Writes of somebody else. */
  readonly foreign: readonly number[];
  /** When `converge` runs. */
  readonly looks: readonly number[];
  /** Which of the pings do not arrive, taken in turn; those of the first data plane all do. */
  readonly lostPings: readonly boolean[];
  /** ms by which the control planes' clocks are wrong. */
  readonly skewMs: number;
  readonly exportMs: number;
  readonly live: LiveSet;
}

/** What one look said, and what was true then. */
export interface Look {
  readonly at: number;
  readonly verdicts: readonly Verdict[];
  /** Data plane's id → the last write that it had stored, as a number of the write. */
  readonly stored: ReadonlyMap<string, number>;
}

/** Everything that happened. */
export interface Story {
  readonly looks: readonly Look[];
  /** Revision's id → the number of its last write. */
  readonly lastWrite: ReadonlyMap<string, number>;
}

interface Node {
  readonly id: string;
  /** Content: how many of the writes, in order, it has. */
  content: number;
  row: { content: number; xid: number; lastSeen: number } | undefined;
  news: boolean;
}

interface Plane {
  pending: boolean;
  busyUntil: number;
}

interface Observation {
  hash: string;
  xid: number;
  firstSeen: number;
  hashSince: number;
  rowSince: number;
}

type Task = { readonly at: number; readonly order: number; readonly run: (now: number) => void };

/** Events in the order of their times. */
class Timeline {
  readonly #tasks: Task[] = [];
  #order = 0;

  at(time: number, run: (now: number) => void): void {
    this.#tasks.push({ at: time, order: (this.#order += 1), run });
  }

  play(until: number): void {
    for (;;) {
      const next = this.#tasks.reduce<Task | undefined>(
        (first, task) =>
          first === undefined || task.at < first.at || (task.at === first.at && task.order < first.order)
            ? task
            : first,
        undefined,
      );
      if (next === undefined || next.at > until) return;
      this.#tasks.splice(this.#tasks.indexOf(next), 1);
      next.run(next.at);
    }
  }
}

const PING_MS = 30_000;
const TICK_MS = 1_000;

/** Plays a schedule: leading-edge pushes with a pause, applies, pings, polls of other control planes (DB §2.2, §2.3). */
export function play(schedule: Schedule): Story {
  const timeline = new Timeline();
  const end = Math.max(...schedule.looks);
  let writes = 0;
  let xid = 100;
  let pings = 0;
  const nodes = schedule.dataPlanes.map((_plane, n): Node => ({
    id: `dp-${n}`,
    content: 0,
    row: { content: 0, xid: 1, lastSeen: 0 },
    news: false,
  }));
  const planes = Array.from({ length: schedule.controlPlanes }, (): Plane => ({ pending: false, busyUntil: 0 }));
  const revisions: (Revision & { readonly place: number })[] = [];
  const lastWrite = new Map<string, number>();
  const observations = new Map<string, Observation>();
  const looks: Look[] = [];

  const isCut = (n: number, now: number): boolean => {
    const cut = schedule.dataPlanes[n]?.cut;
    return cut !== undefined && now >= cut[0] && now < cut[1];
  };
  const ping = (n: number, now: number): void => {
    const node = nodes[n];
    if (node === undefined || isCut(n, now)) return;
    pings += 1;
    if (n > 0 && schedule.lostPings[pings % schedule.lostPings.length] === true) return;
    node.row = { content: node.content, xid: (xid += 1), lastSeen: now + schedule.skewMs };
  };
  const store = (n: number, content: number, now: number): void => {
    const node = nodes[n];
    const refusesFrom = schedule.dataPlanes[n]?.refusesFrom ?? Number.POSITIVE_INFINITY;
    if (node === undefined || now >= refusesFrom) return;
    node.content = Math.max(node.content, content);
    node.news = true;
  };
  const push = (p: number, now: number): void => {
    const plane = planes[p];
    if (plane === undefined || !plane.pending || now < plane.busyUntil) return;
    plane.pending = false;
    const snapshot = writes;
    const sent = now + schedule.exportMs;
    plane.busyUntil = sent + schedule.pauseMs;
    timeline.at(plane.busyUntil, (later) => push(p, later));
    schedule.dataPlanes.forEach((target, n) => {
      if (target.controlPlane !== p) return;
      timeline.at(sent, (arrived) => {
        if (!isCut(n, arrived)) timeline.at(arrived + target.applyMs, (later) => store(n, snapshot, later));
      });
    });
  };
  const ring = (p: number, now: number): void => {
    const plane = planes[p];
    if (plane === undefined) return;
    plane.pending = true;
    push(p, now);
  };
  const write = (p: number, now: number): void => {
    writes += 1;
    xid += 1;
    // The worker wakes a moment later; until then the next write of the same change may be there.
    timeline.at(now + 1, (later) => ring(p, later));
    planes.forEach((_plane, other) => {
      if (other !== p) timeline.at(now + ((now * 7919) % schedule.pauseMs), (later) => ring(other, later));
    });
  };
  const commit = (written: number, startedAt: number, committedAt: number): void => {
    const id = String(revisions.length + 1);
    revisions.push({
      id,
      changes: 1,
      startedAt,
      writtenAt: committedAt,
      snapshotXmax: String(xid + 1),
      convergedAt: undefined,
      place: revisions.length,
    });
    lastWrite.set(id, written);
  };
  const observe = (node: Node, now: number): DataPlaneRow[] => {
    const { row } = node;
    if (row === undefined) return [];
    const hash = `h${row.content}`;
    const before = observations.get(node.id);
    const after: Observation = {
      hash,
      xid: row.xid,
      firstSeen: before?.firstSeen ?? now,
      hashSince: before !== undefined && before.hash === hash ? before.hashSince : now,
      rowSince: before !== undefined && before.xid === row.xid ? before.rowSince : now,
    };
    observations.set(node.id, after);
    const newestFirst = revisions.toReversed();
    const place = newestFirst.findIndex((revision) => row.xid >= Number(revision.snapshotXmax));
    return [
      {
        id: node.id,
        hostname: node.id,
        ip: '127.0.0.1',
        version: '3.9.3',
        syncStatus: 'normal',
        hash,
        lastSeen: row.lastSeen,
        afterRevision: place < 0 ? undefined : place,
        firstSeen: after.firstSeen,
        hashSince: after.hashSince,
        rowSince: after.rowSince,
      },
    ];
  };
  const look = (now: number): void => {
    const settings = { dbUpdateFrequency: schedule.pauseMs / 1000, dbUpdatePropagation: 0 };
    const hold = holdMs({ settings, controlPlanes: schedule.controlPlanes, entities: 0, restarted: false });
    const rows = nodes.flatMap((node) => observe(node, now));
    const verdicts = hybridVerdicts({
      now,
      revisions: revisions.toReversed(),
      rows,
      live: schedule.live,
      holdMs: hold,
      marginMs: 500,
    });
    const newest = revisions.at(-1);
    if (newest !== undefined && verdicts.every((verdict) => verdict.revision === newest.id)) {
      revisions[revisions.length - 1] = { ...newest, convergedAt: newest.convergedAt ?? now };
    }
    looks.push({ at: now, verdicts, stored: new Map(nodes.map((node) => [node.id, node.content])) });
  };

  for (const slice of schedule.slices) {
    const times = slice.gaps.reduce<number[]>((list, gap) => [...list, (list.at(-1) ?? slice.at) + gap], []);
    for (const time of times) timeline.at(time, (now) => write(slice.controlPlane % schedule.controlPlanes, now));
    const last = times.at(-1) ?? slice.at;
    timeline.at(last, () => {
      const written = writes;
      timeline.at(last + slice.commitMs, (now) => commit(written, slice.at, now));
    });
  }
  for (const time of schedule.foreign) timeline.at(time, (now) => write(0, now));
  schedule.dataPlanes.forEach((target, n) => {
    for (let time = target.pingPhaseMs % PING_MS; time <= end; time += PING_MS)
      timeline.at(time, (now) => ping(n, now));
    for (let time = target.pingPhaseMs % TICK_MS; time <= end; time += TICK_MS) {
      timeline.at(time, (now) => {
        const node = nodes[n];
        if (node === undefined || !node.news || isCut(n, now)) return;
        node.news = false;
        ping(n, now);
      });
    }
    // A data plane that connects again is sent the whole configuration.
    if (target.cut !== undefined) timeline.at(target.cut[1], () => ring(target.controlPlane, target.cut?.[1] ?? 0));
  });
  for (const time of schedule.looks) timeline.at(time, look);
  timeline.play(end);
  return { looks, lastWrite };
}

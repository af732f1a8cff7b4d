import { ago, counted, duration } from './format.ts';
import type { DataPlaneStatus, Status } from './status.ts';
import { STATE_TONE, type Glyph, type Tone } from './tone.ts';

/** A place that a change comes through. */
export interface Station {
  readonly title: string;
  readonly detail: string;
  /** Undefined where nothing is known of it but that it is there. */
  readonly state: { readonly glyph: Glyph; readonly tone: Tone; readonly label: string } | undefined;
}

/** The way of a change. */
export interface Journey {
  readonly cluster: Station;
  readonly functions: Station;
  readonly controlPlane: Station;
  readonly database: Station;
  readonly dataPlanes: readonly Station[];
  /** Data planes hear of a change from the control plane, or read it from PostgreSQL. */
  readonly from: 'controlPlane' | 'database';
}

/** Data planes that are drawn one by one at most. */
const DRAWN = 6;

const FINE = { glyph: 'converged', tone: 'good' } as const;
const UNKNOWN = { glyph: 'unknown', tone: 'none', label: 'unknown' } as const;

function behind({ lag }: DataPlaneStatus): string {
  if (lag === undefined || lag.revisions === 0) return '';
  return `${counted(lag.revisions, 'revision')} behind, ${duration(lag.seconds * 1000)}`;
}

function dataPlane(item: DataPlaneStatus): Station {
  const { state, name, revision } = item;
  const detail = behind(item) || (revision === undefined ? '' : `revision ${revision}`);
  return { title: name, detail, state: { glyph: state, tone: STATE_TONE[state], label: state } };
}

/** The first ones, which need a person most, and one station for all others. */
function dataPlanes(all: readonly DataPlaneStatus[]): readonly Station[] {
  if (all.length <= DRAWN) return all.map(dataPlane);
  const rest = all.slice(DRAWN - 1);
  const [first] = rest;
  const same = rest.every(({ state }) => state === first?.state);
  const state = first === undefined || !same ? undefined : dataPlane(first).state;
  const counts = [...Map.groupBy(rest, (item) => item.state)].map(([name, items]) => `${items.length} ${name}`);
  return [
    ...all.slice(0, DRAWN - 1).map(dataPlane),
    { title: `${rest.length} more`, detail: same ? '' : counts.join(', '), state },
  ];
}

function functions({ checkedAt, now, dataPlanes: all }: Status): Station {
  const stale = checkedAt === undefined || all.every(({ since, state }) => since === undefined && state === 'unknown');
  return {
    title: 'Functions',
    detail: checkedAt === undefined ? 'never checked' : `checked ${ago(checkedAt, now)}`,
    state: stale ? UNKNOWN : { ...FINE, label: 'running' },
  };
}

/** What the status says of each place on the way. Pure. */
export function journeyOf(status: Status, reachable: boolean): Journey {
  const { topology, cluster, roots, entities } = status;
  const known = topology !== 'unknown' && reachable;
  return {
    cluster: { title: cluster ?? 'Cluster', detail: reachable ? counted(roots, 'object') : '', state: undefined },
    functions: reachable ? functions(status) : { title: 'Functions', detail: '', state: UNKNOWN },
    controlPlane: {
      title: topology === 'hybrid' ? 'Control plane' : 'Admin API',
      detail: topology === 'unknown' ? '' : topology,
      state: known ? { ...FINE, label: 'answers' } : UNKNOWN,
    },
    database: {
      title: 'PostgreSQL',
      detail: reachable ? counted(entities, 'entity', 'entities') : '',
      state: reachable ? { ...FINE, label: 'answers' } : { glyph: 'rejecting', tone: 'bad', label: 'unreachable' },
    },
    dataPlanes: dataPlanes(status.dataPlanes),
    from: topology === 'hybrid' ? 'controlPlane' : 'database',
  };
}

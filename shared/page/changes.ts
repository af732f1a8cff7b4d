import type { RevisionRecord } from '../convergence/revisions.ts';
import { clockTime, duration } from './format.ts';
import { html, type Html } from './html.ts';
import type { Status } from './status.ts';

/** Changes that the chart shows at most. */
const SHOWN = 12;

interface Times {
  readonly revision: RevisionRecord;
  /** From its first to its last write, ms. */
  readonly writing: number;
  /** From there to the proof, or until now, ms. */
  readonly proving: number;
}

function timesOf(revision: RevisionRecord, now: number): Times {
  const { startedAt, writtenAt, convergedAt } = revision;
  return {
    revision,
    writing: Math.max(0, writtenAt - startedAt),
    proving: Math.max(0, (convergedAt ?? now) - writtenAt),
  };
}

/** What the whole width of the chart stands for, ms: the longest change that is over, and room for one that is not. */
function scaleOf(times: readonly Times[]): number {
  const over = times.filter(({ revision }) => revision.convergedAt !== undefined);
  return (
    Math.max(1_000, ...over.map(({ writing, proving }) => writing + proving)) * (over.length < times.length ? 1.25 : 1)
  );
}

function percent(ms: number, scale: number): number {
  return Math.min(100, Math.round((ms / scale) * 1000) / 10);
}

function bar({ revision, writing, proving }: Times, scale: number): Html {
  const written = percent(writing, scale);
  const until = percent(writing + proving, scale);
  const name = revision.convergedAt === undefined ? 'open' : 'proven';
  return html`<svg class="bar" width="100%" height="14" aria-hidden="true">
    <rect class="track" width="100%" height="14" rx="4" />
    <rect class="${name}" width="${until}%" height="14" rx="4" />
    <rect class="write" width="${written}%" height="14" rx="4" />
  </svg>`;
}

function row(times: Times, scale: number): Html {
  const { revision, writing, proving } = times;
  const took =
    revision.convergedAt === undefined
      ? html`<span class="badge busy">not yet, ${duration(proving)}</span>`
      : html`${duration(writing)} + <strong>${duration(proving)}</strong>`;
  return html`<li>
    <span class="number"
      >${revision.id} <span class="muted">· ${clockTime(revision.writtenAt)} · ${revision.changes}</span></span
    >
    ${bar(times, scale)}<span class="took number">${took}</span>
  </li>`;
}

function key(name: string, text: string): Html {
  return html`<li>
    <svg width="12" height="12" aria-hidden="true"><rect class="${name}" width="12" height="12" rx="3" /></svg>${text}
  </li>`;
}

/** The last changes, each with the time that its writes took and the time until it was proven everywhere. Pure. */
export function changes({ revisions, now }: Status): Html | undefined {
  // The baseline is what there was before the first write.
  const all = revisions.filter((revision) => revision.changes > 0).slice(0, SHOWN);
  if (all.length === 0) return undefined;
  const times = all.map((revision) => timesOf(revision, now));
  const scale = scaleOf(times);
  return html`<section>
    <h2>Last changes <small>revision · written at (UTC) · entities</small></h2>
    <ul class="key">
      ${key('write', 'writing to Kong')}${key('proven', 'until proven on every data plane')}${
        times.some(({ revision }) => revision.convergedAt === undefined) ? key('open', 'not proven yet') : undefined
      }
    </ul>
    <ol class="changes">
      ${times.map((item) => row(item, scale))}
    </ol>
  </section>`;
}

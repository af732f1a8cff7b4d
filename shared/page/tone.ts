import type { DataPlaneState } from '../convergence/types.ts';
import { html, type Html } from './html.ts';
import type { Overall } from './status.ts';

/** A class of the style sheet that gives a colour. */
export type Tone = 'good' | 'busy' | 'bad' | 'warn' | 'none';

export const STATE_TONE: Readonly<Record<DataPlaneState, Tone>> = {
  converged: 'good',
  applying: 'busy',
  rejecting: 'bad',
  incompatible: 'warn',
  partitioned: 'bad',
  unknown: 'none',
};

export const OVERALL_TONE: Readonly<Record<Overall, Tone>> = {
  served: 'good',
  applying: 'busy',
  trouble: 'bad',
  unknown: 'none',
  empty: 'none',
};

/** What is drawn into the disc of a state, in a square of 24: a tick, dots, a cross, a mark, a line with a gap, a question. */
export type Glyph = DataPlaneState | 'empty';

const GLYPHS: Readonly<Record<Glyph, string>> = {
  converged: 'M7 12.5l3.4 3.4L17 9',
  applying: 'M7.5 12h.01M12 12h.01M16.5 12h.01',
  rejecting: 'M8.5 8.5l7 7M15.5 8.5l-7 7',
  incompatible: 'M12 7v6M12 16.6v.01',
  partitioned: 'M5.5 12h3.5M15 12h3.5',
  unknown: 'M9.3 9.7a2.8 2.8 0 1 1 4.2 2.4c-1 .6-1.5 1-1.5 2M12 17v.01',
  empty: 'M8 12h8',
};

/** The disc of a state with its sign, `size` wide, at a place of an SVG. */
export function sign(glyph: Glyph, x: number, y: number, size: number): Html {
  return html`<g transform="translate(${x} ${y}) scale(${size / 24})"
    ><circle class="disc" cx="12" cy="12" r="11" /><path class="glyph" d="${GLYPHS[glyph]}"
  /></g>`;
}

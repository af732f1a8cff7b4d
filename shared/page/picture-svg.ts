import { html, type Html } from './html.ts';
import type { Journey, Station } from './picture.ts';
import { sign } from './tone.ts';

/** A rectangle, its upper left corner and its size. */
interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

interface Edge {
  readonly path: string;
  /** Direction of the tip and where it is; none without one. */
  readonly tip: { readonly x: number; readonly y: number; readonly turn: number };
  readonly station: Station;
  /** What goes along it, where there is room to say it. */
  readonly says?: { readonly text: string; readonly x: number; readonly y: number };
}

const WIDTH = 216;
const HEIGHT = 74;
const GAP = 14;

function short(text: string, characters: number): string {
  const all = Array.from(text);
  return all.length <= characters ? text : `${all.slice(0, characters - 1).join('')}…`;
}

function station({ title, detail, state }: Station, { x, y, width, height }: Box): Html {
  const shown = Math.floor(width / 8.6);
  const second = [state?.label, detail].filter((text) => text !== undefined && text !== '').join(' · ');
  return html`<g class="${state?.tone}"
    ><title>${title}: ${second}</title>
    <rect
      class="${state === undefined ? 'box' : 'box stated'}"
      x="${x}"
      y="${y}"
      width="${width}"
      height="${height}"
      rx="12"
    />
    ${state === undefined ? undefined : sign(state.glyph, x + width - 36, y + 10, 24)}
    <text x="${x + 14}" y="${y + 28}" font-size="16" font-weight="600"
      >${short(title, Math.floor((width - 54) / 9.8))}</text
    >
    <text class="${state === undefined ? 'sub' : 'tone'}" x="${x + 14}" y="${y + 49}" font-size="14" font-weight="600"
      >${short(state?.label ?? detail, shown)}</text
    >
    <text class="sub" x="${x + 14}" y="${y + 66}" font-size="13"
      >${state === undefined ? undefined : short(detail, shown + 3)}</text
    ></g
  >`;
}

function caption({ text, x, y }: NonNullable<Edge['says']>): Html {
  return html`<text class="sub" x="${x}" y="${y}" font-size="13" text-anchor="middle">${text}</text>`;
}

/** An arrow in the colour of what it leads to; broken where nothing gets through. */
function arrow({ path, tip, station: { state }, says }: Edge): Html {
  const cut = state?.glyph === 'partitioned' || state?.glyph === 'unknown';
  return html`<g class="${state?.tone}"
    ><path class="${cut ? 'edge cut' : 'edge'}" d="${path}" /><path
      class="tip"
      d="M0 0l-10 -5v10z"
      transform="translate(${tip.x} ${tip.y}) rotate(${tip.turn})"
    />${says === undefined ? undefined : caption(says)}</g
  >`;
}

function horizontal(from: Box, to: Box, target: Station): Edge {
  const [x1, y1] = [from.x + from.width, from.y + from.height / 2];
  const [x2, y2] = [to.x, to.y + to.height / 2];
  const middle = (x1 + x2) / 2;
  const path = y1 === y2 ? `M${x1} ${y1}H${x2 - 8}` : `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2 - 8} ${y2}`;
  return { path, tip: { x: x2, y: y2, turn: 0 }, station: target };
}

function vertical(from: Box, to: Box, target: Station): Edge {
  const [x1, y1] = [from.x + from.width / 2, from.y + from.height];
  const [x2, y2] = [to.x + to.width / 2, to.y];
  const middle = (y1 + y2) / 2;
  const path = x1 === x2 ? `M${x1} ${y1}V${y2 - 8}` : `M${x1} ${y1}C${x1} ${middle} ${x2} ${middle} ${x2} ${y2 - 8}`;
  return { path, tip: { x: x2, y: y2, turn: 90 }, station: target };
}

interface Drawing {
  readonly kind: 'wide' | 'tall';
  readonly width: number;
  readonly height: number;
  readonly stations: readonly (readonly [Station, Box])[];
  readonly edges: readonly Edge[];
  /** From PostgreSQL back to the functions: where the verdicts come from. */
  readonly evidence: { readonly path: string; readonly x: number; readonly y: number };
}

/** An edge with its caption above it. */
function saying(text: string, edge: Edge, from: Box, to: Box): Edge {
  return { ...edge, says: { text, x: (from.x + from.width + to.x) / 2 - 3, y: edge.tip.y - 8 } };
}

/** The stations of a journey in their order, each with its box. */
function placed(journey: Journey, boxes: readonly Box[]): Drawing['stations'] {
  const { cluster, functions, controlPlane, database, dataPlanes } = journey;
  return [cluster, functions, controlPlane, database, ...dataPlanes].flatMap((stop, place) => {
    const box = boxes[place];
    return box === undefined ? [] : [[stop, box] as const];
  });
}

function wide(journey: Journey): Drawing {
  const { functions, controlPlane, database, from } = journey;
  const planes = journey.dataPlanes;
  const height = Math.max(2 * HEIGHT + 46, planes.length * (HEIGHT + GAP) - GAP);
  const step = (1080 - WIDTH) / 3;
  const top = (height - 2 * HEIGHT - 46) / 2;
  const at = (column: number, y: number): Box => ({ x: column * step, y, width: WIDTH, height: HEIGHT });
  const first = (height - planes.length * (HEIGHT + GAP) + GAP) / 2;
  const boxes = planes.map((_, place) => at(3, first + place * (HEIGHT + GAP)));
  const [one, two, three, four] = [at(0, top), at(1, top), at(2, top), at(2, top + HEIGHT + 46)] as const;
  const source = from === 'controlPlane' ? three : four;
  return {
    kind: 'wide',
    width: 1080,
    height,
    stations: placed(journey, [one, two, three, four, ...boxes]),
    edges: [
      saying('changes', horizontal(one, two, functions), one, two),
      saying('writes', horizontal(two, three, controlPlane), two, three),
      vertical(three, four, database),
      ...planes.map((plane, place) => horizontal(source, boxes[place] ?? four, plane)),
    ],
    evidence: {
      path: `M${four.x} ${four.y + HEIGHT / 2}H${two.x + WIDTH / 2}V${two.y + HEIGHT}`,
      x: (two.x + WIDTH / 2 + four.x) / 2,
      y: four.y + HEIGHT / 2 - 8,
    },
  };
}

function tall(journey: Journey): Drawing {
  const { functions, controlPlane, database, from } = journey;
  const planes = journey.dataPlanes;
  const [half, gap, down] = [190, 20, HEIGHT + 34];
  const at = (column: number, row: number, y = row * down): Box => ({
    x: column * (half + gap),
    y,
    width: half,
    height: HEIGHT,
  });
  const [one, two, three, four] = [at(0, 0), at(0, 1), at(0, 2), at(1, 2)] as const;
  const begin = 3 * down + 4;
  const boxes = planes.map((_, place) => at(place % 2, 0, begin + Math.floor(place / 2) * (HEIGHT + GAP)));
  const source = from === 'controlPlane' ? three : four;
  const rows = Math.ceil(planes.length / 2);
  return {
    kind: 'tall',
    width: 2 * half + gap,
    height: rows === 0 ? 3 * down - 34 : begin + rows * (HEIGHT + GAP) - GAP,
    stations: placed(journey, [one, two, three, four, ...boxes]),
    edges: [
      vertical(one, two, functions),
      vertical(two, three, controlPlane),
      horizontal(three, four, database),
      ...planes.slice(0, 2).map((plane, place) => vertical(source, boxes[place] ?? four, plane)),
    ],
    evidence: {
      path: `M${four.x + half / 2} ${four.y}V${two.y + HEIGHT / 2}H${two.x + half}`,
      x: (two.x + half + four.x + half / 2) / 2,
      y: two.y + HEIGHT / 2 - 8,
    },
  };
}

function draw({ kind, width, height, stations, edges, evidence }: Drawing): Html {
  const margin = 2;
  return html`<svg
    class="flow ${kind}"
    role="img"
    aria-label="The way of a change from the cluster to the data planes"
    viewBox="${-margin} ${-margin} ${width + 2 * margin} ${height + 2 * margin}"
    xmlns="http://www.w3.org/2000/svg"
  >
    <path class="evidence" d="${evidence.path}" />
    ${caption({ text: 'proof', x: evidence.x, y: evidence.y })}
    ${edges.map(arrow)}${stations.map(([item, box]) => station(item, box))}
  </svg>`;
}

/** The way of a change, drawn for a wide and for a narrow screen; the style sheet shows one of them. Pure. */
export function picture(journey: Journey): Html {
  return html`${draw(wide(journey))}${draw(tall(journey))}`;
}

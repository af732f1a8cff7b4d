import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { SliceFigures } from '../bench/slice.ts';
import { markdown } from './markdown.ts';

/** What `npm run bench -- slice` measured last. */
function measured(): SliceFigures {
  return JSON.parse(readFileSync(path.join(import.meta.dirname, '../bench/slice.json'), 'utf8'));
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** What each change costs at the smallest and at the largest size. */
export function changeCosts(): string {
  const { figures, ratios } = measured();
  const sizes = [...new Set(figures.map(({ ingresses }) => ingresses))].toSorted((a, b) => a - b);
  const [few = 0, many = 0] = [sizes[0], sizes.at(-1)];
  const rows = ratios.map((ratio) => {
    const [small, large] = [few, many].map((size) =>
      figures.find(({ change, ingresses }) => change === ratio.change && ingresses === size),
    );
    return [
      ratio.change,
      `${large?.kubernetesRequests} + ${large?.kongRequests}`,
      `${large?.sqlStatements}`,
      `${ratio.requests.toFixed(1)}, ${ratio.statements.toFixed(1)}`,
      `${small?.ms} → ${large?.ms}`,
      ratio.ms.toFixed(2),
    ];
  });
  const header = [
    'change',
    'requests to Kubernetes + Kong',
    'SQL statements',
    `both, ${count(many)} : ${count(few)}`,
    'ms',
    `ms, ${count(many)} : ${count(few)}`,
  ];
  return markdown(header, rows);
}

/** One edited Ingress, here and the way of Kong Ingress Controller. */
export function controllerCosts(): string {
  const rows = measured().controller.map((item) => [
    count(item.ingresses),
    `${count(item.kongRequests)} in ${count(Math.round(item.ms))} ms`,
    `${count(item.kongRequestsAsController)} in ${count(Math.round(item.msAsController))} ms`,
    `${count(Math.round(item.requestsRatio))} ×`,
    `${count(Math.round(item.msRatio))} ×`,
  ]);
  return markdown(
    ['Ingresses', 'requests to Kong here', 'list, compare, write', 'ratio of requests', 'ratio of time'],
    rows,
  );
}

/** What a whole cluster costs. */
export function wholeCosts(): string {
  const { sync } = measured();
  const { unchanged, announcements } = sync;
  const first = `${count(sync.writes)} writes in ${count(Math.round(sync.seconds))} s over ${sync.invocations} invocations of ${sync.limitMs / 1000} s, ${announcements.writes - announcements.events} events lost, events at most ${count(sync.lagMs)} ms late`;
  const nothing = `${unchanged.kongRequests} requests to Kong, ${count(unchanged.ms)} ms after the lists are in`;
  return markdown(
    [`${count(sync.ingresses)} Ingresses`, 'cost', 'peak memory'],
    [
      ['first sync into an empty Kong', first, `${count(sync.peakMemoryMb)} MB`],
      ['reconcile without changes', nothing, `${count(unchanged.peakMemoryMb)} MB`],
    ],
  );
}

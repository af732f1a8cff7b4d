import { runSlice, type SliceDependencies, type SliceResult } from '../../shared/slice.ts';
import type { MeasuredChange } from './slice-changes.ts';
import type { Site } from './slice-sites.ts';

/** One slice for one change. */
export interface Run extends Pick<SliceResult, 'cost'> {
  readonly ms: number;
}

/** Makes a change and works it off. Throws when the slice finds fault with it, or does nothing. */
export async function once(
  { plane }: Site,
  { name, act }: MeasuredChange,
  time: number,
  dependencies: SliceDependencies,
): Promise<Run> {
  const changes = [await act(plane.cluster, time)];
  const begun = performance.now();
  const { cost, applied, findings } = await runSlice({ changes }, dependencies);
  const ms = performance.now() - begun;
  if (findings.length > 0) throw new Error(`${name}: ${findings[0]?.message ?? ''}`);
  // The first one may find everything as it is.
  if (applied.length === 0 && time > 0) throw new Error(`${name} changed nothing`);
  return { cost, ms };
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

export function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

import type { Proof, Verdict } from '../convergence/types.ts';

/** `0.4 s`, `12 s`, `3 min`, `5 h`, `2 d`. Pure. */
export function duration(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

/** `just now`, `12 s ago`, or `never`. Pure. */
export function ago(at: number | undefined, now: number): string {
  if (at === undefined) return 'never';
  const seconds = Math.round((now - at) / 1000);
  if (seconds < 1) return 'just now';
  return seconds < 10 ? `${seconds} s ago` : `${duration(now - at)} ago`;
}

/** `19:12:03` in UTC. Pure. */
export function clockTime(at: number): string {
  return new Date(at).toISOString().slice(11, 19);
}

/** `1 object`, `1,200 objects`. Pure. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
}

/** How far a proof goes, with its margin: `stored + 1.5 s`; `-` without one. Pure. */
export function proofText({
  proof,
  marginMs,
}: {
  readonly proof: Proof | undefined;
  readonly marginMs: Verdict['marginMs'];
}): string {
  if (proof === undefined) return '–';
  return marginMs === undefined ? proof : `${proof} + ${duration(marginMs)}`;
}

/** What a proof says, as a sentence. */
export const PROOF_MEANS: Readonly<Record<Proof, string>> = {
  serving: 'seen on every worker of every data plane',
  stored: 'each data plane holds the configuration, and has had the time to serve it',
  bounded: 'the longest time that a change takes is over',
};

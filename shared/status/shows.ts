import type { Content } from './types.ts';

/** Whether a status says that it waits for a proof; an Ingress shows its addresses once it is there, and nothing before. */
export function showsWaiting(content: Content): boolean {
  return content.family !== 'addressed';
}

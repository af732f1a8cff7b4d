import type { ChangeEvent } from '../events.ts';
import type { KubernetesObject } from '../kubernetes/resources.ts';

function isOlder(version: string, than: string): boolean {
  if (!/^\d+$/.test(version) || !/^\d+$/.test(than)) return false;
  return BigInt(version) < BigInt(than);
}

/**
 * Whether an object was found as it was before a change. An admission review comes before the object is stored, and
 * the write it announces may still fail or change nothing; so the reader looks again, but not for ever. Pure.
 */
export function isEarly(change: ChangeEvent, found: KubernetesObject | undefined): boolean {
  const version = found?.metadata.resourceVersion;
  if (version === undefined) {
    // Whoever knows the version has seen the object stored: it is gone again.
    return change.operation === 'create' && change.resourceVersion === undefined;
  }
  if (change.previousResourceVersion !== undefined) return version === change.previousResourceVersion;
  return (
    change.operation !== 'delete' && change.resourceVersion !== undefined && isOlder(version, change.resourceVersion)
  );
}

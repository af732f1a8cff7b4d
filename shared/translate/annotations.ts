import type { KubernetesObject } from '../kubernetes/resources.ts';
import type { Context } from './context.ts';

/** Comma list: trimmed, empty items dropped (KIC). */
export function listOf(value: string): readonly string[] {
  return value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/** `true` or `false` in any case. */
export function trueFalse(value: string): boolean | undefined {
  const lower = value.toLowerCase();
  return lower === 'true' ? true : lower === 'false' ? false : undefined;
}

const BOOLEANS: Readonly<Record<string, boolean>> = {
  '1': true,
  t: true,
  true: true,
  '0': false,
  f: false,
  false: false,
};

/** What Go's ParseBool takes, in any case. */
export function goBoolean(value: string): boolean | undefined {
  const lower = value.toLowerCase();
  return Object.hasOwn(BOOLEANS, lower) ? BOOLEANS[lower] : undefined;
}

/** What Go's Atoi takes, as far as it is a safe integer. */
export function goInteger(value: string): number | undefined {
  if (!/^[+-]?\d+$/.test(value)) return undefined;
  const parsed = Number(value);
  return Number.isSafeInteger(parsed) ? parsed : undefined;
}

/** An integer between two bounds, both included. */
export function integerBetween(min: number, max: number): (value: string) => number | undefined {
  return (value) => {
    const parsed = goInteger(value);
    return parsed === undefined || parsed < min || parsed > max ? undefined : parsed;
  };
}

/** Full keys by name: a key that is put together anew costs more than its lookup. */
const keys = new Map<string, string>();

function keyOf(name: string): string {
  const known = keys.get(name);
  if (known !== undefined) return known;
  const key = `konghq.com/${name}`;
  keys.set(name, key);
  return key;
}

/** The raw value of `konghq.com/<name>`. */
export function annotation(object: KubernetesObject, name: string): string | undefined {
  return object.metadata.annotations?.[keyOf(name)];
}

/** Whether an object has any annotation of Kong's: most have none, and need not be asked for each of them. */
export function isAnnotated(object: KubernetesObject): boolean {
  for (const key in object.metadata.annotations) if (key.startsWith('konghq.com/')) return true;
  return false;
}

/** The parsed value of `konghq.com/<name>`; a value that cannot be parsed is a finding and counts as absent. */
export function readAnnotation<T>(
  context: Context,
  object: KubernetesObject,
  name: string,
  parse: (value: string) => T | undefined,
  expected: string,
): T | undefined {
  const value = annotation(object, name);
  if (value === undefined) return undefined;
  const parsed = parse(value);
  if (parsed === undefined) {
    const shown = JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
    context.report(object, 'InvalidAnnotation', `annotation konghq.com/${name} is ${shown}, expected ${expected}`);
  }
  return parsed;
}

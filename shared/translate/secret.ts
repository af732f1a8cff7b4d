import type { Secret } from '../kubernetes/resources.ts';

/** A Secret's value as text; undefined when the key is absent. */
export function secretText(secret: Secret, key: string): string | undefined {
  const value = secret.data?.[key];
  return value === undefined ? undefined : Buffer.from(value, 'base64').toString('utf8');
}

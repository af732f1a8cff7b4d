/** Where a setting's value is kept. */
export interface Reference {
  readonly store: 'secretsmanager' | 'ssm';
  /** Name or ARN of the secret, or name of the parameter. */
  readonly id: string;
  /** A key of the JSON object that the secret holds; undefined for the whole text. */
  readonly key: string | undefined;
}

/** `#` is in no name of a secret or parameter, `:` is in every ARN. */
const REFERENCE = /^(secretsmanager|ssm):([^#\s]+)(?:#(.+))?$/;

/**
 * The reference in a setting: `secretsmanager:<name or ARN>#<key>` or `ssm:<parameter>`, each with or without a key.
 * Undefined for a value that is none. Pure.
 */
export function parseReference(value: string): Reference | undefined {
  const [, store, id, key] = REFERENCE.exec(value) ?? [];
  if ((store !== 'secretsmanager' && store !== 'ssm') || id === undefined) return undefined;
  return { store, id, key };
}

import { AppError } from './errors.ts';

/** Environment variables as strings; `process.env` at the edge, a plain object in tests. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A setting that must be there, or CONFIG_INVALID. */
export function required(env: Environment, name: string): string {
  const value = env[name];
  if (value === undefined || value === '') throw new AppError('CONFIG_INVALID', `${name} is not set`);
  return value;
}

/** A setting, or undefined when it is unset or empty. */
export function optional(env: Environment, name: string): string | undefined {
  const value = env[name];
  return value === '' ? undefined : value;
}

/** The parts between commas, trimmed; empty ones are left out. */
export function list(env: Environment, name: string, fallback: readonly string[]): readonly string[] {
  const value = optional(env, name);
  if (value === undefined) return fallback;
  return value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/** A number of at least `min`, or CONFIG_INVALID. */
export function integer(env: Environment, name: string, fallback: number, min = 0): number {
  const value = optional(env, name);
  if (value === undefined) return fallback;
  const parsed = Number(value);
  if (!Number.isInteger(parsed) || parsed < min) {
    throw new AppError('CONFIG_INVALID', `${name} must be a whole number of at least ${min}`);
  }
  return parsed;
}

/** `true` or `false`, or CONFIG_INVALID. */
export function boolean(env: Environment, name: string, fallback: boolean): boolean {
  const value = optional(env, name);
  if (value === undefined) return fallback;
  if (value !== 'true' && value !== 'false') throw new AppError('CONFIG_INVALID', `${name} must be true or false`);
  return value === 'true';
}

/** One of some words, or CONFIG_INVALID. */
export function choice<Word extends string>(
  env: Environment,
  name: string,
  words: readonly Word[],
  fallback: Word,
): Word {
  const value = optional(env, name);
  if (value === undefined) return fallback;
  const word = words.find((item) => item === value);
  if (word === undefined) throw new AppError('CONFIG_INVALID', `${name} must be ${words.join(' or ')}`);
  return word;
}

/** A URL of one of the protocols (`https:` …) without trailing slashes, or CONFIG_INVALID. */
export function url(name: string, value: string, protocols: readonly string[]): string {
  const parsed = URL.parse(value);
  if (parsed === null || !protocols.includes(parsed.protocol)) {
    // The value itself is not repeated: a DSN holds a password.
    throw new AppError('CONFIG_INVALID', `${name} must be a URL that starts with ${protocols.join(' or ')}//`);
  }
  return value.replace(/\/+$/, '');
}

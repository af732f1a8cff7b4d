import { AppError } from '../../../shared/errors.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unusable(where: string, expected: string): AppError {
  return new AppError('LOCAL_CLOUD_UNSUPPORTED', `${where} must be ${expected}`);
}

/** The readers below give the value in its type, or throw LOCAL_CLOUD_UNSUPPORTED that names `where` it was found. */
export function asObject(value: unknown, where: string): JsonObject {
  if (!isObject(value)) throw unusable(where, 'a map');
  return value;
}

export function asList(value: unknown, where: string): readonly unknown[] {
  if (!Array.isArray(value)) throw unusable(where, 'a list');
  return value;
}

export function asText(value: unknown, where: string): string {
  if (typeof value !== 'string') throw unusable(where, 'a string');
  return value;
}

export function asNumber(value: unknown, where: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw unusable(where, 'a number');
  return value;
}

export function numberOr(value: unknown, fallback: number, where: string): number {
  return value === undefined ? fallback : asNumber(value, where);
}

import { isDeepStrictEqual } from 'node:util';
import { isList } from '../json.ts';
import type { Json } from '../json.ts';
import { luaPattern } from './pattern.ts';
import type { Field, Validators } from './types.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function isUuid(value: string): boolean {
  return UUID.test(value);
}

/** Kong's message when a value is not of the type, undefined when it is. */
export function typeError(type: Field['type'], value: Json): string | undefined {
  switch (type) {
    case 'string':
      return typeof value === 'string' ? undefined : 'expected a string';
    case 'number':
      return typeof value === 'number' ? undefined : 'expected a number';
    case 'integer':
      return typeof value === 'number' && Number.isInteger(value) ? undefined : 'expected an integer';
    case 'boolean':
      return typeof value === 'boolean' ? undefined : 'expected a boolean';
    case 'array':
    case 'set':
      return isList(value) ? undefined : `expected ${type === 'set' ? 'a set' : 'an array'}`;
    case 'map':
    case 'record':
    case 'foreign':
      return typeof value === 'object' && !isList(value) ? undefined : `expected a ${type === 'map' ? type : 'record'}`;
    default:
      return undefined;
  }
}

/** The message of the first restriction that a value (not null, of the right type) breaks. */
export function restrictionError(rules: Validators, value: Json): string | undefined {
  const message =
    comparison(rules, value) ??
    membership(rules, value) ??
    (typeof value === 'string' ? stringRule(rules, value) : undefined) ??
    (isList(value) ? listRule(rules, value) : undefined);
  return message === undefined ? undefined : (rules.err ?? message);
}

function comparison(rules: Validators, value: Json): string | undefined {
  if (rules.eq !== undefined && !isDeepStrictEqual(rules.eq, value)) return `value must be ${show(rules.eq)}`;
  if (typeof value !== 'number') return undefined;
  if (rules.gt !== undefined && value <= rules.gt) return `value must be greater than ${rules.gt}`;
  if (rules.between === undefined) return undefined;
  const [min, max] = rules.between;
  return value < min || value > max ? `value should be between ${min} and ${max}` : undefined;
}

function membership(rules: Validators, value: Json): string | undefined {
  if (rules.one_of !== undefined && !rules.one_of.includes(value)) return `expected one of: ${shown(rules.one_of)}`;
  if (rules.not_one_of?.includes(value) === true) return `must not be one of: ${shown(rules.not_one_of)}`;
  return undefined;
}

function stringRule(rules: Validators, value: string): string | undefined {
  const length = lengthRule({ len_min: 1, ...rules }, value.length);
  if (length !== undefined) return length;
  if (rules.uuid === true && !isUuid(value)) return 'expected a valid UUID';
  if (rules.starts_with !== undefined && !value.startsWith(rules.starts_with)) {
    return `should start with: ${rules.starts_with}`;
  }
  if (rules.match !== undefined && !luaPattern(rules.match).test(value)) return `invalid value: ${value}`;
  if (rules.is_regex === true && !isRegex(value)) return `not a valid regex: ${value}`;
  return patternRule(rules, value);
}

function patternRule(rules: Validators, value: string): string | undefined {
  for (const { pattern, err } of rules.match_all ?? []) if (!luaPattern(pattern).test(value)) return err;
  for (const { pattern, err } of rules.match_none ?? []) if (luaPattern(pattern).test(value)) return err;
  if (rules.match_any?.patterns.some((pattern) => luaPattern(pattern).test(value)) === false) {
    return rules.match_any.err ?? `invalid value: ${value}`;
  }
  return undefined;
}

function listRule(rules: Validators, value: readonly Json[]): string | undefined {
  const length = lengthRule(rules, value.length);
  if (length !== undefined) return length;
  if (rules.contains !== undefined && !value.includes(rules.contains))
    return `expected to contain: ${show(rules.contains)}`;
  const sets = rules.mutually_exclusive_subsets;
  if (sets === undefined) return undefined;
  const touched = sets.filter((set) => set.some((member) => value.includes(member)));
  if (touched.length < 2) return undefined;
  return `these sets are mutually exclusive: ${touched.map((set) => `('${set.join("', '")}')`).join(', ')}`;
}

function lengthRule(rules: Validators, length: number): string | undefined {
  if (rules.len_eq !== undefined && length !== rules.len_eq) return `length must be ${rules.len_eq}`;
  if (rules.len_min !== undefined && length < rules.len_min) return `length must be at least ${rules.len_min}`;
  return undefined;
}

/** True for what PCRE takes, judged by JavaScript's dialect, which lacks inline flags and possessive quantifiers. */
export function isRegex(source: string): boolean {
  return regexError(source) === undefined;
}

/** Why a regular expression cannot be compiled, undefined when it can. */
export function regexError(source: string): string | undefined {
  const portable = source
    .replaceAll(/\(\?P?<([A-Za-z_]\w*)>/g, '(?<$1>')
    .replaceAll(/\(\?[imsx]+\)/g, '')
    .replaceAll(/([*+?}])\+/g, '$1');
  try {
    RegExp(portable);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : 'not a regular expression';
  }
}

function show(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function shown(values: readonly Json[]): string {
  return values.map(show).join(', ');
}

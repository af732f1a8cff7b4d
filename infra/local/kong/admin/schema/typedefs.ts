import { isIP } from 'node:net';
import type { Json } from '../json.ts';
import type { Field, Fields } from './types.ts';

/** Field types that Kong's schemas share. Each takes attributes that add to or replace its own. */

type More = Partial<Field>;

export const string = (more: More = {}): Field => ({ type: 'string', ...more });
export const integer = (more: More = {}): Field => ({ type: 'integer', ...more });
export const number = (more: More = {}): Field => ({ type: 'number', ...more });
export const boolean = (more: More = {}): Field => ({ type: 'boolean', ...more });
export const record = (fields: Fields, more: More = {}): Field => ({ type: 'record', fields, ...more });
export const foreign = (reference: string, more: More = {}): Field => ({ type: 'foreign', reference, ...more });
export const arrayOf = (elements: Field, more: More = {}): Field => ({ type: 'array', elements, ...more });
export const setOf = (elements: Field, more: More = {}): Field => ({ type: 'set', elements, ...more });
export const strings = (more: More = {}): Field => arrayOf(string(), more);
export const mapOf = (keys: Field, values: Field, more: More = {}): Field => ({ type: 'map', keys, values, ...more });
/** A required switch with its default. */
export const flag = (value: boolean): Field => boolean({ default: value, required: true });
export const oneOf = (values: readonly Json[], more: More = {}): Field => ({
  type: typeof values[0] === 'number' ? 'integer' : 'string',
  one_of: values,
  ...more,
});

export const PROTOCOLS = ['grpc', 'grpcs', 'http', 'https', 'tcp', 'tls', 'tls_passthrough', 'udp'] as const;

export const ID: Field = string({ auto: true, uuid: true });
export const SECONDS: Field = integer({ auto: true, timestamp: true });
export const MILLISECONDS: Field = number({ auto: true, timestamp: true });

export const id: Fields = { id: ID };
export const times: Fields = { created_at: SECONDS, updated_at: SECONDS };

// Printable ASCII but the list separators, or anything beyond ASCII.
const TAG = /^[ -+\-.0-~\u0080-\u{10ffff}]+$/u;
export const tags: Field = setOf(
  string({
    required: true,
    custom: (value) =>
      TAG.test(value)
        ? undefined
        : `invalid tag '${value}': expected printable ascii (except \`,\` and \`/\`) or valid utf-8 sequences`,
  }),
);

const NAME = /^[A-Za-z0-9.\-_~\u0080-\u{10ffff}]+$/u;
export const name = (more: More = {}): Field =>
  string({
    unique: true,
    custom: (value) =>
      NAME.test(value)
        ? undefined
        : `invalid value '${value}': the only accepted ascii characters are alphanumerics or ., -, _, and ~`,
    ...more,
  });

const LABEL = /^[a-zA-Z0-9_]([a-zA-Z0-9_-]*[a-zA-Z0-9_])?$/;

/** True for a host name or an IP address, without a port. */
export function isHost(value: string): boolean {
  const bare = value.startsWith('[') && value.endsWith(']') ? value.slice(1, -1) : value;
  if (isIP(bare) !== 0) return true;
  const labels = value.replace(/\.$/, '').split('.');
  return value.length <= 253 && labels.every((label) => LABEL.test(label));
}

export const host = (more: More = {}): Field =>
  string({ custom: (value) => (isHost(value) ? undefined : `invalid value: ${value}`), ...more });

export const port = (more: More = {}): Field => integer({ between: [0, 65535], ...more });
export const timeout = (more: More = {}): Field => integer({ between: [0, 2147483646], ...more });

const NO_EMPTY_SEGMENTS: More = { match_none: [{ pattern: '//', err: 'must not have empty segments' }] };
export const path = (more: More = {}): Field => string({ starts_with: '/', ...NO_EMPTY_SEGMENTS, ...more });

export const headerName: Field = string({
  custom: (value) =>
    /^[A-Za-z0-9_-]+$/.test(value)
      ? undefined
      : `bad header name '${value}', allowed characters are A-Z, a-z, 0-9, '_', and '-'`,
});

export const wildcardHost: Field = string({
  custom: (value) =>
    isHost(value.replace(/^\*\./, 'x.').replace(/\.\*$/, '.x')) ? undefined : `invalid value: ${value}`,
});

/** The field may only be left out. */
export const absent = (type: Field, err?: string): Field => ({
  ...type,
  eq: null,
  ...(err === undefined ? {} : { err }),
});

/** The id, a name and what all tagged entities carry. */
export function tagged(fields: Fields): Fields {
  return { ...id, ...times, ...fields, tags };
}

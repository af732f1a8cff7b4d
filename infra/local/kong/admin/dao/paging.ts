import { isList, parseJson } from '../json.ts';
import type { Json } from '../json.ts';
import { invalidOffset, invalidOption, invalidSize } from './kong-error.ts';

const DEFAULT_SIZE = 100;
const MAX_SIZE = 1000;
const MAX_TAGS = 5;

/** Tags to filter by: all of them, or at least one. */
export interface TagFilter {
  readonly tags: readonly string[];
  readonly all: boolean;
}

export interface PageRequest {
  readonly size: number;
  /** Only rows with ids after this one. */
  readonly after: string | undefined;
  readonly filter: TagFilter | undefined;
}

/** Reads `size`, `offset` and `tags` of a list request. Throws Kong's errors for wrong ones. */
export function pageRequest(query: URLSearchParams): PageRequest {
  return {
    size: pageSize(query.get('size')),
    after: offsetId(query.get('offset')),
    filter: tagFilter(query.get('tags')),
  };
}

function pageSize(value: string | null): number {
  if (value === null) return DEFAULT_SIZE;
  const size = Number(value);
  if (value.trim() === '' || Number.isNaN(size)) throw invalidSize('size must be a number');
  if (!Number.isInteger(size) || size < 1 || size > MAX_SIZE) {
    throw invalidSize(`size must be an integer between 1 and ${MAX_SIZE}`);
  }
  return size;
}

/** The offset that continues after an id. */
export function offsetAfter(id: string): string {
  return Buffer.from(JSON.stringify([id]))
    .toString('base64')
    .replaceAll('=', '');
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function offsetId(offset: string | null): string | undefined {
  if (offset === null) return undefined;
  if (!/^[A-Za-z0-9+/_-]+=*$/.test(offset)) throw invalidOffset(offset, 'bad base64 encoding');
  const value = decoded(offset);
  const id = isList(value) ? value[0] : undefined;
  if (typeof id !== 'string' || !UUID.test(id)) throw invalidOffset(offset, 'bad json encoding');
  return id;
}

function decoded(offset: string): Json | undefined {
  try {
    return parseJson(Buffer.from(offset, 'base64').toString());
  } catch {
    return undefined;
  }
}

const TAG = /^[ -+\-.0-~\u0080-\u{10ffff}]+$/u;

function tagFilter(value: string | null): TagFilter | undefined {
  if (value === null) return undefined;
  if (value === '') throw invalidOption('tags', 'cannot be null');
  const all = !value.includes('/');
  const tags = value.split(all ? ',' : '/');
  if (tags.some((tag) => !TAG.test(tag))) throw invalidOption('tags', 'invalid filter syntax');
  if (tags.length > MAX_TAGS) throw invalidOption('tags', `cannot query more than ${MAX_TAGS} tags at once`);
  return { tags, all };
}

import { hash } from 'node:crypto';
import type { Json } from './kong/entities.ts';

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

/** Field names as JSON spells them: the same few come with every entity. The rest is not kept, as anybody can name fields. */
const names = new Map<string, string>();
const MOST_NAMES = 2000;

function nameJson(field: string): string {
  const known = names.get(field);
  if (known !== undefined) return known;
  const text = `${JSON.stringify(field)}:`;
  if (names.size < MOST_NAMES) names.set(field, text);
  return text;
}

function listJson(list: readonly Json[]): string {
  let text = '';
  for (const item of list) text += text === '' ? canonicalJson(item) : `,${canonicalJson(item)}`;
  return `[${text}]`;
}

/** JSON with the fields of every object in code unit order, so that equal values give equal text. */
export function canonicalJson(value: Json): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (isList(value)) return listJson(value);
  let text = '';
  for (const field of Object.keys(value).toSorted()) {
    if (text !== '') text += ',';
    text += nameJson(field) + canonicalJson(value[field] ?? null);
  }
  return `{${text}}`;
}

/** SHA-256 of a text, as lower-case hex. */
export function hashOfText(text: string): string {
  return hash('sha256', text, 'hex');
}

/** SHA-256 of the canonical JSON, as lower-case hex. */
export function hashOf(value: Json): string {
  return hashOfText(canonicalJson(value));
}

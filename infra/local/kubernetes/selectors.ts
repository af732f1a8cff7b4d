import { at, textAt, type JsonObject } from './json.ts';
import { badRequest } from './status.ts';

/** One requirement of a label selector. */
export type Requirement =
  | { readonly key: string; readonly operator: 'in' | 'notin'; readonly values: readonly string[] }
  | { readonly key: string; readonly operator: 'exists' | 'absent' };

/** One requirement of a field selector: the field (a dotted path) has, or has not, the value. */
export interface FieldRequirement {
  readonly field: string;
  readonly equals: boolean;
  readonly value: string;
}

const NAME = String.raw`[A-Za-z0-9]([A-Za-z0-9_./-]*[A-Za-z0-9])?`;
const VALUE = /^([A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?)?$/;
const SET = new RegExp(String.raw`^(?<key>${NAME})\s+(?<operator>in|notin)\s*\(\s*(?<values>[^()]*)\)$`);
const EQUALITY = new RegExp(String.raw`^(?<key>${NAME})\s*(?<operator>==|=|!=)\s*(?<value>\S*)$`);
const PRESENCE = new RegExp(String.raw`^(?<not>!)?\s*(?<key>${NAME})$`);

/** Splits at commas that are not inside parentheses. */
function parts(selector: string): readonly string[] {
  return selector
    .split(/,(?![^(]*\))/)
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function requirement(text: string): Requirement | undefined {
  const set = SET.exec(text)?.groups;
  if (set !== undefined) {
    const values = (set['values'] ?? '').split(',').map((value) => value.trim());
    return { key: set['key'] ?? '', operator: set['operator'] === 'in' ? 'in' : 'notin', values };
  }
  const equality = EQUALITY.exec(text)?.groups;
  if (equality !== undefined) {
    const operator = equality['operator'] === '!=' ? 'notin' : 'in';
    return { key: equality['key'] ?? '', operator, values: [equality['value'] ?? ''] };
  }
  const presence = PRESENCE.exec(text)?.groups;
  if (presence === undefined) return undefined;
  return { key: presence['key'] ?? '', operator: presence['not'] === undefined ? 'exists' : 'absent' };
}

/** Parses `a=b,c!=d,e in (f,g),h notin (i),j,!k`. Throws a 400 Status. */
export function parseLabelSelector(selector: string): readonly Requirement[] {
  return parts(selector).map((part) => {
    const parsed = requirement(part);
    const values = parsed !== undefined && 'values' in parsed ? parsed.values : [];
    if (parsed === undefined || values.some((value) => !VALUE.test(value) || value.length > 63)) {
      throw badRequest(`unable to parse requirement: ${JSON.stringify(part)} is not a label requirement`);
    }
    return parsed;
  });
}

function matchesRequirement(labels: JsonObject, wanted: Requirement): boolean {
  const value = at(labels, wanted.key);
  if (!('values' in wanted)) return (value !== undefined) === (wanted.operator === 'exists');
  const listed = typeof value === 'string' && wanted.values.includes(value);
  return listed === (wanted.operator === 'in');
}

export function matchesLabels(labels: JsonObject, selector: readonly Requirement[]): boolean {
  return selector.every((wanted) => matchesRequirement(labels, wanted));
}

/** Parses `metadata.name=x,type!=y`; only fields in `allowed` can be selected. Throws a 400 Status. */
export function parseFieldSelector(selector: string, allowed: readonly string[]): readonly FieldRequirement[] {
  return parts(selector).map((part) => {
    const match = /^(?<field>[^=!]+)(?<operator>==|=|!=)(?<value>.*)$/.exec(part)?.groups;
    if (match === undefined) throw badRequest(`invalid selector: '${selector}'; can't understand '${part}'`);
    const field = match['field'] ?? '';
    if (!['metadata.name', 'metadata.namespace', ...allowed].includes(field)) {
      throw badRequest(`field label not supported: ${field}`);
    }
    return { field, equals: match['operator'] !== '!=', value: match['value'] ?? '' };
  });
}

export function matchesFields(object: JsonObject, selector: readonly FieldRequirement[]): boolean {
  return selector.every(({ field, equals, value }) => (textAt(object, ...field.split('.')) === value) === equals);
}

import type { Json } from '../../../../../shared/kong/entities.ts';
import { isRow, object, texts } from '../rows.ts';
import type { Row } from '../rows.ts';

/** A configuration entry `name:value`; without a value `value` is `''`. */
export interface Pair {
  readonly name: string;
  readonly value: string;
}

/** The entries of `config[action][field]`, in order. */
export function pairs(config: Row, action: string, field: string): readonly Pair[] {
  return texts(object(config, action), field).map((entry) => {
    const [, name = entry, value = ''] = /^([^:]+):*(.*)$/s.exec(entry) ?? [];
    return { name, value };
  });
}

/** Named lists of values: header fields or query arguments. */
type Values = Map<string, string[]>;

export interface TransformOptions {
  readonly field: string;
  /** Spelling under which a name is kept, e.g. lower case for headers. */
  readonly spell: (name: string) => string;
  readonly render: (value: string) => string;
  /** Names that only `replace` may touch. */
  readonly protectedNames?: ReadonlySet<string>;
}

/** Changes `values` in the order of Kong's transformer plugins: remove, rename, replace, add, append. */
export function transform(values: Values, config: Row, options: TransformOptions): void {
  const { field, spell, render, protectedNames } = options;
  const entries = (action: string): Pair[] =>
    pairs(config, action, field)
      .map(({ name, value }) => ({ name: spell(name), value }))
      .filter(({ name }) => action === 'replace' || protectedNames?.has(name) !== true);
  for (const { name } of entries('remove')) values.delete(name);
  for (const { name, value } of entries('rename')) {
    const held = values.get(name);
    if (held === undefined) continue;
    values.delete(name);
    values.set(spell(value), held);
  }
  for (const { name, value } of entries('replace')) if (values.has(name)) values.set(name, [render(value)]);
  for (const { name, value } of entries('add')) if (!values.has(name)) values.set(name, [render(value)]);
  for (const { name, value } of entries('append')) values.set(name, [...(values.get(name) ?? []), render(value)]);
}

/** Changes arguments in `application/x-www-form-urlencoded` form: a query or a form body. */
export function transformArguments(
  encoded: string,
  config: Row,
  field: string,
  render: TransformOptions['render'],
): string {
  const values: Values = new Map();
  for (const [name, value] of new URLSearchParams(encoded)) values.set(name, [...(values.get(name) ?? []), value]);
  transform(values, config, { field, spell: (name) => name, render });
  const changed = new URLSearchParams();
  for (const [name, list] of values) for (const value of list) changed.append(name, value);
  return changed.toString();
}

const ACTIONS = ['remove', 'rename', 'replace', 'add', 'append'];

/** True when any action has entries for the field. */
export function changes(config: Row, field: string): boolean {
  return ACTIONS.some((action) => texts(object(config, action), field).length > 0);
}

function typed(value: string, type: string | undefined): Json {
  if (type === 'number') return Number(value);
  if (type === 'boolean') return value === 'true';
  return value;
}

/** Changes top-level fields of a JSON object; `json_types` beside the entries gives the types of new values. */
function transformObject(body: Row, config: Row, field: string, render: TransformOptions['render']): Row {
  const fields = new Map(Object.entries(body));
  const entries = (action: string): { name: string; value: Json }[] => {
    const types = texts(object(config, action), 'json_types');
    return pairs(config, action, field).map(({ name, value }, index) => ({
      name,
      value: typed(render(value), types[index]),
    }));
  };
  for (const { name } of pairs(config, 'remove', field)) fields.delete(name);
  for (const { name, value } of pairs(config, 'rename', field)) {
    const held = fields.get(name);
    if (held === undefined) continue;
    fields.delete(name);
    fields.set(value, held);
  }
  for (const { name, value } of entries('replace')) if (fields.has(name)) fields.set(name, value);
  for (const { name, value } of entries('add')) if (!fields.has(name)) fields.set(name, value);
  for (const { name, value } of entries('append')) {
    const held = fields.get(name);
    const list: readonly Json[] = Array.isArray(held) ? held : held === undefined ? [] : [held];
    fields.set(name, [...list, value]);
  }
  return Object.fromEntries(fields);
}

/** Changes a JSON body; what is no JSON object passes as it is, as in Kong. */
export function transformJson(body: Buffer, config: Row, field: string, render: TransformOptions['render']): Buffer {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return isRow(value) ? Buffer.from(JSON.stringify(transformObject(value, config, field, render))) : body;
  } catch {
    return body;
  }
}

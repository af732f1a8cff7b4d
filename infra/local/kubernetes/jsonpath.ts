import { isArray, isObject, textAt, type Json } from './json.ts';

/** One step of a path: a field, every item, an item by index, or the items whose field has a value. */
const STEP = /\.((?:\\.|[^.[\]\\])+)|\[\*\]|\[(-?\d+)\]|\['([^']*)'\]|\[\?\(@\.([\w.]+)\s*==\s*["']([^"']*)["']\)\]/gy;

function step(values: readonly Json[], match: RegExpMatchArray): readonly Json[] {
  const [text, dotted, index, quoted, filterField, filterValue] = match;
  const field = dotted?.replaceAll(/\\(.)/g, '$1') ?? quoted;
  if (field !== undefined) {
    return values.flatMap((value) => {
      const found = isObject(value) && Object.hasOwn(value, field) ? value[field] : undefined;
      return found === undefined ? [] : [found];
    });
  }
  const lists = values.filter(isArray);
  if (text === '[*]') return lists.flat();
  if (index !== undefined) return lists.flatMap((list) => list.at(Number(index)) ?? []);
  const path = (filterField ?? '').split('.');
  return lists.flat().filter((item) => textAt(item, ...path) === filterValue);
}

/** The values at a path of the JSONPath subset of CRD printer columns; empty when there are none or the path is another. */
export function jsonPath(value: Json, path: string): readonly Json[] {
  let values: readonly Json[] = [value];
  let end = 0;
  for (const match of path.matchAll(STEP)) {
    values = step(values, match);
    end = match.index + match[0].length;
  }
  return end === path.length ? values : [];
}

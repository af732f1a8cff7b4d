/** Where a value differs from its shape. */
export interface Misfit {
  /** From the value inwards, for instance `rules[0].host`; `''` for the value itself. */
  readonly path: string;
  /** `is a number, expected a string`. */
  readonly problem: string;
}

/**
 * The shape that a value should have: undefined when it fits, otherwise the first misfit. Unknown fields are ignored,
 * as the API server's schemas decide about them. Paths are put together only when something is wrong.
 */
export type Shape = (value: unknown) => Misfit | undefined;

function nameOfType(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function unexpected(value: unknown, expected: string): Misfit {
  return { path: '', problem: `is ${nameOfType(value)}, expected ${expected}` };
}

/** The misfit seen from the list or object around it. */
function inside(step: string, { path, problem }: Misfit): Misfit {
  const separator = path === '' || path.startsWith('[') ? '' : '.';
  return { path: `${step}${separator}${path}`, problem };
}

function primitive(type: 'string' | 'number' | 'boolean'): Shape {
  return (value) => (typeof value === type ? undefined : unexpected(value, `a ${type}`));
}

export const text = primitive('string');
export const number = primitive('number');
export const flag = primitive('boolean');
export const anything: Shape = () => undefined;

/** One of several texts. */
export function oneOf(...allowed: readonly string[]): Shape {
  const expected = `one of ${allowed.join(', ')}`;
  return (value) => {
    if (typeof value !== 'string') return unexpected(value, expected);
    if (allowed.includes(value)) return undefined;
    return { path: '', problem: `is ${JSON.stringify(value.slice(0, 80))}, expected ${expected}` };
  };
}

/** A number or a text, as a Service's targetPort. */
export const numberOrText: Shape = (value) =>
  typeof value === 'number' || typeof value === 'string' ? undefined : unexpected(value, 'a number or a string');

export function list(item: Shape): Shape {
  return (value) => {
    if (!Array.isArray(value)) return unexpected(value, 'a list');
    for (let index = 0; index < value.length; index += 1) {
      const misfit = item(value[index]);
      if (misfit !== undefined) return inside(`[${index}]`, misfit);
    }
    return undefined;
  };
}

function isObject(value: unknown): value is { readonly [field: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An object whose values all have one shape. */
export function record(item: Shape): Shape {
  return (value) => {
    if (!isObject(value)) return unexpected(value, 'an object');
    for (const key of Object.keys(value)) {
      const misfit = item(value[key]);
      if (misfit !== undefined) return inside(key, misfit);
    }
    return undefined;
  };
}

/** An object with these fields; all may be absent but those named in `required`. */
export function object(fields: { readonly [field: string]: Shape }, ...required: readonly string[]): Shape {
  const shapes = Object.entries(fields).map(([field, shape]) => ({ field, shape }));
  return (value) => {
    if (!isObject(value)) return unexpected(value, 'an object');
    for (const { field, shape } of shapes) {
      const entry = value[field];
      const misfit = entry === undefined ? undefined : shape(entry);
      if (misfit !== undefined) return inside(field, misfit);
    }
    for (const field of required) if (value[field] === undefined) return { path: field, problem: 'is missing' };
    return undefined;
  };
}

const METADATA = object(
  {
    name: text,
    namespace: text,
    uid: text,
    creationTimestamp: text,
    labels: record(text),
    annotations: record(text),
  },
  'name',
);

/** An object of a kind: `apiVersion`, `kind`, `metadata` and the kind's own fields. */
export function resource(fields: { readonly [field: string]: Shape }, ...required: readonly string[]): Shape {
  return object(
    { apiVersion: text, kind: text, metadata: METADATA, ...fields },
    'apiVersion',
    'kind',
    'metadata',
    ...required,
  );
}

/**
 * The shape that a value should have: returns undefined when it fits, otherwise what is wrong, for instance
 * `spec.rules[0].host is a number, expected a string`. Unknown fields are ignored, as the API server's schemas decide
 * about them.
 */
export type Shape = (value: unknown, path: string) => string | undefined;

function nameOfType(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function primitive(type: 'string' | 'number' | 'boolean'): Shape {
  return (value, path) => (typeof value === type ? undefined : `${path} is ${nameOfType(value)}, expected a ${type}`);
}

export const text = primitive('string');
export const number = primitive('number');
export const flag = primitive('boolean');
export const anything: Shape = () => undefined;

/** One of several texts. */
export function oneOf(...allowed: readonly string[]): Shape {
  return (value, path) =>
    typeof value === 'string' && allowed.includes(value)
      ? undefined
      : `${path} is ${typeof value === 'string' ? JSON.stringify(value.slice(0, 80)) : nameOfType(value)}, expected one of ${allowed.join(', ')}`;
}

/** A number or a text, as a Service's targetPort. */
export const numberOrText: Shape = (value, path) =>
  typeof value === 'number' || typeof value === 'string'
    ? undefined
    : `${path} is ${nameOfType(value)}, expected a number or a string`;

export function list(item: Shape): Shape {
  return (value, path) => {
    if (!Array.isArray(value)) return `${path} is ${nameOfType(value)}, expected a list`;
    for (const [index, entry] of value.entries()) {
      const problem = item(entry, `${path}[${index}]`);
      if (problem !== undefined) return problem;
    }
    return undefined;
  };
}

function entriesOf(value: unknown): [string, unknown][] | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : undefined;
}

/** An object whose values all have one shape. */
export function record(item: Shape): Shape {
  return (value, path) => {
    const entries = entriesOf(value);
    if (entries === undefined) return `${path} is ${nameOfType(value)}, expected an object`;
    for (const [key, entry] of entries) {
      const problem = item(entry, `${path}.${key}`);
      if (problem !== undefined) return problem;
    }
    return undefined;
  };
}

function prefix(path: string): string {
  return path === '' ? '' : `${path}.`;
}

/** An object with these fields; all may be absent but those named in `required`. */
export function object(fields: { readonly [field: string]: Shape }, ...required: readonly string[]): Shape {
  return (value, path) => {
    const entries = entriesOf(value);
    if (entries === undefined)
      return `${path === '' ? 'the object' : path} is ${nameOfType(value)}, expected an object`;
    const present = new Set<string>();
    for (const [key, entry] of entries) {
      if (entry === undefined) continue;
      present.add(key);
      const problem = Object.hasOwn(fields, key) ? fields[key]?.(entry, prefix(path) + key) : undefined;
      if (problem !== undefined) return problem;
    }
    const missing = required.find((name) => !present.has(name));
    return missing === undefined ? undefined : `${prefix(path)}${missing} is missing`;
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

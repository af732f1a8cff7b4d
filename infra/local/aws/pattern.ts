import { BlockList, isIP } from 'node:net';
import { asList, asNumber, asText, isObject } from './json.ts';
import type { JsonObject } from './json.ts';
import { AppError } from '../../../shared/errors.ts';

/** Tells whether an event matches. */
export type Matcher = (event: unknown) => boolean;

type Scalar = string | number | boolean | null;
type Leaf = (value: Scalar) => boolean;

function invalid(message: string): AppError {
  return new AppError('LOCAL_CLOUD_UNSUPPORTED', `event pattern: ${message}`);
}

/** The scalars of a field; a missing field, an empty list and a map have none. */
function leavesOf(value: unknown): Scalar[] {
  if (Array.isArray(value)) return value.flatMap(leavesOf);
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    return [value];
  }
  return [];
}

function objectsOf(value: unknown): JsonObject[] {
  if (Array.isArray(value)) return value.flatMap(objectsOf);
  return isObject(value) ? [value] : [];
}

function onText(test: (value: string) => boolean): Leaf {
  return (value) => typeof value === 'string' && test(value);
}

function ignoringCase(expected: string): Leaf {
  const lower = expected.toLowerCase();
  return onText((value) => value.toLowerCase() === lower);
}

function affix(operand: unknown, name: 'prefix' | 'suffix'): Leaf {
  const relaxed = isObject(operand);
  const expected = asText(relaxed ? operand['equals-ignore-case'] : operand, `event pattern: ${name}`);
  const wanted = relaxed ? expected.toLowerCase() : expected;
  return onText((value) => {
    const actual = relaxed ? value.toLowerCase() : value;
    return name === 'prefix' ? actual.startsWith(wanted) : actual.endsWith(wanted);
  });
}

function escape(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
}

/** `*` stands for any characters, `\*` and `\\` for themselves. */
function wildcard(operand: unknown): Leaf {
  const text = asText(operand, 'event pattern: wildcard');
  if (/(?<!\\)(?:\\\\)*\*\*/.test(text)) throw invalid('wildcard holds "**"');
  const source = text.replaceAll(/\\[*\\]|\*|[^*\\]+|\\/g, (part) =>
    part === '*' ? '.*' : escape(part.startsWith('\\') && part.length === 2 ? part.slice(1) : part),
  );
  const expression = new RegExp(`^${source}$`, 's');
  return onText((value) => expression.test(value));
}

const COMPARE: Readonly<Record<string, (value: number, bound: number) => boolean>> = {
  '=': (value, bound) => value === bound,
  '<': (value, bound) => value < bound,
  '<=': (value, bound) => value <= bound,
  '>': (value, bound) => value > bound,
  '>=': (value, bound) => value >= bound,
};

function numeric(operand: unknown): Leaf {
  const parts = asList(operand, 'event pattern: numeric');
  if (parts.length !== 2 && parts.length !== 4) throw invalid('numeric needs one or two comparisons');
  const tests: ((value: number) => boolean)[] = [];
  for (let index = 0; index < parts.length; index += 2) {
    const compare = COMPARE[asText(parts[index], 'event pattern: numeric operator')];
    if (compare === undefined) throw invalid(`numeric does not know ${String(parts[index])}`);
    const bound = asNumber(parts[index + 1], 'event pattern: numeric bound');
    tests.push((value) => compare(value, bound));
  }
  return (value) => typeof value === 'number' && tests.every((test) => test(value));
}

function cidr(operand: unknown): Leaf {
  const [network = '', bits = ''] = asText(operand, 'event pattern: cidr').split('/');
  const family = isIP(network);
  const prefix = Number(bits);
  if (family === 0 || bits === '' || !Number.isInteger(prefix) || prefix < 0 || prefix > (family === 4 ? 32 : 128)) {
    throw invalid(`cidr ${String(operand)} is not a network`);
  }
  const block = new BlockList();
  block.addSubnet(network, prefix, family === 4 ? 'ipv4' : 'ipv6');
  return onText((value) => isIP(value) === family && block.check(value, family === 4 ? 'ipv4' : 'ipv6'));
}

const NEGATABLE: Readonly<Record<string, (operand: unknown) => Leaf>> = {
  prefix: (operand) => affix(operand, 'prefix'),
  suffix: (operand) => affix(operand, 'suffix'),
  'equals-ignore-case': (operand) => ignoringCase(asText(operand, 'event pattern: equals-ignore-case')),
  wildcard,
};

function anythingBut(operand: unknown): Leaf {
  const tests: Leaf[] = [];
  if (isObject(operand)) {
    const [name, value] = single(operand, 'anything-but');
    const make = NEGATABLE[name];
    if (make === undefined) throw invalid(`anything-but does not know ${name}`);
    for (const item of Array.isArray(value) ? value : [value]) tests.push(make(item));
  } else {
    for (const item of Array.isArray(operand) ? operand : [operand]) tests.push(exact(item));
  }
  return (value) => !tests.some((test) => test(value));
}

function exact(expected: unknown): Leaf {
  if (expected !== null && !['string', 'number', 'boolean'].includes(typeof expected)) {
    throw invalid(`${JSON.stringify(expected)} is not a value`);
  }
  return (value) => value === expected;
}

function single(operator: JsonObject, where: string): [string, unknown] {
  const [entry, ...others] = Object.entries(operator);
  if (entry === undefined || others.length > 0) throw invalid(`${where} needs exactly one operator`);
  return entry;
}

const OPERATORS: Readonly<Record<string, (operand: unknown) => Leaf>> = {
  ...NEGATABLE,
  numeric,
  cidr,
  'anything-but': anythingBut,
};

function alternative(spec: unknown): (leaves: readonly Scalar[]) => boolean {
  if (!isObject(spec)) {
    const test = exact(spec);
    return (leaves) => leaves.some(test);
  }
  const [name, operand] = single(spec, 'a value');
  if (name === 'exists') {
    if (typeof operand !== 'boolean') throw invalid('exists must be true or false');
    return (leaves) => leaves.length > 0 === operand;
  }
  const make = OPERATORS[name];
  if (make === undefined) throw invalid(`unknown operator ${name}`);
  const test = make(operand);
  return (leaves) => leaves.some(test);
}

function field(spec: unknown): Matcher {
  if (isObject(spec)) {
    const test = compilePattern(spec);
    return (value) => {
      const objects = objectsOf(value);
      // Below a field that is not there "exists: false" still holds.
      return (objects.length === 0 ? [{}] : objects).some(test);
    };
  }
  const alternatives = asList(spec, 'event pattern: a field').map(alternative);
  if (alternatives.length === 0) throw invalid('a field has an empty list');
  return (value) => {
    const leaves = leavesOf(value);
    return alternatives.some((test) => test(leaves));
  };
}

/**
 * Compiles an EventBridge event pattern with all its operators: exact value, null, prefix, suffix, equals-ignore-case,
 * wildcard, numeric, cidr, anything-but (also of prefix, suffix, equals-ignore-case, wildcard), exists and $or.
 * Fields of a pattern are joined by "and", values of a field by "or". Throws LOCAL_CLOUD_UNSUPPORTED.
 */
export function compilePattern(pattern: unknown): Matcher {
  if (!isObject(pattern) || Object.keys(pattern).length === 0) throw invalid('it must be a map that is not empty');
  const tests = Object.entries(pattern).map(([name, spec]): ((event: JsonObject) => boolean) => {
    if (name === '$or') {
      const choices = asList(spec, 'event pattern: $or').map(compilePattern);
      if (choices.length < 2) throw invalid('$or needs two patterns');
      return (event) => choices.some((test) => test(event));
    }
    const test = field(spec);
    return (event) => test(event[name]);
  });
  return (event) => isObject(event) && tests.every((test) => test(event));
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compilePattern } from '../../../infra/local/aws/pattern.ts';
import { AppError } from '../../../shared/errors.ts';

/** A pattern for one field `a`, values of `a` that match, and values that do not. `undefined` is a missing field. */
const FIELD: readonly { name: string; spec: unknown; yes: readonly unknown[]; no: readonly unknown[] }[] = [
  { name: 'exact text', spec: ['x'], yes: ['x', ['y', 'x']], no: ['X', 'xx', undefined, null, [], { x: 1 }] },
  { name: 'one of several', spec: ['x', 'y'], yes: ['x', 'y'], no: ['z'] },
  { name: 'exact number', spec: [5], yes: [5, 5.0], no: ['5', 6] },
  { name: 'exact boolean', spec: [true], yes: [true], no: ['true', false] },
  { name: 'null', spec: [null], yes: [null], no: [undefined, '', 'null'] },
  { name: 'empty text', spec: [''], yes: [''], no: [null, ' '] },
  { name: 'prefix', spec: [{ prefix: 'ab' }], yes: ['ab', 'abc'], no: ['Ab', 'cab', 5] },
  { name: 'prefix, any case', spec: [{ prefix: { 'equals-ignore-case': 'aB' } }], yes: ['ABc', 'abc'], no: ['cab'] },
  { name: 'suffix', spec: [{ suffix: '.png' }], yes: ['x.png'], no: ['x.PNG', 'png'] },
  { name: 'suffix, any case', spec: [{ suffix: { 'equals-ignore-case': '.png' } }], yes: ['x.PNG'], no: ['x.jpg'] },
  { name: 'any case', spec: [{ 'equals-ignore-case': 'Kong' }], yes: ['kong', 'KONG'], no: ['kongs'] },
  { name: 'wildcard', spec: [{ wildcard: 'a*c' }], yes: ['ac', 'abc', 'a\nc'], no: ['ab', 'xabc'] },
  { name: 'wildcard, escaped', spec: [{ wildcard: String.raw`a\*\\c` }], yes: [String.raw`a*\c`], no: ['ab'] },
  { name: 'wildcard with signs', spec: [{ wildcard: 'a.(+*' }], yes: ['a.(+', 'a.(+x'], no: ['ab(+'] },
  { name: 'numeric equal', spec: [{ numeric: ['=', 3] }], yes: [3], no: ['3', 4, undefined] },
  { name: 'numeric range', spec: [{ numeric: ['>', 0, '<=', 5] }], yes: [1, 5], no: [0, 6] },
  { name: 'numeric bound', spec: [{ numeric: ['<', -1] }, { numeric: ['>=', 9] }], yes: [-2, 9], no: [-1, 8] },
  { name: 'cidr', spec: [{ cidr: '10.0.0.0/24' }], yes: ['10.0.0.255'], no: ['10.0.1.0', 'x', 10, '::1'] },
  { name: 'cidr of IPv6', spec: [{ cidr: '2001:db8::/32' }], yes: ['2001:db8::1'], no: ['2001:db9::1', '10.0.0.1'] },
  {
    name: 'anything but',
    spec: [{ 'anything-but': 'x' }],
    yes: ['y', 5, null, ['x', 'y']],
    no: ['x', undefined, ['x']],
  },
  { name: 'anything but some', spec: [{ 'anything-but': ['x', 5] }], yes: ['5', 'y'], no: ['x', 5] },
  { name: 'anything but a prefix', spec: [{ 'anything-but': { prefix: 'ab' } }], yes: ['ba', 1], no: ['abc'] },
  { name: 'anything but prefixes', spec: [{ 'anything-but': { prefix: ['a', 'b'] } }], yes: ['c'], no: ['a1', 'b1'] },
  { name: 'anything but a suffix', spec: [{ 'anything-but': { suffix: 'z' } }], yes: ['za'], no: ['az'] },
  { name: 'anything but wildcard', spec: [{ 'anything-but': { wildcard: '*/x/*' } }], yes: ['a/y/b'], no: ['a/x/b'] },
  {
    name: 'anything but any case',
    spec: [{ 'anything-but': { 'equals-ignore-case': ['a', 'b'] } }],
    yes: ['c'],
    no: ['A', 'b'],
  },
  { name: 'exists', spec: [{ exists: true }], yes: ['', null, 0, ['x']], no: [undefined, {}, []] },
  { name: 'does not exist', spec: [{ exists: false }], yes: [undefined, {}, []], no: ['', null] },
  { name: 'does not exist or is x', spec: ['x', { exists: false }], yes: ['x', undefined], no: ['y'] },
  { name: 'nested', spec: { b: ['x'] }, yes: [{ b: 'x' }, [{ b: 'y' }, { b: 'x' }]], no: ['x', {}, undefined] },
  { name: 'nested and missing', spec: { b: [{ exists: false }] }, yes: [undefined, {}], no: [{ b: 1 }] },
];

for (const { name, spec, yes, no } of FIELD) {
  test(name, () => {
    const matches = compilePattern({ a: spec });
    for (const value of yes) assert.equal(matches({ a: value }), true, JSON.stringify(value));
    for (const value of no) assert.equal(matches({ a: value }), false, JSON.stringify(value) ?? 'missing');
  });
}

test('fields are joined by "and", $or by "or"', () => {
  const matches = compilePattern({ a: ['1'], $or: [{ b: ['2'] }, { c: [{ numeric: ['>', 0] }] }] });
  assert.equal(matches({ a: '1', b: '2' }), true);
  assert.equal(matches({ a: '1', c: 3 }), true);
  assert.equal(matches({ a: '1', b: '3', c: 0 }), false);
  assert.equal(matches({ a: '0', b: '2' }), false);
  assert.equal(matches('no event'), false);
});

for (const pattern of [
  {},
  [],
  'x',
  { a: 'x' },
  { a: [] },
  { a: [['x']] },
  { a: [{}] },
  { a: [{ prefix: 'a', suffix: 'b' }] },
  { a: [{ regex: 'x' }] },
  { a: [{ prefix: 5 }] },
  { a: [{ wildcard: 'a**' }] },
  { a: [{ numeric: ['>', '5'] }] },
  { a: [{ numeric: ['~', 5] }] },
  { a: [{ numeric: [] }] },
  { a: [{ cidr: '10.0.0.0' }] },
  { a: [{ cidr: '10.0.0.0/33' }] },
  { a: [{ exists: 'yes' }] },
  { a: [{ 'anything-but': { numeric: ['=', 1] } }] },
  { $or: [{ a: ['x'] }] },
]) {
  test(`${JSON.stringify(pattern)} is refused when it is compiled`, () => {
    assert.throws(
      () => compilePattern(pattern),
      (error: unknown) => error instanceof AppError && error.code === 'LOCAL_CLOUD_UNSUPPORTED',
    );
  });
}

/** Wildcards by definition: a star is nothing, or one character and a star. */
function byDefinition(pattern: string, text: string): boolean {
  if (pattern === '') return text === '';
  if (pattern.startsWith('*')) {
    return byDefinition(pattern.slice(1), text) || (text !== '' && byDefinition(pattern, text.slice(1)));
  }
  return pattern[0] === text[0] && text !== '' && byDefinition(pattern.slice(1), text.slice(1));
}

test('wildcards match what their definition matches', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', '.', '('), maxLength: 6 });
  const patterns = fc
    .string({ unit: fc.constantFrom('a', 'b', '.', '(', '*'), maxLength: 6 })
    .filter((pattern) => !pattern.includes('**'));
  fc.assert(
    fc.property(patterns, letters, (pattern, text) => {
      assert.equal(compilePattern({ a: [{ wildcard: pattern }] })({ a: text }), byDefinition(pattern, text));
    }),
  );
});

test('anything-but matches a value exactly when the value itself does not', () => {
  const scalar = fc.oneof(fc.constantFrom('x', 'y', '5'), fc.constantFrom(1, 5), fc.constantFrom(true, null));
  fc.assert(
    fc.property(fc.array(scalar, { minLength: 1 }), scalar, (list, value) => {
      const same = compilePattern({ a: list })({ a: value });
      assert.equal(compilePattern({ a: [{ 'anything-but': list }] })({ a: value }), !same);
    }),
  );
});

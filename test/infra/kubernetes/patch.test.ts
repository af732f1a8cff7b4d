import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isObject, type Json } from '../../../infra/local/kubernetes/json.ts';
import { jsonPatch, mergePatch } from '../../../infra/local/kubernetes/patch.ts';
import { StatusError } from '../../../infra/local/kubernetes/status.ts';
import { strategicMerge } from '../../../infra/local/kubernetes/strategic.ts';

const MERGES: readonly (readonly [Json, Json, Json])[] = [
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [['a'], ['c', 'd'], ['c', 'd']],
  [{ a: 'foo' }, null, null],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: 'b', c: null }, { a: 'b' }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
];

test('merge patches do what RFC 7396 shows', () => {
  for (const [target, patch, result] of MERGES) assert.deepEqual(mergePatch(target, patch), result);
});

const OPERATIONS: readonly (readonly [string, Json, Json, Json])[] = [
  ['add a field', { a: 1 }, [{ op: 'add', path: '/b', value: 2 }], { a: 1, b: 2 }],
  ['add replaces a field', { a: 1 }, [{ op: 'add', path: '/a', value: 2 }], { a: 2 }],
  ['insert into a list', { l: [1, 3] }, [{ op: 'add', path: '/l/1', value: 2 }], { l: [1, 2, 3] }],
  ['append to a list', { l: [1] }, [{ op: 'add', path: '/l/-', value: 2 }], { l: [1, 2] }],
  ['remove a field', { a: 1, b: 2 }, [{ op: 'remove', path: '/a' }], { b: 2 }],
  ['remove an item', { l: [1, 2] }, [{ op: 'remove', path: '/l/0' }], { l: [2] }],
  ['replace an item in depth', { l: [{ a: 1 }] }, [{ op: 'replace', path: '/l/0/a', value: 2 }], { l: [{ a: 2 }] }],
  [
    'escaped names',
    { 'a/b': 1, 'c~d': 2 },
    [
      { op: 'remove', path: '/a~1b' },
      { op: 'replace', path: '/c~0d', value: 3 },
    ],
    { 'c~d': 3 },
  ],
  ['copy', { a: { b: 1 } }, [{ op: 'copy', from: '/a', path: '/c' }], { a: { b: 1 }, c: { b: 1 } }],
  ['move', { a: 1 }, [{ op: 'move', from: '/a', path: '/b' }], { b: 1 }],
  [
    'a test that holds',
    { a: [1] },
    [
      { op: 'test', path: '/a', value: [1] },
      { op: 'add', path: '/b', value: 1 },
    ],
    { a: [1], b: 1 },
  ],
  ['the whole document', { a: 1 }, [{ op: 'replace', path: '', value: { b: 1 } }], { b: 1 }],
];

for (const [name, target, patch, result] of OPERATIONS) {
  test(`JSON patch: ${name}`, () => assert.deepEqual(jsonPatch(target, patch), result));
}

const REFUSED: readonly (readonly [string, Json, number])[] = [
  ['a test that fails', [{ op: 'test', path: '/a', value: 2 }], 422],
  ['removing what is not there', [{ op: 'remove', path: '/x' }], 422],
  ['replacing what is not there', [{ op: 'replace', path: '/x', value: 1 }], 422],
  ['an item beyond the end', [{ op: 'add', path: '/l/9', value: 1 }], 422],
  ['an item that is no number', [{ op: 'add', path: '/l/x', value: 1 }], 422],
  ['a way through a number', [{ op: 'add', path: '/a/b', value: 1 }], 422],
  ['a pointer without slash', [{ op: 'add', path: 'a', value: 1 }], 422],
  ['an unknown operation', [{ op: 'increase', path: '/a' }], 400],
  ['no list', { op: 'add' }, 400],
];

for (const [name, patch, code] of REFUSED) {
  test(`JSON patch refuses ${name}`, () => {
    assert.throws(
      () => jsonPatch({ a: 1, l: [] }, patch),
      (error) => error instanceof StatusError && error.code === code,
    );
  });
}

const ports = (...items: readonly Json[]): Json => ({ spec: { ports: items } });
const STRATEGIC: readonly (readonly [string, string, Json, Json, Json])[] = [
  [
    'an item with a known key merges',
    'Service',
    ports({ port: 80, name: 'a' }),
    ports({ port: 80, name: 'b' }),
    ports({ port: 80, name: 'b' }),
  ],
  [
    'an item with a new key goes before the others',
    'Service',
    ports({ port: 80 }),
    ports({ port: 81 }),
    ports({ port: 81 }, { port: 80 }),
  ],
  [
    '$patch: delete removes an item',
    'Service',
    ports({ port: 80 }, { port: 81 }),
    ports({ port: 80, $patch: 'delete' }),
    ports({ port: 81 }),
  ],
  [
    '$patch: replace replaces a list',
    'Service',
    ports({ port: 80 }),
    ports({ port: 81 }, { $patch: 'replace' }),
    ports({ port: 81 }),
  ],
  [
    '$setElementOrder sorts',
    'Service',
    ports({ port: 80 }, { port: 81 }),
    { spec: { '$setElementOrder/ports': [{ port: 81 }, { port: 80 }], ports: [{ port: 80, name: 'x' }] } },
    ports({ port: 81 }, { port: 80, name: 'x' }),
  ],
  [
    'lists without keys are replaced',
    'Ingress',
    { spec: { rules: [{ host: 'a' }] } },
    { spec: { rules: [{ host: 'b' }] } },
    { spec: { rules: [{ host: 'b' }] } },
  ],
  ['null removes a field', 'Ingress', { spec: { a: 1, b: 2 } }, { spec: { a: null } }, { spec: { b: 2 } }],
  [
    '$patch: replace replaces an object',
    'Secret',
    { data: { a: '1', b: '2' } },
    { data: { $patch: 'replace', c: '3' } },
    { data: { c: '3' } },
  ],
  [
    '$retainKeys drops the others',
    'Pod',
    { spec: { a: 1, b: 2 } },
    { spec: { $retainKeys: ['b', 'c'], c: 3 } },
    { spec: { b: 2, c: 3 } },
  ],
  [
    'finalizers are a set',
    'Ingress',
    { metadata: { finalizers: ['a'] } },
    { metadata: { finalizers: ['a', 'b'] } },
    { metadata: { finalizers: ['a', 'b'] } },
  ],
  [
    '$deleteFromPrimitiveList',
    'Ingress',
    { metadata: { finalizers: ['a', 'b'] } },
    { metadata: { '$deleteFromPrimitiveList/finalizers': ['a'] } },
    { metadata: { finalizers: ['b'] } },
  ],
];

for (const [name, kind, target, patch, result] of STRATEGIC) {
  test(`strategic merge patch: ${name}`, () => assert.deepEqual(strategicMerge(target, patch, kind), result));
}

const field = fc.constantFrom('a', 'b', 'spec', 'ports', 'name');
const value = fc.letrec<{ tree: Json }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<Json>(null, true, 1, 'x'),
    fc.array(tie('tree'), { maxLength: 3 }),
    fc.dictionary(field, tie('tree'), { maxKeys: 3, noNullPrototype: true }),
  ),
})).tree;

test('a merge patch twice is a merge patch once, and leaves its arguments as they were', () => {
  fc.assert(
    fc.property(value, value, (target, patch) => {
      const before = structuredClone(target);
      const once = mergePatch(target, patch);
      assert.deepEqual(mergePatch(once, patch), once);
      assert.deepEqual(target, before);
    }),
  );
});

test('a strategic merge without directives and lists is a merge patch of objects', () => {
  const plain = fc.dictionary(field, fc.dictionary(field, fc.constantFrom<Json>(1, 'x'), { noNullPrototype: true }), {
    noNullPrototype: true,
  });
  fc.assert(
    fc.property(plain, plain, (target, patch) => {
      assert.ok(isObject(target));
      assert.deepEqual(strategicMerge(target, patch, 'Service'), mergePatch(target, patch));
    }),
  );
});

import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { canonicalJson, hashOf } from '../shared/hash.ts';
import type { Json } from '../shared/kong/entities.ts';

function isJson(value: unknown): value is Json {
  return value !== undefined;
}

function reversed(value: Json): Json {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(reversed);
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([field, item]) => [field, reversed(item)]),
  );
}

test('canonical JSON is JSON of the same value, whatever the order of fields', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.ok(isJson(value));
      const text = canonicalJson(value);
      assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)));
      assert.equal(canonicalJson(reversed(value)), text);
    }),
  );
});

test('the hash is the SHA-256 of that text', () => {
  assert.equal(
    canonicalJson({ b: [1, null, 'x'], a: { d: true, c: '\u2028"' } }),
    '{"a":{"c":"\u2028\\"","d":true},"b":[1,null,"x"]}',
  );
  assert.equal(hashOf({}), '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a');
  assert.notEqual(hashOf({ a: 1 }), hashOf({ a: '1' }));
});
